//! The timeline of a run: each of its units from its first request to its last answer, what failed first.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;
use tenantatlas_domain::operation::FailureKind;
use tenantatlas_domain::pauses::Pauses;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit_events::SourceRead;
use tenantatlas_store::operation_runs::UnitTime;
use tenantatlas_store::policies::CaptureTypeRun;
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
/// Rows with one reason that are shown without being asked for.
const FEW: usize = 5;
/// Marks on the axis, the begin aside.
const MARKS: i64 = 4;

/// One unit of a run, as a row shows it.
struct Unit {
    /// Its key.
    key: String,
    /// What people call it.
    label: String,
    /// The page of what it read.
    href: Option<String>,
    outcome: Option<TypeOutcome>,
    reason: Option<ReasonCode>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    /// What it read, counted.
    read: String,
    /// The collection that it is read from together with others, and how many they are, itself included.
    together: Option<(usize, usize)>,
}

/// The units of a run; none where it does not keep their times.
fn units(inside: &Inside, detail: &RunDetail) -> Vec<Unit> {
    let of_type = |key: &str| (key.to_owned(), type_label(key), Some(inside.address().items_of_type(key)));
    if let Some((_, types)) = &detail.capture {
        let unit = |one: &CaptureTypeRun| {
            let (key, label, href) = of_type(&one.policy_type);
            Unit {
                key,
                label,
                href,
                outcome: one.outcome,
                reason: one.reason_code,
                started_at: one.started_at,
                finished_at: one.finished_at,
                read: format::counted(one.captured, "object", "objects"),
                together: None,
            }
        };
        return types.iter().map(unit).collect();
    }
    let of_source = |one: &SourceRead| Unit {
        key: one.source.as_str().to_owned(),
        label: one.source.label().to_owned(),
        href: None,
        outcome: one.outcome,
        reason: one.reason_code,
        started_at: one.started_at,
        finished_at: one.finished_at,
        read: format::counted(one.events, "event", "events"),
        together: None,
    };
    let own: Vec<&TypeRun> = detail.types.iter().filter(|one| one.carried_from.is_none()).collect();
    let shared = shared_listings(&own);
    let unit = |one: &&TypeRun| {
        let (key, label, href) = of_type(&one.policy_type);
        let together = shared.get(one.policy_type.as_str()).copied();
        let (outcome, reason, read) = (one.outcome, one.reason_code, format::counted(one.items, "item", "items"));
        let (started_at, finished_at) = (one.started_at, one.finished_at);
        Unit { key, label, href, outcome, reason, started_at, finished_at, read, together }
    };
    let known = own.iter().map(unit).chain(detail.sources.iter().map(of_source));
    let timed = detail.times.chunk_by(are_together).map(|units| timed(inside, detail, units));
    known.chain(timed).collect()
}

/// Whether two units are types that were compared together, of which each would show the same bar.
fn are_together(one: &UnitTime, next: &UnitTime) -> bool {
    let is_type = |unit: &UnitTime| registry().get(&unit.unit).is_some();
    (one.started_at, one.finished_at) == (next.started_at, next.finished_at) && is_type(one) && is_type(next)
}

/// A unit of which nothing is kept but when it was worked on, and among the failures of the run why it did not succeed; or
/// several that were worked on together.
fn timed(inside: &Inside, detail: &RunDetail, units: &[UnitTime]) -> Unit {
    let (run, one) = (&detail.run, &units[0]);
    let failure = run.failures.iter().find(|failure| failure.item_id.as_deref() == Some(&one.unit));
    let outcome = match failure.map(|failure| failure.kind) {
        Some(FailureKind::Failed) => TypeOutcome::Failed,
        Some(FailureKind::Skipped) => TypeOutcome::Skipped,
        None => TypeOutcome::Succeeded,
    };
    // Units of a comparison are types.
    let of_type = registry().get(&one.unit).is_some();
    let label = match of_type {
        true if units.len() > 1 => format!("{} types together", units.len()),
        true => type_label(&one.unit),
        false => inside.engine.runs().operations().unit_label(&run.resource, &run.action, &one.unit),
    };
    Unit {
        key: one.unit.clone(),
        label,
        href: (of_type && units.len() == 1).then(|| inside.address().items_of_type(&one.unit)),
        outcome: Some(outcome),
        reason: failure.map(|failure| failure.reason_code),
        started_at: one.started_at,
        finished_at: Some(one.finished_at),
        read: String::new(),
        together: None,
    }
}

/// The span of time that the drawing shows, milliseconds.
struct Span {
    begin: i64,
    end: i64,
    now: i64,
    /// Whether the run was cancelled: what it did not come to the end of is then no failure.
    cancelled: bool,
}

impl Span {
    fn end_of(&self, one: &Unit) -> i64 {
        one.finished_at.map_or(self.now, Timestamp::as_millis)
    }

    fn scale(&self, at: i64) -> i64 {
        (at - self.begin) * WIDTH / (self.end - self.begin)
    }

    /// How a unit ended, for the drawing and for the order of the rows.
    fn look(&self, one: &Unit) -> Look {
        match one.outcome {
            Some(TypeOutcome::Failed) if self.cancelled && one.reason == Some(ReasonCode::Cancelled) => Look::Left,
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

/// One row per unit that the run read itself, with an axis above them.
pub(super) fn timeline(inside: &Inside, detail: &RunDetail, only: Option<TypeOutcome>) -> Option<AnyView> {
    let mut units = units(inside, detail);
    let begin = units.iter().map(|one| one.started_at).min()?.as_millis();
    let now = inside.engine.now().as_millis();
    let cancelled = is_cancelled(detail.run.status.bucket(), detail.run.reason_code);
    let mut span = Span { begin, end: begin + 1, now, cancelled };
    span.end = units.iter().map(|one| span.end_of(one)).max()?.max(begin + 1);
    units.sort_by_cached_key(|one| (span.look(one), one.started_at, one.key.clone()));
    let pauses = &detail.run.pauses;
    let chips = chips(&inside.address().run(detail.run.id), &units, only);
    units.retain(|one| only.is_none() || one.outcome == only);
    let groups = grouped(&span, units);
    let groups = groups.iter().map(|group| group.view(&span, pauses, only.is_some())).collect_view();
    let took = format::span(span.end - begin);
    let whole = if detail.run.status.is_terminal() {
        let asks = detail.times.is_empty();
        format!("{took} from {}", if asks { "the first request to the last answer" } else { "begin to end" })
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
                {chips}
                {(pauses.length() > 0).then(hatching)}
                <div class="card flush">
                    {axis(&span)}
                    {groups}
                </div>
            </section>
        }
        .drawn(),
    )
}

/// How many units ended in each way, where they did not all in one: each the link to those alone.
fn chips(base: &str, units: &[Unit], only: Option<TypeOutcome>) -> Option<AnyView> {
    let count = |outcome: TypeOutcome| units.iter().filter(|one| one.outcome == Some(outcome)).count();
    let outcomes: Vec<TypeOutcome> = TypeOutcome::ALL.iter().copied().filter(|one| count(*one) > 0).collect();
    if outcomes.len() < 2 && only.is_none() {
        return None;
    }
    let chip = |href: String, words: String, chosen: bool| {
        view! { <li><a class="chip" href=href aria-current=chosen.then_some("true")>{words}</a></li> }
    };
    let all = chip(base.to_owned(), format!("All {}", units.len()), only.is_none());
    let each = outcomes.into_iter().map(|outcome| {
        let word = match outcome {
            TypeOutcome::Succeeded => "done",
            TypeOutcome::Failed => "failed",
            TypeOutcome::Skipped => "skipped",
        };
        chip(format!("{base}?outcome={outcome}"), format!("{} {word}", count(outcome)), only == Some(outcome))
    });
    Some(view! { <ul class="chips" aria-label="By outcome">{all}{each.collect_view()}</ul> }.drawn())
}

/// Rows that are told under one heading: those that ended in the same way for the same reason, or all others of a look.
struct GroupOfUnits {
    look: Look,
    reason: Option<ReasonCode>,
    units: Vec<Unit>,
}

/// The rows in their order, those with one reason together.
fn grouped(span: &Span, units: Vec<Unit>) -> Vec<GroupOfUnits> {
    let mut groups: Vec<GroupOfUnits> = Vec::new();
    for one in units {
        let look = span.look(&one);
        let reason = one.reason.filter(|_| look != Look::Left);
        match groups.iter_mut().find(|group| (group.look, group.reason) == (look, reason)) {
            Some(group) => group.units.push(one),
            None => groups.push(GroupOfUnits { look, reason, units: vec![one] }),
        }
    }
    groups
}

impl GroupOfUnits {
    /// The rows, below their reason where they have one. Many of one reason open when they are asked for, unless it was
    /// asked for these alone.
    fn view(&self, span: &Span, pauses: &Pauses, asked_for: bool) -> AnyView {
        let mut told = HashSet::new();
        let rows = self.units.iter().map(|one| {
            let together = one.together.filter(|(listing, _)| told.insert(*listing)).map(|(_, count)| count);
            row(span, pauses, one, together)
        });
        let rows = view! { <ol class="timeline">{rows.collect::<Vec<_>>()}</ol> };
        let Some(heading) = self.heading() else { return rows.drawn() };
        if self.units.len() <= FEW || asked_for {
            return view! { <h3 class="timeline-reason">{heading}</h3> {rows} }.drawn();
        }
        view! { <details class="disclosure timeline-reason"><summary>{Icon::Down.view()}{heading}</summary>{rows}</details> }
            .drawn()
    }

    /// `12 failed: a permission is missing`.
    fn heading(&self) -> Option<String> {
        let word = match self.look {
            Look::Failed => "failed",
            Look::Skipped => "skipped",
            Look::Reading | Look::Left | Look::Read => return None,
        };
        let reason = self.reason?;
        Some(format!("{} {word}: {}", format::number(self.units.len() as u64), reason.words()))
    }
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
            " Throttled: Microsoft accepted no requests"
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

/// For each type that is read by the same requests as others here: their collection, and how many they are together.
fn shared_listings<'a>(types: &[&'a TypeRun]) -> HashMap<&'a str, (usize, usize)> {
    let listing = |key: &str| registry().get(key).and_then(|known| registry().listing_of(known));
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for one in types {
        if let Some(listing) = listing(&one.policy_type) {
            *counts.entry(listing).or_default() += 1;
        }
    }
    let shared = |one: &&'a TypeRun| {
        let listing = listing(&one.policy_type)?;
        let count = *counts.get(&listing)?;
        (count > 1).then_some((one.policy_type.as_str(), (listing, count)))
    };
    types.iter().filter_map(shared).collect()
}

/// The stretches of a bar in which Microsoft let nothing in, hatched.
fn hatched(span: &Span, pauses: &Pauses, one: &Unit) -> AnyView {
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

/// `together` is how many are read by the same requests, where that is to be said.
fn row(span: &Span, pauses: &Pauses, one: &Unit, together: Option<usize>) -> AnyView {
    let look = span.look(one);
    let (tone, icon) = look.tone();
    let (from, until) = (span.scale(one.started_at.as_millis()), span.scale(span.end_of(one)));
    let took = format::span(span.end_of(one) - one.started_at.as_millis());
    let took = if look == Look::Reading { format!("{took} so far") } else { took };
    let outcome = match look {
        Look::Left => state("idle", Icon::Skipped, "Not read: cancelled"),
        _ => outcome_state(one.outcome),
    };
    let together = together.map(|count| format!("{count} types of one collection, read together"));
    let label = one.label.clone();
    let name = match one.href.clone() {
        Some(href) => view! { <a href=href title=label.clone()>{label.clone()}</a> }.drawn(),
        None => view! { <span title=label.clone()>{label.clone()}</span> }.drawn(),
    };
    let pauses = hatched(span, pauses, one);
    view! {
        <li data-tone=tone>
            <span class="name">
                {icon.view()}
                {name}
                <span class="visually-hidden">{outcome}</span>
            </span>
            <svg class="track" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                <rect class="ground" width="1000" height="10" />
                <rect x=from.to_string() width=(until - from).max(4).to_string() height="10" />
                {pauses}
            </svg>
            <span class="number">{took}</span>
            <span class="number">{one.read.clone()}</span>
            {together.map(|words| view! { <span class="reason">{words}</span> })}
        </li>
    }
    .drawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(key: usize, outcome: TypeOutcome, reason: Option<ReasonCode>) -> Unit {
        Unit {
            key: key.to_string(),
            label: format!("Type {key}"),
            href: None,
            outcome: Some(outcome),
            reason,
            started_at: Timestamp::from_millis(0),
            finished_at: Some(Timestamp::from_millis(5)),
            read: String::new(),
            together: (outcome == TypeOutcome::Succeeded).then_some((3, 2)),
        }
    }

    #[test]
    fn a_reason_and_a_collection_are_told_once_and_not_in_every_row() {
        let span = Span { begin: 0, end: 10, now: 10, cancelled: false };
        let failed = (0..7).map(|key| unit(key, TypeOutcome::Failed, Some(ReasonCode::PermissionMissing)));
        let read = (7..9).map(|key| unit(key, TypeOutcome::Succeeded, None));
        let groups = grouped(&span, failed.chain(read).collect());
        let html: Vec<String> =
            groups.iter().map(|group| group.view(&span, &Pauses::default(), false).to_html()).collect();
        let words = ReasonCode::PermissionMissing.words();
        assert_eq!((html.len(), html[0].matches(words).count()), (2, 1), "{html:?}");
        assert!(html[0].contains("<details") && !html[1].contains("<details"), "{html:?}");
        assert_eq!(html[1].matches("2 types of one collection, read together").count(), 1, "{html:?}");
    }
}
