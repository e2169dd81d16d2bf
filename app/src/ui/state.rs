//! States as chips: a drawing, a word and a colour together.

use leptos::prelude::*;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::CancelledBy;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::presence::{Confidence, Presence};
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_store::operation_runs::OperationRun;

use super::icon::Icon;
use crate::run::bucket::{canceller, is_cancelled, look, word};
use crate::ui::drawn::Drawn as _;

/// A chip.
pub fn state(tone: &'static str, icon: Icon, word: impl Into<String>) -> AnyView {
    let word: String = word.into();
    view! { <span class="state" data-tone=tone>{icon.view()}{word}</span> }.drawn()
}

/// The state of an operation run, for this person. Of one that was cancelled it says by whom.
pub fn run_state(run: &OperationRun, viewer: UserId) -> AnyView {
    let bucket = run.status.bucket();
    let (tone, icon) = look(bucket, run.reason_code);
    let word = if is_cancelled(bucket, run.reason_code) {
        let by = run.cancel_requested_by.clone().map(|name| CancelledBy { name, user_id: run.cancel_requested_by_id });
        let mut word = word(bucket, run.reason_code, canceller(by.as_ref(), viewer).as_deref());
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        word
    } else if run.status == OperationStatus::Aborted {
        "Stopped".to_owned()
    } else {
        bucket.label().to_owned()
    };
    state(tone, icon, word)
}

/// The state of a sync run.
pub fn sync_state(status: SyncRunStatus) -> AnyView {
    match status {
        SyncRunStatus::Running => state("info", Icon::Turning, "Running"),
        SyncRunStatus::Success => state("ok", Icon::Done, "Complete"),
        SyncRunStatus::Partial => state("warn", Icon::Partly, "Partial"),
        SyncRunStatus::Failed => state("bad", Icon::Failed, "Failed"),
        SyncRunStatus::Skipped => state("idle", Icon::Skipped, "Skipped"),
    }
}

/// How the reading of one type ended; nothing yet means it has not been its turn.
pub fn outcome_state(outcome: Option<TypeOutcome>) -> AnyView {
    match outcome {
        Some(TypeOutcome::Succeeded) => state("ok", Icon::Done, "Read"),
        Some(TypeOutcome::Failed) => state("bad", Icon::Failed, "Failed"),
        Some(TypeOutcome::Skipped) => state("idle", Icon::Skipped, "Skipped"),
        None => state("idle", Icon::Waiting, "Waiting"),
    }
}

/// Whether an item is there.
pub fn presence_state(presence: &Presence, changed: bool) -> AnyView {
    match presence {
        Presence::Present if changed => state("accent", Icon::Partly, "Changed"),
        Presence::Present => state("ok", Icon::Done, "Present"),
        Presence::Missing { confidence: Confidence::High } => state("bad", Icon::Missing, "Missing"),
        Presence::Missing { confidence: Confidence::Low } => state("warn", Icon::Missing, "Missing, unsure"),
        Presence::NotRead { .. } => state("idle", Icon::Unread, "Not read"),
    }
}
