//! The timeline of a sync: each type from its first request to its last answer, what failed first.

use std::collections::HashMap;

use leptos::prelude::*;
use tenantatlas_domain::pauses::Pauses;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::sync_runs::TypeRun;

use super::bucket::is_cancelled;
use super::load::RunDetail;
use crate::format;
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::state::{outcome_state, state};

/// Width of the drawing of a bar, in its own units.
const WIDTH: i64 = 1000;
/// Marks on the axis, the begin aside.
const MARKS: i64 = 4;

/// The span of time that the drawing shows, milliseconds.
struct Span {
    begin: i64,
    end: i64,
    now: i64,
    /// Whether the run was cancelled: what it did not come to the end of is then no failure.
    cancelled: bool,
}

impl Span {
    fn end_of(&self, one: &TypeRun) -> i64 {
        one.finished_at.map_or(self.now, Timestamp::as_millis)
    }

    fn scale(&self, at: i64) -> i64 {
        (at - self.begin) * WIDTH / (self.end - self.begin)
    }

    /// How a type ended, for the drawing and for the order of the rows.
    fn look(&self, one: &TypeRun) -> Look {
        match one.outcome {
            Some(TypeOutcome::Failed) if self.cancelled && one.reason_code == Some(ReasonCode::Cancelled) => Look::Left,
            Some(TypeOutcome::Failed) => Look::Failed,
            Some(TypeOutcome::Skipped) => Look::Skipped,
            Some(TypeOutcome::Succeeded) => Look::Read,
            None => Look::Reading,
        }
    }
}

/// How a row looks, in the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Failed,
    Reading,
    Left,
    Read,
    Skipped,
}

impl Look {
    const fn tone(self) -> (&'static str, Icon) {
        match self {
            Self::Failed => ("bad", Icon::Failed),
            Self::Reading => ("info", Icon::Turning),
            Self::Left | Self::Skipped => ("idle", Icon::Skipped),
            Self::Read => ("ok", Icon::Done),
        }
    }
}

/// One row per type that the run read itself, with an axis above them.
pub(super) fn timeline(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    let own = || detail.types.iter().filter(|one| one.carried_from.is_none());
    let begin = own().map(|one| one.started_at).min()?.as_millis();
    let now = inside.engine.now().as_millis();
    let cancelled = is_cancelled(detail.run.status.bucket(), detail.run.reason_code);
    let mut span = Span { begin, end: begin + 1, now, cancelled };
    span.end = own().map(|one| span.end_of(one)).max()?.max(begin + 1);
    let mut types: Vec<&TypeRun> = own().collect();
    types.sort_by_key(|one| (span.look(one), one.started_at, one.policy_type.clone()));
    let shared = shared_listings(&types);
    let pauses = &detail.run.pauses;
    let rows = types
        .into_iter()
        .map(|one| row(inside, &span, pauses, one, shared.get(one.policy_type.as_str())))
        .collect_view();
    let took = format::span(span.end - begin);
    let whole = if detail.run.status.is_terminal() {
        format!("{took} from the first request to the last answer")
    } else {
        format!("{took} so far")
    };
    Some(
        view! {
            <section aria-labelledby="timeline-title">
                <div class="section-head">
                    <h2 id="timeline-title">"Timeline"</h2>
                    <p>{whole}</p>
                </div>
                {(pauses.length() > 0).then(hatching)}
                <div class="card flush">
                    {axis(&span)}
                    <ol class="timeline">{rows}</ol>
                </div>
            </section>
        }
        .drawn(),
    )
}

/// The pattern of the stretches in which nothing was let in, and what it means.
fn hatching() -> AnyView {
    view! {
        <p class="quiet-text hatching">
            <svg width="28" height="12" aria-hidden="true">
                <defs>
                    <pattern id="paused" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                        <rect class="ground" width="6" height="6" />
                        <rect class="stripe" width="3" height="6" />
                    </pattern>
                </defs>
                <rect width="28" height="12" fill="url(#paused)" />
            </svg>
            " Throttled: Microsoft let nothing in"
        </p>
    }
    .drawn()
}

/// The time that has passed since the begin, at the begin, at the quarters and at the end.
fn axis(span: &Span) -> AnyView {
    let marks = (0..=MARKS)
        .map(|mark| {
            let passed = (span.end - span.begin) * mark / MARKS;
            let words = if mark == 0 { "0".to_owned() } else { format::span(passed) };
            view! { <span>{words}</span> }
        })
        .collect_view();
    view! { <div class="timeline-axis" aria-hidden="true"><span></span><span class="marks">{marks}</span></div> }
        .drawn()
}

/// For each type that is read by the same requests as others here: how many they are together.
fn shared_listings<'a>(types: &[&'a TypeRun]) -> HashMap<&'a str, usize> {
    let listing = |key: &str| registry().get(key).and_then(|known| registry().listing_of(known));
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for one in types {
        if let Some(listing) = listing(&one.policy_type) {
            *counts.entry(listing).or_default() += 1;
        }
    }
    let shared = |one: &&'a TypeRun| {
        let count = *counts.get(&listing(&one.policy_type)?)?;
        (count > 1).then_some((one.policy_type.as_str(), count))
    };
    types.iter().filter_map(shared).collect()
}

/// The stretches of a bar in which Microsoft let nothing in, hatched.
fn hatched(span: &Span, pauses: &Pauses, one: &TypeRun) -> AnyView {
    let until = Timestamp::from_millis(span.end_of(one));
    pauses
        .within(one.started_at, until)
        .map(|pause| {
            let (from, until) = (span.scale(pause.from.as_millis()), span.scale(pause.until.as_millis()));
            view! { <rect class="paused" x=from.to_string() width=(until - from).max(2).to_string() height="10" fill="url(#paused)" /> }
        })
        .collect_view()
        .drawn()
}

fn row(inside: &Inside, span: &Span, pauses: &Pauses, one: &TypeRun, together: Option<&usize>) -> AnyView {
    let look = span.look(one);
    let (tone, icon) = look.tone();
    let (from, until) = (span.scale(one.started_at.as_millis()), span.scale(span.end_of(one)));
    let took = format::span(span.end_of(one) - one.started_at.as_millis());
    let took = if look == Look::Reading { format!("{took} so far") } else { took };
    let outcome = match look {
        Look::Left => state("idle", Icon::Skipped, "Not read: cancelled"),
        _ => outcome_state(one.outcome),
    };
    // The reasons stand once each above; here is what this row is.
    let reason = one.reason_code.filter(|_| look != Look::Left).map(ReasonCode::words);
    let together = together.map(|count| format!("read together with {} of the same collection", count - 1));
    let remarks: Vec<String> = [reason.map(ToOwned::to_owned), together].into_iter().flatten().collect();
    let label = type_label(&one.policy_type);
    let pauses = hatched(span, pauses, one);
    view! {
        <li data-tone=tone>
            <span class="name">
                {icon.view()}
                <a href=inside.address().items_of_type(&one.policy_type) title=label.clone()>{label.clone()}</a>
                <span class="visually-hidden">{outcome}</span>
            </span>
            <svg class="track" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                <rect class="ground" width="1000" height="10" />
                <rect x=from.to_string() width=(until - from).max(4).to_string() height="10" />
                {pauses}
            </svg>
            <span class="number">{took}</span>
            <span class="number">{format::counted(one.items, "item", "items")}</span>
            {(!remarks.is_empty()).then(|| view! { <span class="reason">{remarks.join(" · ")}</span> })}
        </li>
    }
    .drawn()
}
