//! What goes over the wire of the live stream, and when it ends.

use super::site::{Site, Who};
use axum::{
    body::BodyDataStream,
    http::{Method, StatusCode, header},
};
use futures::StreamExt as _;
use std::time::Duration;
use tenantatlas_domain::{role::Role, selection::Selection};
use tenantatlas_engine::Actor;
use tenantatlas_store::sessions;
use tower::ServiceExt as _;

/// How long a test waits for what must come, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

struct Wire {
    body: BodyDataStream,
}

impl Wire {
    async fn open(site: &Site, who: Who) -> Self {
        let path = format!("/t/{}/events", site.own);
        let request = site.request(who, Method::GET, &path, "text/event-stream", None);
        let response = site.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store, no-transform");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert!(!headers.contains_key(header::CONTENT_ENCODING), "a stream is never compressed");
        Self { body: response.into_body().into_data_stream() }
    }

    /// The next frame; none when the stream has ended.
    async fn next(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("something comes");
        frame.map(|frame| String::from_utf8(frame.expect("a frame").to_vec()).expect("text"))
    }
}

/// Puts words in the place of what differs from run to run.
fn masked(frame: &str, site: &Site, run: &str) -> String {
    let mut text = frame
        .replace(run, "RUN")
        .replace(&site.own.to_string(), "TENANT")
        .replace(&site.people[&Who::Member(Role::Operator)].to_string(), "OPERATOR");
    for name in ["created_at", "started_at", "finished_at", "now", "items"] {
        let mark = format!("\"{name}\":");
        let mut from = 0;
        while let Some(at) = text[from..].find(&mark) {
            let start = from + at + mark.len();
            let end = start + text[start..].find([',', '}']).expect("an end");
            if text[start..end].chars().all(|character| character.is_ascii_digit()) {
                text.replace_range(start..end, if name == "items" { "COUNT" } else { "TIME" });
            }
            from = start;
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_carries_a_snapshot_and_then_the_newest_states() {
    let site = Site::start().await;
    let operator = Who::Member(Role::Operator);
    let mut wire = Wire::open(&site, operator).await;
    assert_eq!(
        masked(&wire.next().await.expect("a snapshot"), &site, "-"),
        "retry: 2000\nevent: snapshot\ndata: {\"runs\":[],\"unread\":0,\"now\":TIME}\n\n"
    );
    let actor = Actor::person(site.people[&operator], "Person 2", "person2@example.com");
    let selection = Selection {
        policy_types: vec!["settingsCatalogPolicy".to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    let outcome = site.engine.dispatch_sync(&actor, site.own, &selection).await.expect("dispatched");
    let run = outcome.run_id.to_string();
    // Only the newest states are promised: on the way to the end the run may show any of its states or none.
    let ended = "event: run\ndata: {\"type\":\"run\",\"id\":\"RUN\",\"tenant_id\":\"TENANT\",\"user_id\":\"OPERATOR\",\
                 \"resource\":\"inventory\",\"action\":\"sync\",\"status\":\"completed\",\"bucket\":\"succeeded\",\
                 \"counters\":{\"total\":1,\"processed\":1,\"succeeded\":1,\"failed\":0,\"skipped\":0},\"items\":COUNT,\
                 \"current\":[],\"cancel_requested\":false,\"attempt\":1,\"reason_code\":null,\"created_at\":TIME,\
                 \"started_at\":TIME,\"finished_at\":TIME}\n\n";
    let told_of_the_end = "event: unread\ndata: {\"type\":\"unread\",\"user_id\":\"OPERATOR\",\"count\":2}\n\n";
    let (mut runs, mut unread) = (Vec::new(), Vec::new());
    while runs.last().is_none_or(|frame| frame != ended) || unread.last().is_none_or(|frame| frame != told_of_the_end) {
        let frame = masked(&wire.next().await.expect("a frame"), &site, &run);
        match frame.split_once('\n').map(|(event, _)| event) {
            Some("event: run") => runs.push(frame),
            Some("event: unread") => unread.push(frame),
            Some("event: heartbeat") => {}
            _ => panic!("an event that nobody knows: {frame}"),
        }
    }
    let rank = |frame: &String| {
        let states = ["pending", "running", "completed"];
        states.iter().position(|state| frame.contains(&format!("\"status\":\"{state}\""))).expect("a state on the way")
    };
    assert!(runs.is_sorted_by_key(rank), "a run never goes back: {runs:#?}");
    assert!(
        runs.iter().all(|frame| frame.starts_with(&ended[..ended.find("\"status\"").expect("a status")])),
        "{runs:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_within_seconds_when_access_or_session_end() {
    let site = Site::start().await;
    let (reader, manager) = (Who::Member(Role::Readonly), Who::Member(Role::Manager));
    let mut wires = [Wire::open(&site, reader).await, Wire::open(&site, manager).await];
    for wire in &mut wires {
        assert!(wire.next().await.is_some_and(|frame| frame.contains("event: snapshot")));
    }
    site.engine.remove_member(&Actor::command_line(), site.own, site.people[&reader]).await.expect("removed");
    let mut tx = site.engine.db().write().await.expect("a transaction");
    sessions::revoke_all(&mut tx, site.people[&manager], None).await.expect("ended");
    tx.commit().await.expect("committed");
    for wire in &mut wires {
        let ended = tokio::time::timeout(PATIENCE, async { while wire.next().await.is_some() {} }).await;
        assert!(ended.is_ok(), "the stream is still open");
    }
}
