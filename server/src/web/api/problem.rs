//! What is wrong, as RFC 9457 has it: `application/problem+json` with our own code, and a sentence that says what was expected.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use tenantatlas_app::error::{AppError, ErrorKind, FieldProblem};
use tenantatlas_engine::{CommandError, EngineError};
use tenantatlas_store::StoreError;
use utoipa::ToSchema;

use crate::web::request_id::RequestId;

/// Where the API begins.
pub const ROOT: &str = "/api/v1";

/// The media type of a problem.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The largest refusal of other parts of the server that is put into this form, bytes.
const LARGEST: usize = 64 * 1024;

/// One value that was not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field of the body or the parameter.
    pub field: String,
    /// What was expected, as a sentence.
    pub detail: String,
}

/// A problem (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: the address of its line in the reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened, what was expected and what to do.
    pub detail: String,
    /// The kind as a stable code.
    pub code: String,
    /// Why, as a reason code of runs, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// The request, as the log of the server names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Each value that was not acceptable, where there are such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// After how many seconds it may be tried again.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// Every kind: its code, its status, its words.
pub const KINDS: [(&str, u16, &str); 14] = [
    ("invalid_parameter", 400, "A parameter of the address is not acceptable"),
    ("invalid_body", 400, "The body is not what was expected"),
    ("unauthorized", 401, "No valid token"),
    ("forbidden", 403, "The role does not allow this"),
    ("not_found", 404, "There is no such thing"),
    ("method_not_allowed", 405, "The address knows no such method"),
    ("timeout", 408, "The request took too long to arrive"),
    ("conflict", 409, "It collides with what is there"),
    ("too_large", 413, "The body is too large"),
    ("media_type", 415, "The body is not JSON"),
    ("unprocessable", 422, "A value is not acceptable"),
    ("too_many", 429, "Too much was asked for in a short time"),
    ("internal", 500, "Something went wrong inside TenantAtlas"),
    ("unavailable", 503, "The server cannot do it now"),
];

impl Problem {
    /// A problem of a kind with its sentence.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let (_, status, title) = KINDS.iter().find(|(one, ..)| *one == code).copied().unwrap_or(("internal", 500, ""));
        Self {
            kind: format!("{ROOT}/reference#{code}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            reason_code: None,
            instance: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// There is no such thing, or not for this token.
    pub fn not_found(what: &str) -> Self {
        AppError::not_found(what).into()
    }

    /// A parameter of the address is not acceptable.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let errors = vec![FieldError { field: name.to_owned(), detail: detail.clone() }];
        Self { errors, ..Self::new("invalid_parameter", detail) }
    }

    /// A field of the body is not acceptable.
    pub fn field(name: &str, detail: impl Into<String>) -> Self {
        AppError::invalid(name, detail).into()
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(serde_json::to_vec(&self).unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"TenantAtlas\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let code = match error.kind {
            ErrorKind::SignedOut => "unauthorized",
            ErrorKind::NotFound => "not_found",
            ErrorKind::Forbidden | ErrorKind::Confirm => "forbidden",
            ErrorKind::Invalid => "unprocessable",
            ErrorKind::Conflict => "conflict",
            ErrorKind::TooMany => "too_many",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Internal => "internal",
        };
        let one = error.field.clone().map(|field| FieldProblem { field, message: error.message.clone() });
        let fields = if error.problems.is_empty() { one.into_iter().collect() } else { error.problems };
        let errors = fields.into_iter().map(|one| FieldError { field: one.field, detail: one.message }).collect();
        let reason_code = error.reason.map(|reason| reason.as_str().to_owned());
        let retry_after = match code {
            "too_many" => Some(1),
            "unavailable" => Some(5),
            _ => None,
        };
        Self { reason_code, errors, retry_after, ..Self::new(code, error.message) }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        AppError::from(error).into()
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        AppError::from(error).into()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

/// Puts refusals of other parts of the server (limits, odd addresses, what broke off) into the form of the API, and names the
/// request.
pub async fn in_form(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != ROOT && path.strip_prefix(ROOT).is_none_or(|rest| !rest.starts_with('/')) {
        return next.run(request).await;
    }
    let id = request.extensions().get::<RequestId>().map(|id| id.own.to_string());
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST).await.unwrap_or_default();
    let ours = parts.headers.get(header::CONTENT_TYPE) == Some(&MEDIA_TYPE);
    let mut value = if ours { serde_json::from_slice(&bytes).unwrap_or_default() } else { foreign(status, &bytes) };
    if let (Some(fields), Some(id)) = (value.as_object_mut(), id) {
        fields.insert("instance".to_owned(), format!("urn:uuid:{id}").into());
    }
    parts.headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(serde_json::to_vec(&value).unwrap_or_default()))
}

/// A refusal of another part of the server: JSON with a message, or its sentence alone.
fn foreign(status: StatusCode, bytes: &[u8]) -> serde_json::Value {
    let told: Option<String> = serde_json::from_slice::<serde_json::Value>(bytes)
        .ok()
        .and_then(|value| Some(value.get("message")?.as_str()?.to_owned()));
    let code = KINDS.iter().rev().find(|(_, one, _)| *one == status.as_u16()).map_or("internal", |(code, ..)| *code);
    let words = told.unwrap_or_else(|| {
        KINDS.iter().find(|(one, ..)| *one == code).map_or(String::new(), |(.., words)| format!("{words}."))
    });
    let problem = Problem { status: status.as_u16(), ..Problem::new(code, words) };
    serde_json::to_value(problem).unwrap_or_default()
}
