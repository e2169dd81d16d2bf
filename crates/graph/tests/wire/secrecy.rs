use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tenantatlas_graph::{BatchGet, GraphVersion};
use tracing_subscriber::fmt::MakeWriter;

use crate::cloud::{Cloud, SECRET, error, ok, text};
use crate::reading::{drain, things};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Buffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A careless cloud that repeats whatever it was sent.
#[tokio::test]
async fn neither_logs_nor_errors_repeat_a_secret() {
    let log = Buffer::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_max_level(tracing::Level::TRACE).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let token = "opaque-token-PLANTED-0123456789";
    let cloud = Cloud::start(move |seen| {
        if seen.is_token_request() {
            return Some(ok(json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token})));
        }
        match seen.target.split('?').next().unwrap() {
            "/graph/v1.0/good" => Some(ok(json!({"omaSettings": [{"value": "PLANTED-body"}]}))),
            "/graph/v1.0/html" => Some(text(200, "PLANTED-body")),
            _ => Some(error(403, "Forbidden", &format!("{} sent {}", seen.target, seen.headers["authorization"]))),
        }
    })
    .await;
    let session = cloud.session();
    let mut shown = format!("{session:?}");
    session.get(GraphVersion::V1, "good?$filter=PLANTED-query").await.unwrap();
    for path in ["html", "refused"] {
        let failed = session.get(GraphVersion::V1, path).await.unwrap_err();
        shown.push_str(&format!("{failed} {failed:?}"));
    }
    let (_, failed) = drain(session.pages(things())).await;
    shown.push_str(&format!("{failed:?}"));
    let gets = vec![BatchGet { id: "1".into(), url: "x".into() }];
    shown.push_str(&format!("{:?}", session.batch(GraphVersion::V1, gets).await));

    let refusing = Cloud::start(|seen| {
        Some(text(400, json!({"error": "invalid_request", "error_description": seen.body}).to_string()))
    })
    .await;
    shown.push_str(&format!("{:?}", refusing.session().probe().await.unwrap_err()));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("signed in"), "the log was not captured");
    for secret in [SECRET, token, "PLANTED-body", "PLANTED"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} in the log");
    }
}
