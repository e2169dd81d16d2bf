//! Headers that keep a browser from being turned against the person who uses it.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use leptos::nonce::Nonce;
use tenantatlas_app::scope::Client;

/// Sent with every answer.
const FIXED: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    ),
];

/// Sent with every answer to a request that came over https: for a year no browser comes without it (RFC 6797).
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
/// Sent with JSON that names no file: opened in a tab of its own it is saved and never shown (OWASP ASVS 4.0.3, requirement
/// 14.4.2).
const DATA: HeaderValue = HeaderValue::from_static("attachment; filename=\"api.json\"");

/// Makes a nonce for this answer, lets the page know it (request extension [`Nonce`]), and sets the security headers,
/// among them a Content-Security-Policy that runs no script without that nonce (CSP Level 3, `strict-dynamic`).
pub async fn headers(mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    let secure = request.extensions().get::<Client>().is_some_and(|client| client.secure);
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(nonce.as_inner())) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    if secure {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(TRANSPORT_SECURITY);
    }
    let json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if headers.get(header::CONTENT_TYPE).is_some_and(json) {
        headers.entry(header::CONTENT_DISPOSITION).or_insert(DATA);
    }
    // Pages and answers are for one person; only the hashed assets may be kept, and they say so themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::policy;

    #[test]
    fn no_script_and_no_style_runs_inline_without_the_nonce() {
        let policy = policy("abc");
        assert!(policy.contains("script-src 'nonce-abc' 'strict-dynamic' 'wasm-unsafe-eval';"));
        assert!(!policy.contains("unsafe-inline"));
    }
}
