//! The connection to an event stream, and what it knows: the newest state of each run and the unread count. One per page:
//! that of its tenant, or that of the person outside of any. Only effects and event handlers reach it, so that it is never
//! made on the server.
//!
//! The stream carries state, not history: every connection begins with a snapshot, so a lost event or a sleeping
//! machine cannot leave the screen wrong. A hidden page gives its stream back; a page that becomes visible, comes back
//! from the browser's cache or finds the network again drops what it has and connects anew, because a suspended
//! connection may be dead without saying so.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::closure::Closure;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::{EventName, LiveEvent, RunState, Snapshot};
use web_sys::{EventSource, MessageEvent, PageTransitionEvent, VisibilityState};

use super::{clock, parts};
use crate::address;

/// The first wait before connecting again, milliseconds; doubled up to [`LONGEST_WAIT`], with jitter, for ever.
const FIRST_WAIT: u32 = 500;
/// The longest wait, milliseconds.
const LONGEST_WAIT: u32 = 15_000;
/// A connection that does not open within this many milliseconds counts as lost.
const OPENING_TIME: u32 = 10_000;
/// The server sends at least a heartbeat event every 15 s; silence for this long means the connection is dead.
const SILENCE: i32 = 40_000;

/// A page that is not older than this when its stream begins shows every run that ended before, milliseconds. One that
/// came slowly may have missed a run that began and ended meanwhile.
const FRESH: i64 = 5_000;

type MessageHandler = Closure<dyn FnMut(MessageEvent)>;
type EventHandler = Closure<dyn FnMut(web_sys::Event)>;

/// What is known from the stream.
#[derive(Clone)]
pub struct Live {
    /// The newest state of the runs that were active since the page opened.
    pub runs: ArcRwSignal<Vec<RunState>>,
    /// The unread count, once the stream has told it.
    pub unread: ArcRwSignal<Option<u64>>,
    /// Whether the connection is lost and being made again.
    pub lost: ArcRwSignal<bool>,
    /// Counts the snapshots; a change means that everything may have changed.
    pub snapshots: ArcRwSignal<u32>,
}

struct Connection {
    source: EventSource,
    _messages: [MessageHandler; 4],
    _events: [EventHandler; 2],
}

#[derive(Default)]
struct StreamState {
    /// The tenant of the page.
    tenant: Cell<Option<TenantId>>,
    /// Where the stream lies.
    events: RefCell<String>,
    connection: RefCell<Option<Connection>>,
    failures: Cell<u32>,
    retry: Cell<Option<TimeoutHandle>>,
    watchdog: Cell<Option<TimeoutHandle>>,
}

thread_local! {
    static LIVE: Live = Live {
        runs: ArcRwSignal::new(Vec::new()),
        unread: ArcRwSignal::new(None),
        lost: ArcRwSignal::new(false),
        snapshots: ArcRwSignal::new(0),
    };
    static STREAM: StreamState = StreamState::default();
}

/// What is known from the stream of this page. Call it in effects and handlers only.
#[must_use]
pub fn live() -> Live {
    LIVE.with(Clone::clone)
}

/// Opens the stream of a tenant, or that of the person outside of any, and keeps it open for as long as the page is visible.
pub fn connect(tenant: Option<TenantId>) {
    STREAM.with(|stream| {
        stream.tenant.set(tenant);
        stream.events.replace(address::events(tenant));
    });
    window_event_listener_untyped("pageshow", |event| {
        if event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted) {
            parts::came_back();
            open_if_seen();
        }
    });
    window_event_listener_untyped("online", |_| open_if_seen());
    window_event_listener_untyped("offline", |_| lose());
    window_event_listener_untyped("pagehide", |_| close());
    let on_visibility: EventHandler = Closure::new(|_| open_if_seen());
    let _ = document().add_event_listener_with_callback("visibilitychange", on_visibility.as_ref().unchecked_ref());
    on_visibility.forget();
    open_if_seen();
}

/// Puts the newest state of a run in place, also before the stream tells of it. What shows runs is fetched anew when it
/// tells of something new; what goes on elsewhere changes nothing of the page of a tenant.
pub fn announce(run: RunState) {
    let runs = live().runs;
    let is_news = runs.with_untracked(|runs| match runs.iter().find(|known| known.id == run.id) {
        Some(known) => *known != run && !run.is_older_than(known),
        None => true,
    });
    if is_news {
        let here = STREAM.with(|stream| stream.tenant.get()).is_none_or(|tenant| tenant == run.tenant_id);
        runs.update(|runs| accept(runs, run));
        if here {
            parts::refresh();
        }
    }
}

fn visible() -> bool {
    document().visibility_state() != VisibilityState::Hidden
}

fn close() {
    STREAM.with(|stream| {
        if let Some(connection) = stream.connection.borrow_mut().take() {
            connection.source.close();
        }
        for timer in [stream.retry.take(), stream.watchdog.take()].into_iter().flatten() {
            timer.clear();
        }
    });
}

/// Drops the stream, if there is one, and opens a new one when the page is visible.
fn open_if_seen() {
    if visible() { open() } else { close() }
}

/// Drops the stream, if there is one, and opens a new one.
fn open() {
    close();
    let Ok(source) = STREAM.with(|stream| EventSource::new(&stream.events.borrow())) else {
        lose();
        return;
    };
    let messages = EventName::ALL.map(|name| -> MessageHandler {
        let closure: MessageHandler = Closure::new(move |event: MessageEvent| {
            heard();
            if let Some(Ok(event)) = event.data().as_string().map(|text| name.read(&text)) {
                take(event);
            }
        });
        let _ = source.add_event_listener_with_callback(name.as_str(), closure.as_ref().unchecked_ref());
        closure
    });
    let opened: EventHandler = Closure::new(|_| watch(SILENCE.unsigned_abs()));
    let failed: EventHandler = Closure::new(|_| lose());
    source.set_onopen(Some(opened.as_ref().unchecked_ref()));
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    STREAM.with(|stream| {
        stream.connection.replace(Some(Connection { source, _messages: messages, _events: [opened, failed] }))
    });
    watch(OPENING_TIME);
}

/// Asks whether this person may still see the page: the browser does not tell why a stream was refused. A page whose
/// session has ended is loaded again, which leads to the sign-in page and back here; so is one whose tenant the person
/// lost, which then says that it does not exist.
fn ask_why() {
    leptos::task::spawn_local(async {
        if parts::is_page_gone().await {
            let _ = window().location().reload();
        }
    });
}

/// Says that the connection is lost and plans the next attempt.
fn lose() {
    // The handlers of the connection must outlive this call: one of them may be running it.
    let previous = STREAM.with(|stream| stream.connection.borrow_mut().take());
    if let Some(connection) = &previous {
        connection.source.close();
    }
    leptos::task::spawn_local(async move { drop(previous) });
    live().lost.set(true);
    if !visible() {
        return;
    }
    STREAM.with(|stream| {
        if let Some(timer) = stream.watchdog.take() {
            timer.clear();
        }
        let failures = stream.failures.get();
        stream.failures.set(failures.saturating_add(1));
        // The first time is a matter of the network or a restart; every time after it may be a refusal.
        if failures > 0 {
            ask_why();
        }
        let wait = (FIRST_WAIT << failures.min(6)).min(LONGEST_WAIT);
        // Full jitter over the upper half, so that many browsers do not come back at the same moment.
        let jittered = f64::from(wait) * (0.5 + js_sys::Math::random() / 2.0);
        if let Some(timer) = stream.retry.take() {
            timer.clear();
        }
        stream.retry.set(set_timeout_with_handle(open, Duration::from_secs_f64(jittered / 1000.0)).ok());
    });
}

/// Something came in: the connection is alive.
fn heard() {
    STREAM.with(|stream| stream.failures.set(0));
    let live = live();
    if live.lost.get_untracked() {
        live.lost.set(false);
    }
    watch(SILENCE.unsigned_abs());
}

fn watch(millis: u32) {
    STREAM.with(|stream| {
        if let Some(timer) = stream.watchdog.take() {
            timer.clear();
        }
        stream.watchdog.set(set_timeout_with_handle(lose, Duration::from_millis(u64::from(millis))).ok());
    });
}

fn take(event: LiveEvent) {
    match event {
        LiveEvent::Snapshot(snapshot) => begin_with(snapshot),
        LiveEvent::Run(run) => announce(*run),
        LiveEvent::Unread(unread) => {
            let known = live().unread;
            if known.get_untracked() == Some(unread.count) {
                return;
            }
            known.set(Some(unread.count));
            if document().get_element_by_id("notification-list").is_some() {
                parts::refresh();
            }
        }
        LiveEvent::Heartbeat => {}
    }
}

fn begin_with(snapshot: Snapshot) {
    let live = live();
    clock::set(snapshot.now.as_millis());
    // Every connection after the first one may have missed something.
    if live.snapshots.get_untracked() > 0 || !is_as_new_as_page(&snapshot) {
        parts::refresh();
    }
    live.runs.update(|runs| {
        // What the snapshot no longer holds has ended unseen; whoever watched it asks how.
        runs.retain(RunState::ended);
        for run in snapshot.runs {
            accept(runs, run);
        }
    });
    live.unread.set(Some(snapshot.unread));
    live.snapshots.update(|count| *count += 1);
    // As `data-hydrated` says that the islands woke, this says that the page is live.
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-connected", "");
    }
}

/// Whether nothing moved since the page was made: its runs are as they were, and none can have begun and ended meanwhile.
fn is_as_new_as_page(snapshot: &Snapshot) -> bool {
    let Some(frame) = document().query_selector("[data-runs]").ok().flatten() else { return false };
    let made = frame.get_attribute("data-made").and_then(|made| made.parse::<i64>().ok());
    let age = snapshot.now.as_millis() - made.unwrap_or_default();
    age <= FRESH && frame.get_attribute("data-runs") == Some(snapshot.fingerprint())
}

fn accept(runs: &mut Vec<RunState>, run: RunState) {
    match runs.iter_mut().find(|known| known.id == run.id) {
        Some(known) if run.is_older_than(known) => {}
        Some(known) => *known = run,
        None => runs.push(run),
    }
}
