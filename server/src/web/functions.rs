//! Server functions over HTTP: each at its path, and below the address of a tenant; those of a tenant only there.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use leptos::server_fn::error::{SERVER_FN_ERROR_HEADER, ServerFnUrlError};
use tenantatlas_app::address;
use tenantatlas_app::error::{AppError, ErrorKind};
use tenantatlas_app::scope::TenantScope;

use super::answer::{accepts_html, refuse, refuse_as_asked, refuse_with, status_of};
use super::body::BODY_LIMIT;
use super::context::provide;
use super::refusals::RefusedAs;
use super::{State, payload, typed};

/// The largest refusal, bytes.
const MAX_REFUSAL: usize = 16 * 1024;

/// Calls the server function of a path. Its own address carries no tenant: the tenant of the address reaches it as its
/// scope.
pub async fn call(path: &'static str, state: State, mut request: Request) -> Response {
    // A request without a body has no kind of one.
    let nothing = !request.headers().contains_key(header::CONTENT_TYPE) && request.body().is_end_stream();
    if !nothing && !is_form_or_json(request.headers()) {
        let error =
            AppError::new(ErrorKind::Invalid, "Send a form (application/x-www-form-urlencoded) or application/json.");
        return refuse_with(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error);
    }
    *request.uri_mut() = Uri::from_static(path);
    keep_own_referer(request.headers_mut());
    let (parts, body) = request.into_parts();
    // It was received before: this waits for nothing.
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else { return refuse(&AppError::unreadable("")) };
    if let Some(scope) = parts.extensions.get::<TenantScope>()
        && let Err(error) = payload::check(scope.tenant.id, &parts.headers, &body)
    {
        return refuse_as_asked(&parts.headers, status_of(&error), &error);
    }
    let comes_back = typed::comes_from_page(&parts.headers);
    let request = Request::from_parts(parts, Body::from(body));
    let context = provide(&state, &request);
    let response = leptos_axum::handle_server_fns_with_context(context, request).await;
    with_status(axum::response::IntoResponse::into_response(response), comes_back).await
}

/// What is said where there is no such function, or not outside of a tenant.
pub async fn unknown() -> Response {
    refuse(&AppError::not_found("The function"))
}

/// The refusal of a function that is not called, as the function itself would put it: a form without script is led back
/// to its page, which finds the refusal in its address, with what was typed.
pub fn refused(path: &str, headers: &mut HeaderMap, error: AppError) -> Response {
    let name = HeaderValue::from_str(path).ok();
    let mut response = if accepts_html(headers) { led_back(path, headers, error) } else { refuse(&error) };
    if let Some(name) = name {
        response.headers_mut().insert(SERVER_FN_ERROR_HEADER, name);
    }
    response
}

fn led_back(path: &str, headers: &mut HeaderMap, error: AppError) -> Response {
    keep_own_referer(headers);
    let kind = error.kind;
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let led = ServerFnUrlError::new(path, error).to_url(referer).ok();
    let led = led.and_then(|address| HeaderValue::from_str(address.as_str()).ok());
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        if typed::comes_from_page(headers) { StatusCode::TEMPORARY_REDIRECT } else { StatusCode::FOUND };
    response.headers_mut().insert(header::LOCATION, led.unwrap_or(HeaderValue::from_static(address::HOME)));
    response.extensions_mut().insert(RefusedAs(kind));
    response
}

/// The two kinds of body that server functions read. Others, such as `text/plain`, are what a form of another site can send
/// without being asked first (Fetch standard, CORS-safelisted request headers; OWASP ASVS 4.0.3, requirement 13.2.5).
fn is_form_or_json(headers: &HeaderMap) -> bool {
    let kind = payload::media_type(headers);
    ["application/x-www-form-urlencoded", "application/json"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// A form without script leads back to the page it names as its referer: only one of this site.
fn keep_own_referer(headers: &mut HeaderMap) {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let referer = text(header::REFERER).and_then(|referer| referer.parse::<Uri>().ok());
    let own = referer.is_some_and(|referer| {
        referer.authority().zip(text(header::HOST)).is_some_and(|(from, here)| from.as_str().eq_ignore_ascii_case(here))
    });
    if !own {
        headers.remove(header::REFERER);
    }
}

/// Gives a refusal the status of its kind: on its own a refused server function answers 500 whatever the reason. A form
/// without script is answered with a redirect, which stays one, and says in its extensions what it was refused for. To the
/// page that it comes from the form is sent again, so that nothing that was typed is lost.
async fn with_status(response: Response, comes_back: bool) -> Response {
    let refused = response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    match response.status() {
        StatusCode::INTERNAL_SERVER_ERROR => {}
        status if status.is_redirection() && refused => {}
        _ => return response,
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_REFUSAL).await else {
        return refuse(&AppError::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas."));
    };
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.extensions.insert(RefusedAs(error.kind));
        if parts.status.is_redirection() && comes_back {
            parts.status = StatusCode::TEMPORARY_REDIRECT;
        }
        if let (false, Ok(status)) = (parts.status.is_redirection(), StatusCode::from_u16(error.kind.status())) {
            parts.status = status;
        }
    }
    Response::from_parts(parts, Body::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_form_leads_back_to_this_site_alone() {
        let kept = |referer: &str| {
            let pairs = [(header::HOST, "atlas.example:3000"), (header::REFERER, referer)];
            let mut headers = pairs.into_iter().map(|(name, value)| (name, value.parse().expect("a value"))).collect();
            keep_own_referer(&mut headers);
            headers.contains_key(header::REFERER)
        };
        assert!(kept("https://atlas.example:3000/me") && kept("http://Atlas.example:3000/me?done=name"));
        assert!(
            !kept("https://evil.example/") && !kept("https://atlas.example/") && !kept("/me") && !kept("about:blank")
        );
        assert!(!kept("https://atlas.example:3000@evil.example/"));
    }
}
