//! One running operation in the progress widget.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::operation::OperationStatus;
use wasm_bindgen_futures::JsFuture;

use super::functions::CancelRun;
use super::model::progress;
use crate::island::erased;
use crate::ui::icon::Icon;
use crate::{address, format};

/// Before this share of the work is done, a remaining time would only be a guess.
const MEANINGFUL_SHARE: u32 = 5;
/// Before this long, a rate would only be a guess, milliseconds.
const MEANINGFUL_TIME: i64 = 4_000;
/// A run of which nothing was heard for so long, milliseconds, stands still: what was to come soon may not come.
const STILL: i64 = 6_000;

/// One card: what, in which tenant, counters as a bar and as text, what is being read, elapsed, rate, remaining, cancel.
#[component]
pub fn RunCard(
    /// The run.
    run: Memo<Option<RunState>>,
    /// The clock of the server, ticking.
    now: RwSignal<i64>,
) -> impl IntoView {
    let with = move |read: fn(&RunState) -> String| run.with(|run| run.as_ref().map(read).unwrap_or_default());
    let id = with(|run| run.id.to_string());
    let at = address::tenant(with(|run| run.tenant_id.to_string()));
    let href = at.run(&id);
    let asked = RwSignal::new(false);
    let trouble = RwSignal::new(None::<&'static str>);
    let cancel_address = StoredValue::new(at.function::<CancelRun>());
    let cancel_id = id.clone();
    let cancel = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        asked.set(true);
        trouble.set(None);
        let (address, body) = (cancel_address.get_value(), format!("run={cancel_id}"));
        leptos::task::spawn_local(async move {
            if let Err(message) = post(&address, &body).await {
                asked.set(false);
                trouble.set(Some(message));
            }
        });
    };
    // When anything of it last changed, as this page saw it.
    let moved = Memo::new(move |before: Option<&(Option<RunState>, i64)>| {
        let state = run.get();
        match before {
            Some((known, at)) if *known == state => (state, *at),
            _ => (state, now.get_untracked()),
        }
    });
    let stands = move || now.get() - moved.with(|(_, at)| *at);
    let stopping = move || asked.get() || run.with(|run| run.as_ref().is_some_and(|run| run.cancelled_by.is_some()));
    erased(view! {
        <article class="run-card">
            <div class="line">
                <a class="grow" href=href>{with(|run| run.words.name.clone())}</a>
                <form method="post" action=cancel_address.get_value() on:submit=cancel>
                    <input type="hidden" name="run" value=id.clone() />
                    <button class="button quiet small" disabled=stopping>
                        {move || if stopping() { "Stopping…" } else { "Cancel" }}
                        <span class="visually-hidden">{with(|run| format!(" {}, {}", run.words.name, run.tenant_name))}</span>
                    </button>
                </form>
            </div>
            <div class="line quiet"><span class="grow">{with(|run| run.tenant_name.clone())}</span></div>
            <progress
                max=move || with(|run| run.counters.total.max(1).to_string())
                value=move || with(|run| run.counters.processed.to_string())
                aria-label=with(|run| format!("{}, {}", run.words.name, run.tenant_name))
                aria-valuetext=move || with(progress)
            ></progress>
            <div class="line">
                <span class="grow number">{move || with(progress)}</span>
                <span class="number">{move || run.with(|run| run.as_ref().map(|run| elapsed(run, now.get())))}</span>
            </div>
            <div class="line quiet">
                <span class="grow">{move || with(doing)}</span>
                <span class="number">
                    {move || {
                        let still = stands();
                        run.with(|run| run.as_ref().and_then(|run| pace(run, now.get(), still)))
                    }}
                </span>
            </div>
            <p class="trouble" role="alert">
                {move || trouble.get().map(|message| view! { {Icon::Warning.view()} {message} })}
            </p>
        </article>
    })
}

/// Sends a form of another tenant than that of the page, whose server functions lie elsewhere.
async fn post(address: &str, body: &str) -> Result<(), &'static str> {
    let sent = async {
        let (request, headers) = (web_sys::RequestInit::new(), web_sys::Headers::new()?);
        headers.set("accept", "application/json")?;
        headers.set("content-type", "application/x-www-form-urlencoded")?;
        request.set_method("POST");
        request.set_headers(&headers);
        request.set_body(&JsValue::from_str(body));
        JsFuture::from(window().fetch_with_str_and_init(address, &request)).await
    };
    let answer: web_sys::Response = match sent.await {
        Ok(answer) => answer.unchecked_into(),
        Err(_) => return Err("Not cancelled: the server cannot be reached. Try again once the connection is back."),
    };
    match answer.status() {
        200..400 => Ok(()),
        403 | 404 => Err("Not cancelled: your role in this tenant no longer allows it."),
        // It has ended, and the end is on its way.
        409 => Ok(()),
        _ => Err("Not cancelled: the server did not accept it. Try again, or open the run."),
    }
}

/// The head of the widget: how many runs, and on a phone all that one line can say.
pub fn summary(runs: &[RunState]) -> String {
    match runs {
        [run] => format!("{} · {} / {}", run.words.name, run.counters.processed, run.counters.total),
        _ => format!("{} runs in progress", runs.len()),
    }
}

/// The icon beside the head.
pub fn turning() -> impl IntoView + use<> {
    Icon::Turning.with_class("spins")
}

fn doing(run: &RunState) -> String {
    if run.cancelled_by.is_some() {
        return "Stopping".to_owned();
    }
    match (run.status, run.held, run.current.as_slice()) {
        (OperationStatus::Pending, ..) => "Waiting for a worker".to_owned(),
        (_, false, _) => "Waiting for another worker".to_owned(),
        (.., []) => "Working".to_owned(),
        (.., [one]) => one.label.clone(),
        (.., [first, rest @ ..]) => format!("{} and {} more", first.label, rest.len()),
    }
}

fn elapsed(run: &RunState, now: i64) -> String {
    format::whole_seconds(now - run.started_at.unwrap_or(run.created_at).as_millis())
}

/// Rate and remaining time, once they mean something; of a run that stands still for how long it does, since both would
/// only be a guess.
fn pace(run: &RunState, now: i64, still: i64) -> Option<String> {
    let passed = now - run.started_at?.as_millis();
    let counters = &run.counters;
    if !run.held {
        return None;
    }
    if still >= STILL {
        return Some(format!("no news for {}", format::whole_seconds(still)));
    }
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use tenantatlas_domain::ids::{OperationRunId, TenantId};
    use tenantatlas_domain::live::RunWords;
    use tenantatlas_domain::operation::Counters;
    use tenantatlas_domain::time::Timestamp;

    pub fn run(status: OperationStatus, held: bool) -> RunState {
        let nil = "00000000-0000-0000-0000-000000000000";
        RunState {
            id: nil.parse::<OperationRunId>().expect("an id"),
            tenant_id: nil.parse::<TenantId>().expect("an id"),
            tenant_name: "Contoso".to_owned(),
            user_id: None,
            resource: "inventory".to_owned(),
            action: "sync".to_owned(),
            words: RunWords::of("Inventory sync", ("type", "types"), ("reading", "read"), ("item", "items")),
            status,
            counters: Counters { total: 10, processed: 5, succeeded: 5, failed: 0, skipped: 0 },
            items: 500,
            current: Vec::new(),
            held,
            cancelled_by: None,
            attempt: 1,
            reason_code: None,
            news: None,
            follows: false,
            created_at: Timestamp::from_millis(0),
            started_at: Some(Timestamp::from_millis(0)),
            finished_at: None,
        }
    }

    #[test]
    fn no_remaining_time_is_told_of_a_run_that_stands_still_or_has_no_worker() {
        let running = run(OperationStatus::Running, true);
        assert_eq!(pace(&running, 10_000, 0).as_deref(), Some("50 items/s · about 10 s left"));
        assert_eq!(pace(&running, 40_000, 30_000).as_deref(), Some("no news for 30 s"));
        let lost = run(OperationStatus::Running, false);
        assert_eq!((pace(&lost, 10_000, 0), doing(&lost).as_str()), (None, "Waiting for another worker"));
        assert_eq!(doing(&run(OperationStatus::Pending, false)), "Waiting for a worker");
    }
}
