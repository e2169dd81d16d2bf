//! What goes over the wire of the live stream, and when it ends.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{Method, StatusCode, header};
use futures::StreamExt as _;
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::live::{EventName, LiveEvent, RunState};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;
use tenantatlas_store::sessions;
use tenantatlas_store::tenants::AfterSync;
use tower::ServiceExt as _;

use super::site::{Site, Who};
use crate::web::metrics;

/// How long a test waits for what must come, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

struct Wire {
    body: BodyDataStream,
}

impl Wire {
    async fn open(site: &Site, who: Who) -> Self {
        Self::open_at(site, who, &format!("/t/{}/events", site.own)).await
    }

    async fn open_at(site: &Site, who: Who, path: &str) -> Self {
        let request = site.request(who, Method::GET, path, "text/event-stream", None);
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
    // The stream tells of one run: nothing follows it.
    let nothing = AfterSync { drift: false, capture: false, audit_events: false };
    site.engine.set_after_sync(&Actor::command_line(), site.own, nothing).await.expect("saved");
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
    while last.as_ref().is_none_or(|state| !state.ended()) || unread < 1 || heartbeats == 0 {
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
    assert_eq!((state.words.operation.as_str(), state.words.units.1.as_str()), ("Inventory sync", "types"));
    assert_eq!((state.words.name.clone(), state.tenant_name.as_str()), (selection.name(), "Contoso"));
    assert!(state.items > 0 && state.started_at.is_some() && state.finished_at.is_some(), "{state:?}");
    // How long the events took is a figure.
    let figures = metrics::recorder().expect("figures").render();
    let count = figures.lines().find_map(|line| line.strip_prefix("event_delay_seconds_count ")).expect("a figure");
    assert!(count.trim().parse::<f64>().is_ok_and(|count| count > 0.0), "{count}");
    // Whoever comes now gets the same states from the beginning.
    let LiveEvent::Snapshot(snapshot) = read(&Wire::open(&site, operator).await.next().await.expect("a snapshot"))
    else {
        panic!("a stream begins with a snapshot")
    };
    assert_eq!((snapshot.runs.len(), snapshot.unread), (0, 1), "an ended run is active no more");
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

/// Reads until a run has ended, and answers every run of which something was told.
async fn told_until_ended(wire: &mut Wire, run: OperationRunId) -> Vec<RunState> {
    let mut told = Vec::new();
    loop {
        if let LiveEvent::Run(state) = read(&wire.next().await.expect("a frame")) {
            let ended = state.id == run && state.ended();
            told.push(*state);
            if ended {
                return told;
            }
        }
    }
}

fn one_type() -> Selection {
    Selection {
        policy_types: vec!["settingsCatalogPolicy".to_owned()],
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_a_person_tells_the_runs_of_their_tenants_and_of_no_other() {
    let site = Site::start().await;
    let mut wires = [
        Wire::open_at(&site, Who::Member(Role::Readonly), "/events").await,
        Wire::open_at(&site, Who::Administrator, "/events").await,
    ];
    for wire in &mut wires {
        let first = wire.next().await.expect("a snapshot");
        assert!(matches!(read(&first), LiveEvent::Snapshot(_)), "{first}");
    }
    let actor = Actor::command_line();
    let foreign = site.engine.dispatch_sync(&actor, site.other, &one_type()).await.expect("dispatched").run_id;
    let [member, administrator] = &mut wires;
    let told = told_until_ended(administrator, foreign).await;
    assert!(told.iter().all(|state| state.tenant_id == site.other));
    // The foreign run has ended: whatever was to be told of it would have come before this one.
    let own = site.engine.dispatch_sync(&actor, site.own, &one_type()).await.expect("dispatched").run_id;
    let told = told_until_ended(member, own).await;
    assert!(told.iter().all(|state| state.tenant_id == site.own), "a run of a foreign tenant was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_tenant_tells_a_person_of_their_runs_in_other_tenants_until_those_are_lost() {
    let site = Site::start().await;
    let who = Who::Member(Role::Operator);
    let user = site.people[&who];
    let root = Actor::command_line();
    site.engine.set_member(&root, site.other, user, Role::Operator).await.expect("a member");
    let actor = Actor::person(user, "Person 2", "person2@example.com");
    let mut wire = Wire::open(&site, who).await;
    wire.next().await.expect("a snapshot");
    let elsewhere = site.engine.dispatch_sync(&actor, site.other, &one_type()).await.expect("dispatched").run_id;
    told_until_ended(&mut wire, elsewhere).await;
    // Somebody else's run in another tenant concerns this page not at all.
    let strange = site.engine.dispatch_sync(&root, site.other, &one_type()).await.expect("dispatched").run_id;
    site.settle().await;
    let own = site.engine.dispatch_sync(&actor, site.own, &one_type()).await.expect("dispatched").run_id;
    let told = told_until_ended(&mut wire, own).await;
    assert!(told.iter().all(|state| state.id != strange));

    site.engine.remove_member(&root, site.other, user).await.expect("removed");
    let mut fresh = Wire::open(&site, who).await;
    fresh.next().await.expect("a snapshot");
    let mut state = told.into_iter().next_back().expect("a state");
    state.tenant_id = site.other;
    state.id = elsewhere;
    site.engine.runs().events().publish_run(&state);
    let again = site.engine.dispatch_sync(&actor, site.own, &one_type()).await.expect("dispatched").run_id;
    let told = told_until_ended(&mut fresh, again).await;
    assert!(told.iter().all(|state| state.tenant_id == site.own), "a lost tenant was told of");
}
