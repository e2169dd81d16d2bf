//! Answers of the simulated Graph and their error bodies.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use crate::hostile::HostileBody;

/// One answer, for a request of its own or an item of a batch.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The JSON body.
    pub body: Bytes,
    /// `Content-Type`, when it is not that of Graph.
    pub content_type: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// How the body is sent.
    pub sending: Sending,
    /// How long it is withheld, in milliseconds.
    pub stall_ms: u64,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// As it should be.
    Whole,
    /// Not at all: the connection ends.
    Reset,
    /// Half of it: then the connection ends.
    Cut,
    /// In pieces, with a pause in milliseconds.
    Slowly(u64),
    /// Packed twice.
    PackedTwice,
    /// Not the body, but this one.
    Hostile(HostileBody),
}

impl Answer {
    /// 200 with a body.
    #[must_use]
    pub fn ok(body: Vec<u8>) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.into(),
            content_type: None,
            retry_after: None,
            sending: Sending::Whole,
            stall_ms: 0,
        }
    }

    /// Any body with any status and type.
    #[must_use]
    pub fn raw(status: u16, content_type: &str, body: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, content_type: Some(content_type.to_owned()), ..Self::ok(body.into_bytes()) }
    }

    /// A body that hurts.
    #[must_use]
    pub fn hostile(body: HostileBody) -> Self {
        Self { sending: Sending::Hostile(body), ..Self::ok(Vec::new()) }
    }

    /// A Graph error.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str, request_id: &str) -> Self {
        let body = json!({"error": {"code": code, "message": message, "innerError": {
            "date": "2026-11-20T22:00:00", "request-id": request_id, "client-request-id": request_id}}});
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            ..Self::ok(body.to_string().into_bytes())
        }
    }

    /// Intune's way: the message is JSON itself.
    #[must_use]
    pub fn intune_error(status: u16, code: &str, message: &str, request_id: &str) -> Self {
        let nested = json!({"_version": 3, "Message": format!("{message} - Operation ID (for customer support): {request_id} - Activity ID: {request_id}"), "CustomApiErrorPhrase": "", "RetryAfter": null, "ErrorSourceService": "", "HttpHeaders": "{}"});
        Self::error(status, code, &nested.to_string(), request_id)
    }
}
