//! What an address of the API answers when all goes well.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

/// An answer.
pub enum Reply {
    /// JSON, with where its next page is, where there is one.
    Json {
        /// The status.
        status: StatusCode,
        /// The document.
        body: String,
        /// The address of the next page.
        next: Option<String>,
        /// What is answered when the same is asked for again with its key, where that is not the same: a secret is told once.
        again: Option<String>,
    },
    /// Events.
    Events(Response),
}

impl Reply {
    /// A document.
    pub fn json<T: Serialize>(value: &T) -> Self {
        Self::with(StatusCode::OK, value)
    }

    /// A document about what was begun.
    pub fn begun<T: Serialize>(value: &T) -> Self {
        Self::with(StatusCode::ACCEPTED, value)
    }

    fn with<T: Serialize>(status: StatusCode, value: &T) -> Self {
        // Nothing of the wire can fail to serialise: texts, numbers and maps with texts as keys.
        Self::Json { status, body: serde_json::to_string(value).unwrap_or_default(), next: None, again: None }
    }

    /// The same, of which this is answered when it is asked for again with its key.
    pub fn told_once<T: Serialize>(mut self, value: &T) -> Self {
        if let Self::Json { again, .. } = &mut self {
            *again = serde_json::to_string(value).ok();
        }
        self
    }

    /// The same with the address of its next page.
    pub fn followed_by(mut self, address: Option<String>) -> Self {
        if let Self::Json { next, .. } = &mut self {
            *next = address;
        }
        self
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        match self {
            Self::Events(response) => response,
            Self::Json { status, body, next, again: _ } => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = status;
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let link = next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
                if let Some(link) = link {
                    headers.insert(header::LINK, link);
                }
                response
            }
        }
    }
}
