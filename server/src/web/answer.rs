//! Refusals and redirects outside of pages.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tenantatlas_app::error::AppError;
use tenantatlas_app::redirect::is_own_address;

/// A refusal as JSON, with the status of its kind: the form in which server functions answer too.
pub fn refuse(error: &AppError) -> Response {
    refuse_with(status_of(error), error)
}

/// A refusal as JSON with a status of its own, for what HTTP itself has a word for.
pub fn refuse_with(status: StatusCode, error: &AppError) -> Response {
    let body = serde_json::to_vec(error).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal as its sentence alone for whoever asks for a page, which would save JSON as a file, and as JSON for scripts.
pub fn refuse_as_asked(headers: &HeaderMap, status: StatusCode, error: &AppError) -> Response {
    if accepts_html(headers) { refuse_in_words(status, &error.message) } else { refuse_with(status, error) }
}

/// Whether somebody asks who shows pages: a browser that follows a link or sends a form.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html")
}

/// A refusal as its sentence alone.
pub fn refuse_in_words(status: StatusCode, sentence: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{sentence}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The HTTP status of an error.
pub fn status_of(error: &AppError) -> StatusCode {
    StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Leads to another address of this site (303). What is none leads to the tenants: a value that cannot stand in a header
/// must neither panic nor lead elsewhere.
pub fn lead_to(address: &str) -> Response {
    let value = Some(address).filter(|address| is_own_address(address));
    let value = value.and_then(|address| HeaderValue::from_str(address).ok());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, value.unwrap_or(HeaderValue::from_static("/")));
    response
}

#[cfg(test)]
mod tests {
    use super::lead_to;
    use axum::http::header;

    #[test]
    fn what_cannot_be_an_address_of_this_site_leads_to_the_tenants() {
        for (address, led) in [("/me?done=name", "/me?done=name"), ("/\u{1}", "/"), ("//evil.example", "/"), ("", "/")]
        {
            assert_eq!(lead_to(address).headers()[header::LOCATION], led, "{address:?}");
        }
    }
}
