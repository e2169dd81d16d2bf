//! Requests that name an `Idempotency-Key`: done once, and answered the same when they are sent again within a day.

#[cfg(test)]
use axum::http::HeaderName;
use axum::http::{HeaderMap, StatusCode};
use tenantatlas_engine::{Engine, hash_token};
use tenantatlas_store::api_answers::{AskedOnce, Known};

use super::call::Call;
use super::endpoint::Endpoint;
use super::problem::Problem;
use super::reply::Reply;

/// The header.
const HEADER: &str = "idempotency-key";
/// The longest key, in characters.
const LONGEST: usize = 200;

/// The key of a request, as it is compared; `None` where it names none.
///
/// # Errors
/// When it is no key.
pub fn key(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Problem> {
    let mut keys = headers.get_all(HEADER).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let text = key
        .to_str()
        .ok()
        .filter(|key| (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
    match (text, keys.next()) {
        (Some(text), None) => Ok(Some(hash_token(text))),
        _ => Err(Problem::parameter(
            "Idempotency-Key",
            format!(
                "Idempotency-Key: expected one key of 1 to {LONGEST} plain characters without blanks, such as a new UUID for each request."
            ),
        )),
    }
}

/// Does a request once.
pub async fn once(endpoint: &Endpoint, call: Call, key: [u8; 32]) -> Result<Reply, Problem> {
    let engine = call.engine().clone();
    let body = String::from_utf8_lossy(&call.body);
    let asked = AskedOnce { token: call.token.0.id, key, request: hash_token(&format!("{}\n{body}", call.address)) };
    match engine.begin_once(&asked).await? {
        Known::New => {}
        Known::UnderWay => {
            let words = "The request with this Idempotency-Key is still being worked on. Send it again in a moment.";
            return Err(Problem { retry_after: Some(1), ..Problem::new("conflict", words) });
        }
        Known::Another => {
            let words =
                "This Idempotency-Key was used for another request within a day. Send a new key with a new request.";
            return Err(Problem::field("Idempotency-Key", words));
        }
        Known::Answered(status, body) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            return Ok(Reply::Json { status, body, next: None, again: None });
        }
    }
    let done = (endpoint.work)(call).await;
    let kept = match &done {
        Ok(Reply::Json { status, body, again, .. }) => Some((status.as_u16(), again.as_ref().unwrap_or(body).clone())),
        Ok(Reply::Events(_)) | Err(_) => None,
    };
    keep(&engine, &asked, kept).await;
    done
}

/// Keeps what was done. What was refused was not done: it may be sent again with the same key.
async fn keep(engine: &Engine, asked: &AskedOnce, done: Option<(u16, String)>) {
    let kept = match done {
        Some((status, body)) => engine.finish_once(asked, status, &body).await,
        None => engine.forget_once(asked).await,
    };
    if let Err(error) = kept {
        tracing::error!(%error, "the answer to a request with an Idempotency-Key could not be kept");
    }
}

#[cfg(test)]
#[test]
fn a_key_is_one_plain_text() {
    let with = |keys: &[&'static str]| -> HeaderMap {
        keys.iter().map(|key| (HeaderName::from_static(HEADER), key.parse().expect("a value"))).collect()
    };
    assert_eq!(key(&with(&[])).expect("no key"), None);
    assert!(key(&with(&["a"])).expect("a key").is_some());
    let long: &'static str = Box::leak("x".repeat(LONGEST + 1).into_boxed_str());
    for wrong in [&["a", "b"][..], &[""], &["a b"], &["a\tb"], &[long]] {
        assert!(key(&with(wrong)).is_err());
    }
}
