//! The id of a request: one of our own for each, in its log lines and in its answer.
//!
//! What a client or proxy sends as `X-Request-Id` is anybody's text of any length and is never repeated. A short one goes
//! into the log beside ours, so that the lines of a proxy can be found again.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id of others that is logged, in bytes: as long as a UUID in words, or the 128 bits of W3C Trace Context.
const MAX_PEER_ID: usize = 64;

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId {
    /// Ours.
    pub own: Uuid,
    /// What the other side calls it.
    pub peer: Option<String>,
}

/// Gives the request its id, and the answer the same.
pub async fn set(mut request: Request, next: Next) -> Response {
    let id = RequestId { own: Uuid::new_v4(), peer: peer_id(request.headers()) };
    request.headers_mut().remove(HEADER);
    let own = id.own.to_string();
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&own) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn peer_id(headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(HEADER)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!sent.is_empty() && sent.len() <= MAX_PEER_ID && sent.bytes().all(plain)).then(|| sent.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_ids_of_others_only_short_and_plain_ones_are_logged() {
        let of = |sent: &str| peer_id(&HeaderMap::from_iter([(HEADER, sent.parse().expect("a value"))]));
        assert_eq!(of("4bf92f3577b34da6").as_deref(), Some("4bf92f3577b34da6"));
        assert_eq!(of(&"a".repeat(65)), None);
        assert_eq!(of("a b\tc"), None);
        assert_eq!(of(""), None);
    }
}
