//! One running operation in the progress widget.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use super::functions::{CancelRun, cancel_run};
use super::model::{progress, title};
use crate::island::erased;
use crate::ui::icon::Icon;
use crate::{address, format};
use leptos::prelude::*;
use tenantatlas_domain::{ids::TenantId, live::RunState};

/// Before this share of the work is done, a remaining time would only be a guess.
const MEANINGFUL_SHARE: u32 = 5;
/// Before this long, a rate would only be a guess, milliseconds.
const MEANINGFUL_TIME: i64 = 4_000;

/// One card: what, counters as a bar and as text, what is being read, elapsed, rate, remaining, cancel, link.
#[component]
pub fn RunCard(
    /// The run.
    run: Memo<Option<RunState>>,
    /// The clock of the server, ticking.
    now: RwSignal<i64>,
    /// The tenant.
    tenant: TenantId,
    /// Whether this person may cancel it.
    can_cancel: bool,
) -> impl IntoView {
    let with = move |read: fn(&RunState) -> String| run.with(|run| run.as_ref().map(read).unwrap_or_default());
    let id = with(|run| run.id.to_string());
    let href = address::tenant(tenant).run(&id);
    let asked = RwSignal::new(false);
    let cancel_address = address::tenant(tenant).function::<CancelRun>();
    let cancel_id = id.clone();
    let cancel = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        asked.set(true);
        let Ok(run) = cancel_id.parse() else { return };
        leptos::task::spawn_local(async move {
            if cancel_run(run).await.is_err() {
                asked.set(false);
            }
        });
    };
    let stopping = move || asked.get() || run.with(|run| run.as_ref().is_some_and(|run| run.cancel_requested));
    erased(view! {
        <article class="run-card">
            <div class="line">
                <a class="grow" href=href>{with(title)}</a>
                {can_cancel.then(|| view! {
                    <form method="post" action=cancel_address on:submit=cancel>
                        <input type="hidden" name="run" value=id.clone() />
                        <button class="button quiet small" disabled=stopping>
                            {move || if stopping() { "Stopping…" } else { "Cancel" }}
                        </button>
                    </form>
                })}
            </div>
            <progress
                max=move || with(|run| run.counters.total.max(1).to_string())
                value=move || with(|run| run.counters.processed.to_string())
                aria-label=with(title)
                aria-valuetext=move || with(progress)
            ></progress>
            <div class="line">
                <span class="grow number">{move || with(progress)}</span>
                <span class="number">{move || run.with(|run| run.as_ref().map(|run| elapsed(run, now.get())))}</span>
            </div>
            <div class="line quiet">
                <span class="grow">{move || with(doing)}</span>
                <span class="number">{move || run.with(|run| run.as_ref().and_then(|run| pace(run, now.get())))}</span>
            </div>
        </article>
    })
}

/// The head of the widget: how many runs, and on a phone all that one line can say.
pub fn summary(runs: &[RunState]) -> String {
    match runs {
        [run] => format!("{} · {} / {}", run.words.title, run.counters.processed, run.counters.total),
        _ => format!("{} runs in progress", runs.len()),
    }
}

/// The icon beside the head.
pub fn turning() -> impl IntoView + use<> {
    Icon::Turning.with_class("spins")
}

fn doing(run: &RunState) -> String {
    match run.current.as_slice() {
        [] if run.started_at.is_none() => "Waiting for a worker".to_owned(),
        [] if run.cancel_requested => "Stopping".to_owned(),
        [] => "Working".to_owned(),
        [one] => one.label.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.label, rest.len()),
    }
}

fn elapsed(run: &RunState, now: i64) -> String {
    format::whole_seconds(now - run.started_at.unwrap_or(run.created_at).as_millis())
}

/// Rate and remaining time, once they mean something.
fn pace(run: &RunState, now: i64) -> Option<String> {
    let passed = now - run.started_at?.as_millis();
    let counters = &run.counters;
    if passed < MEANINGFUL_TIME {
        return None;
    }
    let rate = i64::try_from(run.items).ok()? * 1000 / passed;
    let mut text = String::new();
    if rate > 0 {
        text = format!("{} {}/s", format::number(rate.unsigned_abs()), run.words.things.1);
    }
    if counters.processed >= 3 && counters.processed * MEANINGFUL_SHARE >= counters.total {
        let left = i64::from(counters.total.saturating_sub(counters.processed));
        let remaining = passed / i64::from(counters.processed) * left;
        if !text.is_empty() {
            text.push_str(" · ");
        }
        text.push_str(&format!("about {} left", format::span(remaining.max(1000))));
    }
    (!text.is_empty()).then_some(text)
}
