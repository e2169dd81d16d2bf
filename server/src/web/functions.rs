//! Server functions over HTTP: `POST /api/{function}`, and `POST /t/{tenant}/api/{function}` for those of a tenant.

use super::{State, context::provide};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    http::{StatusCode, Uri},
    response::Response,
};
use tenantatlas_app::error::{AppError, ErrorKind};

/// The largest refusal, bytes.
const MAX_REFUSAL: usize = 16 * 1024;

/// Calls a server function. Its own address carries no tenant: the tenant of the address reaches it as its scope.
pub async fn call(Extract(state): Extract<State>, mut request: Request) -> Response {
    let path = request.uri().path();
    if let Some(function) = path.find("/api/").filter(|at| *at > 0).map(|at| path[at..].to_owned()) {
        match function.parse::<Uri>() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return super::answer::refuse(&AppError::not_found("The function")),
        }
    }
    let context = provide(&state, &request);
    let response = leptos_axum::handle_server_fns_with_context(context, request).await;
    with_status(axum::response::IntoResponse::into_response(response)).await
}

/// Gives a refusal the status of its kind: on its own a refused server function answers 500 whatever the reason. A form
/// without script is answered with a redirect, which stays one.
async fn with_status(response: Response) -> Response {
    match response.status() {
        StatusCode::INTERNAL_SERVER_ERROR => {}
        StatusCode::BAD_REQUEST => return super::answer::refuse(&AppError::not_found("The function")),
        _ => return response,
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_REFUSAL).await else {
        return super::answer::refuse(&AppError::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas."));
    };
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes)
        && let Ok(status) = StatusCode::from_u16(error.kind.status())
    {
        parts.status = status;
    }
    Response::from_parts(parts, Body::from(bytes))
}
