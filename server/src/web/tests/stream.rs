//! What goes over the wire of the live stream, and when it ends.

use super::site::{Site, Who};
use axum::{
    body::BodyDataStream,
    http::{Method, StatusCode, header},
};
use futures::StreamExt as _;
use std::time::Duration;
use tenantatlas_domain::{
    live::{EventName, LiveEvent, RunState},
    operation::OperationStatus,
    role::Role,
    selection::Selection,
};
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

/// Reads a frame as the browser does: the name of the event, and the data that the browser's own code reads.
fn read(frame: &str) -> LiveEvent {
    let lines = || frame.lines();
    let field = |name: &str| lines().find_map(|line| line.strip_prefix(name)).expect("the field is there");
    assert!(frame.ends_with("\n\n") && lines().filter(|line| line.starts_with("data: ")).count() == 1, "{frame}");
    let named = field("event: ");
    let name = EventName::ALL.into_iter().find(|name| name.as_str() == named).expect("a known event");
    name.read(field("data: ")).unwrap_or_else(|error| panic!("{error}: {frame}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_the_real_stream_is_read_by_the_browsers_code() {
    let site = Site::start().await;
    let operator = Who::Member(Role::Operator);
    let mut wire = Wire::open(&site, operator).await;
    let first = wire.next().await.expect("a snapshot");
    assert!(first.starts_with("retry: 2000\nevent: snapshot\n"), "{first}");
    let LiveEvent::Snapshot(snapshot) = read(&first) else { panic!("a stream begins with a snapshot: {first}") };
    assert_eq!((snapshot.runs.len(), snapshot.unread), (0, 0));
    let user = site.people[&operator];
    let actor = Actor::person(user, "Person 2", "person2@example.com");
    let selection = Selection {
        policy_types: vec!["settingsCatalogPolicy".to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    };
    let outcome = site.engine.dispatch_sync(&actor, site.own, &selection).await.expect("dispatched");
    // Only the newest states are promised: on the way to the end the run may show any of its states or none.
    let (mut last, mut unread, mut heartbeats): (Option<RunState>, u64, u32) = (None, 0, 0);
    while last.as_ref().is_none_or(|state| !state.ended()) || unread < 2 || heartbeats == 0 {
        match read(&wire.next().await.expect("a frame")) {
            LiveEvent::Run(state) => {
                assert_eq!((state.id, state.tenant_id, state.user_id), (outcome.run_id, site.own, Some(user)));
                assert!(last.as_ref().is_none_or(|before| !state.is_older_than(before)), "a run never goes back");
                last = Some(*state);
            }
            LiveEvent::Unread(newest) => unread = newest.count,
            LiveEvent::Heartbeat => heartbeats += 1,
            LiveEvent::Snapshot(_) => panic!("a snapshot comes once"),
        }
    }
    let state = last.expect("the run was told");
    assert_eq!((state.status, state.counters.total, state.counters.succeeded), (OperationStatus::Completed, 1, 1));
    assert_eq!((state.words.title.as_str(), state.words.units.1.as_str()), ("Inventory sync", "types"));
    assert!(state.items > 0 && state.started_at.is_some() && state.finished_at.is_some(), "{state:?}");
    // Whoever comes now gets the same states from the beginning.
    let LiveEvent::Snapshot(snapshot) = read(&Wire::open(&site, operator).await.next().await.expect("a snapshot"))
    else {
        panic!("a stream begins with a snapshot")
    };
    assert_eq!((snapshot.runs.len(), snapshot.unread), (0, 2), "an ended run is active no more");
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
    let mut tx = site.db.write().await.expect("a transaction");
    sessions::revoke_all(&mut tx, site.people[&manager], None).await.expect("ended");
    tx.commit().await.expect("committed");
    for wire in &mut wires {
        let ended = tokio::time::timeout(PATIENCE, async { while wire.next().await.is_some() {} }).await;
        assert!(ended.is_ok(), "the stream is still open");
    }
}
