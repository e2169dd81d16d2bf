//! One operation run.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::live::humanise;
use tenantatlas_domain::operation::Counters;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::sync_runs::{SyncRun, TypeRun};

use super::artefacts::artefacts;
use super::capture::{by_type, capture_facts};
use super::course::course;
use super::functions::{CancelRun, RetryRun};
use super::initiator::initiator_words;
use super::load::{RunDetail, detail};
use super::timeline::timeline;
use super::trouble::trouble;
use crate::audit::sentence::{Names, deed};
use crate::error::AppError;
use crate::format;
use crate::frame::view::Section;
use crate::page::{done, path_part, query, refusal, tenant_page};
use crate::retention::removed::removed_words;
use crate::run::bucket::is_cancelled;
use crate::run::model::{cancelled_words, news_words, progress, reached};
use crate::scope::Inside;
use crate::ui::active_form::ActiveForm;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, note};
use crate::ui::state::run_state;
use crate::ui::time::day;

/// How often the page of an active run loads itself again without script, seconds.
const REFRESH: &str = "5";

/// State, counters, timeline per type, failures by reason with what to do, cost, audit.
#[component]
pub fn RunPage() -> impl IntoView {
    let name = path_part("run");
    let query = query();
    let done = done(&query);
    let outcome = query("outcome").and_then(|name| name.parse().ok());
    let refused = refusal::<CancelRun>(&query).or_else(|| refusal::<RetryRun>(&query));
    tenant_page(Section::Runs, move |inside| async move {
        let run = detail(&inside, &name).await?;
        let title = run.state.words.name.clone();
        // Without script the page of a run that is under way loads itself again. It stays outside of the live parts: with
        // script these are parsed as if there was none.
        let again = (!run.run.status.is_terminal())
            .then(|| view! { <noscript><meta http-equiv="refresh" content=REFRESH /></noscript> });
        let content = view! {
            {again}
            {done_note(done)}
            {refused.map(|error: AppError| note("bad", error.message))}
            <div id="run-head" data-live="">{head(&inside, &run)}</div>
            <div id="run-body" class="stack" data-live="">
                {facts(&inside, &run)}
                {course(&run)}
                {trouble(&inside, &run)}
                {timeline(&inside, &run, outcome)}
                {by_type(&inside, &run)}
                {audit(&inside, &run)}
            </div>
        }
        .drawn();
        Ok((title, content))
    })
}

fn head(inside: &Inside, detail: &RunDetail) -> AnyView {
    let run = &detail.run;
    let ended = run.status.is_terminal();
    let cancel = (!ended && inside.role.allows(Action::CancelRun)).then(|| cancel_form(inside, detail));
    let permission = inside.engine.runs().operations().permission(&run.resource, &run.action);
    let may_retry = ended && permission.is_some_and(|action| inside.role.allows(action));
    let cancelled = is_cancelled(run.status.bucket(), run.reason_code);
    let unlicensed = detail.types.iter().any(was_licensed);
    let some_left = may_retry && (run.counters.failed > 0 || cancelled || unlicensed) && run.counters.succeeded > 0;
    let words = if cancelled {
        "Go on with the rest"
    } else if run.counters.failed > 0 {
        "Retry what failed"
    } else {
        "Retry what was not read"
    };
    let retry_failed = some_left.then(|| retry_form(inside, detail, true, words));
    let lead = if cancelled {
        format!(", {}", reached(&detail.state.words, &run.counters))
    } else {
        let told = detail.state.news.map(|news| news_words(&news, &detail.state.words, &run.counters));
        format!(" {}", told.unwrap_or_else(|| progress(&detail.state)))
    };
    let retry = may_retry.then(|| retry_form(inside, detail, false, "Run again"));
    let counters = &run.counters;
    view! {
        <div class="page-head">
            <div>
                <nav class="crumbs" aria-label="Breadcrumbs"><a href=inside.address().runs()>"Runs"</a></nav>
                <h1>{detail.state.words.name.clone()}</h1>
                <p class="lead">{run_state(run, inside.session.user_id)}{lead}</p>
            </div>
            <div class="actions">{cancel} {retry_failed} {retry}</div>
        </div>
        {(!ended).then(|| view! {
            <progress max=counters.total.max(1).to_string() value=counters.processed.to_string() aria-label="Progress"></progress>
        })}
    }
    .drawn()
}

/// Whether a type was skipped for want of a license although it has been read before: the license may have come back.
fn was_licensed(one: &TypeRun) -> bool {
    let skipped = one.outcome == Some(TypeOutcome::Skipped) && one.reason_code == Some(ReasonCode::LicenseMissing);
    skipped && one.previous_seq.is_some()
}

fn cancel_form(inside: &Inside, detail: &RunDetail) -> AnyView {
    let id = detail.run.id.to_string();
    let stopping = detail.run.cancel_requested_at.is_some();
    let action = inside.address().function::<CancelRun>();
    view! {
        <ActiveForm action class="inline-form" error=None>
            {hidden("run", id)}
            <button class="button" disabled=stopping>{Icon::Close.view()}{if stopping { "Stopping…" } else { "Cancel" }}</button>
        </ActiveForm>
    }
    .drawn()
}

fn retry_form(inside: &Inside, detail: &RunDetail, only_failed: bool, words: &'static str) -> AnyView {
    let id = detail.run.id.to_string();
    let action = inside.address().function::<RetryRun>();
    let class = if only_failed { "button primary" } else { "button" };
    view! {
        <ActiveForm action class="inline-form" error=None>
            {hidden("run", id)}
            {only_failed.then(|| hidden("only_failed", "true"))}
            <button class=class>{Icon::Turning.view()}{words}</button>
        </ActiveForm>
    }
    .drawn()
}

fn facts(inside: &Inside, detail: &RunDetail) -> AnyView {
    let run = &detail.run;
    let end = run.finished_at.unwrap_or_else(|| inside.engine.now());
    let units = &detail.state.words.units;
    let took = run.started_at.map(|start| format::span(end.as_millis() - start.as_millis()));
    let waited = format::span(run.started_at.unwrap_or(end).as_millis() - run.created_at.as_millis());
    let waited =
        if run.started_at.is_none() && run.finished_at.is_none() { format!("{waited} so far") } else { waited };
    let throttled = run.pauses.length();
    let took = took.map(|took| if run.finished_at.is_some() { took } else { format!("{took} so far") });
    view! {
        <section class="card" aria-label="Facts">
            <dl class="facts">
                <dt>"Started by"</dt><dd>{started_by(inside, detail)}</dd>
                <dt>"Operation"</dt><dd>{detail.state.words.operation.clone()}</dd>
                <dt>"Waited for a worker"</dt><dd>{waited}</dd>
                {took.map(|took| view! { <dt>"Duration"</dt><dd>{took}</dd> })}
                {(throttled > 0).then(|| view! { <dt>"Throttled"</dt><dd>{format!("{}, during which Microsoft accepted no requests", format::span(i64::try_from(throttled).unwrap_or(i64::MAX)))}</dd> })}
                {compared(inside, detail)}
                {detail.state.news.map(|news| view! { <dt>"News"</dt><dd>{news_words(&news, &detail.state.words, &run.counters)}</dd> })}
                <dt>{humanise(&units.1)}</dt>
                <dd>{done_words(run)}</dd>
                {detail.sync.as_ref().map(|sync| sync_facts(inside, sync, &detail.types))}
                {detail.capture.as_ref().map(|(capture, types)| capture_facts(capture, types))}
                {(run.attempt > 1).then(|| view! { <dt>"Attempts"</dt><dd>{format!("{}: {}", run.attempt, went_on(run))}</dd> })}
                {retry_of(inside, detail)}
                {run.cancel_requested_by.clone().map(|who| view! { <dt>"Cancelled by"</dt><dd>{who}</dd> })}
                {follows(inside, detail)}
                {detail.follow_ups.iter().map(|next| view! {
                    <dt>"Followed by"</dt>
                    <dd><a href=inside.address().run(next.id)>{inside.engine.runs().operations().words_of(next).name}</a></dd>
                }).collect_view()}
                {removed(detail)}
                {artefacts(inside, detail)}
                <dt>"Correlation id"</dt><dd class="identifier">{run.correlation_id.to_string()}</dd>
            </dl>
        </section>
    }
    .drawn()
}

/// How many of its units are done.
fn done_words(run: &OperationRun) -> String {
    let counters = &run.counters;
    if is_cancelled(run.status.bucket(), run.reason_code) {
        let kept = u32::try_from(run.failures.len()).unwrap_or(u32::MAX);
        return cancelled_words(counters, kept.saturating_add(run.failures_omitted));
    }
    let Counters { total, processed, succeeded, failed, skipped } = counters;
    format!("{processed} of {total} done: {succeeded} succeeded, {failed} failed, {skipped} skipped")
}

/// Who started it: a person, a token with whose it is, or a schedule.
fn started_by(inside: &Inside, detail: &RunDetail) -> AnyView {
    let (run, words) = (&detail.run, initiator_words(&detail.run));
    if let Some(schedule) = run.schedule_id.filter(|_| detail.has_schedule) {
        return view! { <a href=inside.address().schedule(schedule)>{words}</a> }.drawn();
    }
    let owner = detail.token.as_ref().and_then(|token| token.owner_name.as_deref());
    owner.map_or(words.clone(), |owner| format!("{words} of {}", visible_on_page(owner))).drawn()
}

/// The run after whose good end it was started, by its name while that is kept.
fn follows(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    detail.run.follows?;
    let cause = match &detail.cause {
        Some(cause) => {
            let name = inside.engine.runs().operations().words_of(cause).name;
            view! { <a href=inside.address().run(cause.id)>{name}</a> }.drawn()
        }
        None => "a run that is not kept any more".drawn(),
    };
    Some(view! { <dt>"Follows"</dt><dd>{cause}</dd> }.drawn())
}

/// What a pruning removed of each kind, as the entry of its end counts it.
fn removed(detail: &RunDetail) -> Option<AnyView> {
    let counts = detail.audit.iter().rev().find_map(|entry| entry.context.get("removed"))?;
    Some(view! { <dt>"Removed"</dt><dd>{removed_words(counts)}</dd> }.drawn())
}

/// What differs from the run before that did the same.
fn compared(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    let compared = detail.compared.as_ref()?;
    let words = match compared.words.is_empty() {
        true => "no difference worth a word".to_owned(),
        false => compared.words.join(", "),
    };
    let href = inside.address().run(compared.with);
    Some(view! { <dt>"Compared with "<a href=href>"the run before"</a></dt><dd>{words}</dd> }.drawn())
}

/// Why there was another attempt at a run.
const fn went_on(run: &OperationRun) -> &'static str {
    if run.lost_leases > 0 { "a worker was lost and another went on" } else { "it went on after a restart" }
}

/// The run that it tries again, and what it took over from it.
fn retry_of(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    let href = inside.address().run(detail.run.retry_of?);
    let carried = detail.types.iter().filter(|one| one.carried_from.is_some()).count() as u64;
    let words = (carried > 0).then(|| format!(": {} as read before", format::counted(carried, "type", "types")));
    let name = if carried > 0 { "Continues" } else { "Retry of" };
    Some(view! { <dt>{name}</dt><dd><a href=href>"an earlier run"</a>{words}</dd> }.drawn())
}

/// What only an inventory sync has to tell. Requests that several types share count once.
fn sync_facts(inside: &Inside, sync: &SyncRun, types: &[TypeRun]) -> AnyView {
    let own = || types.iter().filter(|one| one.carried_from.is_none());
    let sum = |read: fn(&TypeRun) -> u64| format::number(own().map(read).sum::<u64>());
    let cost = |read: fn(&TypeRun) -> u64| {
        let counts = own().map(|one| (one.policy_type.as_str(), read(one)));
        format::number(registry().sum_over_listings(counts))
    };
    view! {
        <dt>"Items"</dt>
        <dd>{format!("{} seen, {} new, {} changed", sum(|one| one.items), sum(|one| one.inserted), sum(|one| one.changed))}</dd>
        <dt>"Requests"</dt>
        <dd>{format!("{}, of these {} repeated and {} throttled", cost(|one| one.requests), cost(|one| one.retries), cost(|one| one.throttled))}</dd>
        <dt>"Selection"</dt>
        <dd>
            <a href=inside.address().inventory_of_scope(sync.scope_id.0)>"Inventory of this selection"</a>
            " "
            <span class="identifier">{sync.selection_hash.as_str().chars().take(12).collect::<String>()}</span>
        </dd>
    }
    .drawn()
}

fn audit(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    if detail.audit.is_empty() {
        return None;
    }
    let names = Names::from([(detail.run.id.to_string(), detail.state.words.name.clone())]);
    let rows = detail
        .audit
        .iter()
        .map(|entry| {
            let told = match deed(entry, &names, inside.engine.runs().operations()) {
                Some(deed) => format!("{} {deed}", entry.actor_name).drawn(),
                None => view! { {entry.actor_name.clone()}" "<span class="identifier">{entry.action.clone()}</span> }
                    .drawn(),
            };
            view! {
                <li>
                    <span class="grow">{told}</span>
                    <span class="quiet">{day(entry.at.as_millis())}</span>
                </li>
            }
        })
        .collect_view();
    Some(
        view! {
            <section class="card" aria-labelledby="audit-title">
                <div class="section-head">
                    <h2 id="audit-title">"Audit"</h2>
                    <p><a href=inside.address().audit()>"Whole log"</a></p>
                </div>
                <ul class="rows">{rows}</ul>
            </section>
        }
        .drawn(),
    )
}
