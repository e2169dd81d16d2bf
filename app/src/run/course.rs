//! The course of a run: its states as a timeline, with the attempts at it.

use leptos::prelude::*;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::operation_runs::{AttemptEnd, OperationRun, RunAttempt};

use super::bucket::{is_cancelled, look};
use super::initiator::initiator_words;
use super::load::RunDetail;
use crate::format;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::time::exact;

/// Something that happened to a run.
struct Step {
    at: Timestamp,
    tone: &'static str,
    icon: Icon,
    words: String,
}

/// What happened to the run, in its order, each with the time until the next.
pub(super) fn course(detail: &RunDetail) -> AnyView {
    let steps = steps(&detail.run, &detail.attempts);
    let lines = steps.iter().enumerate().map(|(place, step)| {
        let lasted = steps.get(place + 1).map(|next| format::span(next.at.as_millis() - step.at.as_millis()));
        view! {
            <li>
                <span class="state" data-tone=step.tone>{step.icon.view()}</span>
                <span class="grow">{step.words.clone()}</span>
                {lasted.map(|lasted| view! { <span class="quiet number">{lasted}</span> })}
                <span>{exact(step.at.as_millis())}</span>
            </li>
        }
    });
    view! {
        <section aria-labelledby="course-title">
            <div class="section-head"><h2 id="course-title">"Course"</h2></div>
            <ol class="rows card flush">{lines.collect_view()}</ol>
        </section>
    }
    .drawn()
}

fn steps(run: &OperationRun, attempts: &[RunAttempt]) -> Vec<Step> {
    let step = |at, tone, icon, words: String| Step { at, tone, icon, words };
    let mut steps = vec![step(run.created_at, "idle", Icon::Waiting, format!("Requested by {}", initiator_words(run)))];
    for attempt in attempts {
        let words = match attempt.attempt {
            1 => "A worker began".to_owned(),
            number => format!("A worker went on: attempt {number}"),
        };
        steps.push(step(attempt.began_at, "info", Icon::Turning, words));
        match (attempt.ended_at, attempt.ended_by) {
            (Some(at), Some(AttemptEnd::GivenBack)) => {
                steps.push(step(at, "idle", Icon::Waiting, "Given back, since the server stopped".to_owned()));
            }
            (Some(at), Some(AttemptEnd::WorkerLost)) => {
                steps.push(step(at, "warn", Icon::Warning, "The worker was lost".to_owned()));
            }
            _ => {}
        }
    }
    if attempts.is_empty()
        && let Some(at) = run.started_at
    {
        steps.push(step(at, "info", Icon::Turning, "A worker began".to_owned()));
    }
    if let Some(at) = run.cancel_requested_at {
        let by = run.cancel_requested_by.clone().unwrap_or_else(|| "somebody".to_owned());
        steps.push(step(at, "idle", Icon::Close, format!("{by} asked to cancel it")));
    }
    if let Some(at) = run.finished_at {
        let (tone, icon) = look(run.status.bucket(), run.reason_code);
        let mut words = match is_cancelled(run.status.bucket(), run.reason_code) {
            true => "Cancelled".to_owned(),
            false => run.status.bucket().label().to_owned(),
        };
        if let Some(reason) = run.reason_code.filter(|_| !is_cancelled(run.status.bucket(), run.reason_code)) {
            words.push_str(": ");
            words.push_str(reason.words());
        }
        steps.push(step(at, tone, icon, words));
    }
    // What was noted by several processes may lie a moment apart.
    steps.sort_by_key(|step| step.at);
    steps
}
