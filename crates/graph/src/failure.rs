//! From what went wrong on the wire to a reason code.
//!
//! Status and code decide, never the text of a message: with one exception, told below, where Graph gives a general
//! code and only the text tells a missing licence from a missing permission (`docs/graph.md`, sections "Tokens" and
//! "Error shapes and reason codes").

use std::error::Error as _;

use http::StatusCode;
use serde_json::Value;
use tenantatlas_domain::reason::ReasonCode;
use tracing::info;
use url::Url;

use crate::error::{GraphError, presentable};

/// An error body of Graph, whatever shape it has.
#[derive(Debug, Default)]
pub(crate) struct ErrorBody {
    /// `error.code`
    pub(crate) code: Option<String>,
    /// `error.code` and all codes within.
    codes: Vec<String>,
    /// The human part of `error.message`.
    pub(crate) message: String,
    /// `error.innerError.request-id`
    pub(crate) request_id: Option<String>,
    /// Whether it has the form of Graph's errors: an object with a code (Microsoft, "Microsoft Graph error responses").
    pub(crate) is_graphs: bool,
}

impl ErrorBody {
    /// Whether one of the codes contains this, in lower case.
    fn says_code(&self, text: &str) -> bool {
        self.codes.iter().any(|code| code.to_lowercase().contains(text))
    }

    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str::<Value>(text).map(|body| Self::of(&body)).unwrap_or_default()
    }

    pub(crate) fn of(body: &Value) -> Self {
        let named = ["error", "odata.error"].iter().find_map(|key| body.get(key));
        let is_graphs = named.is_some_and(|error| error.get("code").is_some_and(Value::is_string));
        let error = named.unwrap_or(body);
        let mut codes = Vec::new();
        let mut request_id = None;
        let mut level = Some(error);
        // Inner errors nest; ten levels are more than Graph ever sends.
        for _ in 0..10 {
            let Some(current) = level else { break };
            codes.extend(current.get("code").and_then(Value::as_str).and_then(identifier));
            request_id = request_id.or_else(|| current.get("request-id").and_then(Value::as_str).and_then(identifier));
            level = ["innerError", "innererror"].iter().find_map(|key| current.get(key));
        }
        let message = ["message", "Message"].iter().find_map(|key| error.get(key)).unwrap_or(error);
        let message = message.get("value").unwrap_or(message).as_str().unwrap_or_default();
        Self { code: codes.first().cloned(), codes, message: human_part(message), request_id, is_graphs }
    }
}

/// A code or an id as it may be shown: letters, digits, `-`, `_` and `.`, at most 100, and no host. Anything else is left
/// out, since it is shown and logged as it is.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let fits = !text.is_empty() && text.len() <= 100 && text.chars().all(plain);
    (fits && presentable(text) == text).then(|| text.to_owned())
}

/// Intune often puts a JSON text into the message, and behind the sentence the ids of the operation. The sentence is
/// what a person can use.
fn human_part(message: &str) -> String {
    let unpacked =
        message.trim_start().starts_with('{').then(|| serde_json::from_str::<Value>(message).ok()).flatten().and_then(
            |inner| ["Message", "message"].iter().find_map(|key| inner.get(key)?.as_str().map(str::to_owned)),
        );
    let message = unpacked.as_deref().unwrap_or(message);
    let end = message.find(" - Operation ID").unwrap_or(message.len());
    message[..end].to_owned()
}

/// Codes with which Graph says that the tenant has not bought something.
const LICENSE_CODES: [&str; 5] = ["license", "licence", "premiumtenant", "nonpremium", "notlicensed"];
/// Intune's answer, under a general code, in a tenant without Intune.
const NOT_FOR_THIS_TENANT: &str = "request not applicable to target tenant";
/// Words of a licence, as words of their own: a property named `licenseType` says nothing.
const LICENSE_WORDS: [&str; 6] = ["license", "licence", "licenses", "licences", "licensed", "licenced"];
/// What must stand next to them to mean that there is none.
const LACK_WORDS: [&str; 10] =
    ["not", "no", "without", "missing", "needs", "need", "requires", "require", "required", "valid"];
/// Texts that name what the application, not the tenant, lacks.
const PERMISSION_TEXTS: [&str; 5] =
    ["following scopes", "insufficient privileges", "required scope", "missing scope", "application is not authorized"];
/// Texts of a 400 or 404 for an address that this cloud or version does not have: of the OData router, of Intune's, and of
/// the ASP.NET ones behind them. They say nothing about what is there.
const UNKNOWN_ADDRESS: [&str; 4] = [
    "resource not found for the segment",
    "no odata route exists",
    "no method match route",
    "no http resource was found that matches the request",
];

/// Maps a refusal to its reason. `without_consent` tells that the token carried no permission at all.
pub(crate) fn reason(status: StatusCode, body: &ErrorBody, without_consent: bool) -> ReasonCode {
    let says = |texts: &[&str]| {
        let message = body.message.to_lowercase();
        texts.iter().any(|text| message.contains(text))
    };
    let coded = |code: &str| body.codes.iter().any(|one| one.eq_ignore_ascii_case(code));
    let license_code = body.codes.iter().any(|code| {
        let code = code.to_lowercase();
        LICENSE_CODES.iter().any(|part| code.contains(part))
    });
    match status.as_u16() {
        429 | 509 => ReasonCode::GraphThrottled,
        402 => ReasonCode::LicenseMissing,
        400 | 401 | 403 | 404 if license_code => ReasonCode::LicenseMissing,
        401 => ReasonCode::AuthFailed,
        403 if without_consent => ReasonCode::ConsentMissing,
        403 if coded("Authorization_RequestDenied") || says(&PERMISSION_TEXTS) => ReasonCode::PermissionMissing,
        400 | 403 | 404 if lacks_license(&body.message) => ReasonCode::LicenseMissing,
        403 => ReasonCode::PermissionMissing,
        400 if says(&UNKNOWN_ADDRESS) => ReasonCode::NotFoundInCloud,
        404 | 410 | 501 => ReasonCode::NotFoundInCloud,
        408 => ReasonCode::GraphTimeout,
        424 | 500.. => ReasonCode::GraphUnavailable,
        _ => ReasonCode::ContractInvalid,
    }
}

/// Whether a message says that the tenant has no licence.
fn lacks_license(message: &str) -> bool {
    let message = message.to_lowercase();
    let has =
        |words: &[&str]| message.split(|letter: char| !letter.is_alphanumeric()).any(|word| words.contains(&word));
    message.contains(NOT_FOR_THIS_TENANT)
        || message.contains("unlicensed")
        || (has(&LACK_WORDS) && (has(&LICENSE_WORDS) || (has(&["premium"]) && has(&["tenant"]))))
}

/// Builds the error for a refusal.
pub(crate) fn refusal(status: StatusCode, body: &ErrorBody, without_consent: bool) -> GraphError {
    let message = match body.message.trim() {
        _ if status.is_redirection() => "the answer points to another address, which is not followed",
        _ if status.is_success() => "the answer says success and does not hold what was asked for",
        "" => status.canonical_reason().unwrap_or("no explanation was given"),
        message => message,
    };
    let mut error = GraphError::new(reason(status, body, without_consent), message);
    let told = body.message.to_lowercase();
    let unknown = UNKNOWN_ADDRESS.iter().any(|text| told.contains(text) || body.says_code(text));
    error.absent = status == StatusCode::NOT_FOUND && body.is_graphs && !unknown;
    error.by_graph = true;
    error.status = Some(status.as_u16());
    error.graph_code.clone_from(&body.code);
    error.request_id.clone_from(&body.request_id);
    error
}

/// Which of the two services of a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    SignIn,
    Graph,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Graph => "Graph",
        }
    }
}

/// The one sentence for whatever goes wrong at an address that a person entered: refused, silent, no such name, a network
/// that may not be asked, another protocol, another service. What it was stands in the log.
pub(crate) fn veiled(service: Service, url: &Url, error: &GraphError) -> GraphError {
    info!(service = service.name(), host = url.host_str(), port = url.port_or_known_default(), %error, "an address of a custom cloud cannot be used");
    let message = format!(
        "The address could not be used as a {} service: check it, that the service answers there, and that the server's setting allowed_networks names its network if it is not public.",
        service.name()
    );
    GraphError::new(ReasonCode::GraphUnavailable, &message)
}

/// An answer that is larger than what is read.
pub(crate) fn too_large(limit: usize) -> GraphError {
    let message =
        format!("the answer is larger than {} MB, the most that is read at a time", limit.div_ceil(1_000_000));
    GraphError::new(ReasonCode::ParseFailed, &message)
}

/// An answer or an object whose JSON values would take more memory than may be held.
pub(crate) fn too_many_values(limit: usize) -> GraphError {
    let megabytes = limit.div_ceil(1_000_000);
    let message =
        format!("what was read has so many values that they take more than {megabytes} MB, the most that is held");
    GraphError::new(ReasonCode::ParseFailed, &message)
}

/// How a message of the HTTP library begins when a proxy refuses to lead on.
const PROXY_REFUSED: &str = "tunnel error: ";

/// Why no answer came.
pub(crate) fn no_answer(error: &reqwest::Error) -> GraphError {
    if tenantatlas_net::is_refusal(error) {
        let message =
            "the name leads to an address that is not public and was not asked: check how this machine resolves names";
        GraphError::new(ReasonCode::GraphUnavailable, message)
    } else if error.is_timeout() {
        GraphError::new(ReasonCode::GraphTimeout, "no answer within the time limit")
    } else {
        let cause = cause(error);
        if let Some(cause) = cause.strip_prefix(PROXY_REFUSED) {
            let message = format!(
                "the proxy that HTTPS_PROXY names opened no connection ({cause}): check its address, the name and password in it, and which hosts it lets through"
            );
            return GraphError::new(ReasonCode::GraphUnavailable, &message);
        }
        let what = if error.is_connect() { "no connection" } else { "the connection broke off" };
        GraphError::new(ReasonCode::GraphUnavailable, &format!("{what}: {cause}"))
    }
}

/// The innermost cause: the only part of a transport error that tells a person something, and without address.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: Option<&dyn std::error::Error> = error.source();
    while let Some(next) = innermost.and_then(std::error::Error::source) {
        innermost = Some(next);
    }
    innermost.map_or_else(|| "unknown cause".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapped(status: u16, code: &str, message: &str) -> ReasonCode {
        let body = ErrorBody::of(&json!({"error": {"code": code, "message": message}}));
        reason(StatusCode::from_u16(status).unwrap(), &body, false)
    }

    #[test]
    fn status_and_code_decide() {
        for (status, code, message, expected) in [
            (400, "BadRequest", "Invalid filter clause", ReasonCode::ContractInvalid),
            (400, "BadRequest", "Resource not found for the segment 'x'.", ReasonCode::NotFoundInCloud),
            (400, "BadRequest", "Tenant does not have a SPO license.", ReasonCode::LicenseMissing),
            (400, "BadRequest", "Could not find a property named 'licenseType'", ReasonCode::ContractInvalid),
            (401, "InvalidAuthenticationToken", "Lifetime validation failed", ReasonCode::AuthFailed),
            (403, "Authorization_RequestDenied", "Insufficient privileges.", ReasonCode::PermissionMissing),
            (403, "Authorization_RequestDenied", "A license could help.", ReasonCode::PermissionMissing),
            (403, "Forbidden", "", ReasonCode::PermissionMissing),
            (403, "Forbidden", "Application must have one of the following scopes: A", ReasonCode::PermissionMissing),
            (403, "AadPremiumLicenseRequired", "x", ReasonCode::LicenseMissing),
            (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "x", ReasonCode::LicenseMissing),
            (403, "Forbidden", "Tenant is not licensed for this feature.", ReasonCode::LicenseMissing),
            (404, "ResourceNotFound", "", ReasonCode::NotFoundInCloud),
            (405, "MethodNotAllowed", "", ReasonCode::ContractInvalid),
            (302, "", "", ReasonCode::ContractInvalid),
            (410, "Gone", "", ReasonCode::NotFoundInCloud),
            (429, "UnknownError", "", ReasonCode::GraphThrottled),
            (429, "TooManyRequests", "license", ReasonCode::GraphThrottled),
            (500, "InternalServerError", "license", ReasonCode::GraphUnavailable),
            (501, "NotImplemented", "", ReasonCode::NotFoundInCloud),
            (503, "ServiceUnavailable", "", ReasonCode::GraphUnavailable),
            (504, "", "", ReasonCode::GraphUnavailable),
        ] {
            assert_eq!(mapped(status, code, message), expected, "{status} {code} {message}");
        }
    }

    #[test]
    fn the_sentence_within_intunes_message_is_found() {
        let inner = json!({
            "_version": 3,
            "Message": "Request not applicable to target tenant. - Operation ID (for customer support): 0000 - ActivityId: 0",
            "CustomApiErrorPhrase": "",
        });
        let body = ErrorBody::of(&json!({"error": {"code": "BadRequest", "message": inner.to_string()}}));
        assert_eq!(body.message, "Request not applicable to target tenant.");
        let error = refusal(StatusCode::BAD_REQUEST, &body, false);
        assert_eq!(error.reason, ReasonCode::LicenseMissing);
        assert_eq!(error.graph_code.as_deref(), Some("BadRequest"));
    }

    #[test]
    fn a_refusal_to_a_token_without_roles_is_missing_consent() {
        let body = ErrorBody::default();
        assert_eq!(reason(StatusCode::FORBIDDEN, &body, true), ReasonCode::ConsentMissing);
        assert_eq!(reason(StatusCode::NOT_FOUND, &body, true), ReasonCode::NotFoundInCloud);
    }

    #[test]
    fn an_address_that_does_not_exist_never_says_that_an_object_does_not() {
        for (status, body, absent) in [
            (404, json!({"error": {"code": "ResourceNotFound", "message": "The resource could not be found."}}), true),
            (
                404,
                json!({"error": {"code": "ResourceNotFound", "message": "Resource not found for the segment 'x'."}}),
                false,
            ),
            (
                404,
                json!({"error": {"code": "BadRequest", "message": "No OData route exists that match template ~/singleton"}}),
                false,
            ),
            (
                404,
                json!({"error": {"code": "x", "message": "No HTTP resource was found that matches the request URI."}}),
                false,
            ),
            (404, json!({"message": "no such page"}), false),
            (404, Value::Null, false),
            (
                400,
                json!({"error": {"code": "BadRequest", "message": "Resource not found for the segment 'x'."}}),
                false,
            ),
            (410, json!({"error": {"code": "Gone", "message": "gone"}}), false),
            (501, json!({"error": {"code": "NotImplemented", "message": ""}}), false),
        ] {
            let error = refusal(StatusCode::from_u16(status).unwrap(), &ErrorBody::of(&body), false);
            assert_eq!((error.reason, error.absent), (ReasonCode::NotFoundInCloud, absent), "{status} {body}");
        }
    }

    #[test]
    fn inner_codes_and_request_ids_are_found() {
        let body = ErrorBody::parse(
            r#"{"error":{"code":"Forbidden","message":"no","innerError":{"request-id":"r-1","innererror":{"code":"TenantNotLicensed"}}}}"#,
        );
        assert_eq!(body.request_id.as_deref(), Some("r-1"));
        assert_eq!(reason(StatusCode::FORBIDDEN, &body, false), ReasonCode::LicenseMissing);
    }

    #[test]
    fn any_body_gives_an_error() {
        for text in [
            "",
            "<html>Bad gateway</html>",
            "[]",
            "null",
            r#"{"error":"text"}"#,
            r#"{"error":{"message":{"value":7}}}"#,
        ] {
            let error = refusal(StatusCode::BAD_GATEWAY, &ErrorBody::parse(text), false);
            assert_eq!(error.reason, ReasonCode::GraphUnavailable, "{text}");
            assert!(!error.message.is_empty(), "{text}");
        }
    }
}
