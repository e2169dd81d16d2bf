//! What did not succeed of a run, by reason, each with what to do.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;
use tenantatlas_domain::operation::{Failure, FailureKind, missing_permissions};
use tenantatlas_domain::reason::ReasonCode;

use super::bucket::is_cancelled;
use super::load::RunDetail;
use crate::format::counted;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::note;

/// Failures with the same reason that are named without being asked for: the sentence above them speaks of what is named.
const FEW: usize = 5;

/// Failures by reason, the most frequent first; what was skipped for a reason that is no fault comes last and is no alarm.
pub(super) fn trouble(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    let run = &detail.run;
    let cancelled = is_cancelled(run.status.bucket(), run.reason_code);
    // That it was cancelled stands in its head, and is no failure.
    let told: Vec<&Failure> =
        run.failures.iter().filter(|failure| !cancelled || failure.reason_code != ReasonCode::Cancelled).collect();
    if told.is_empty() {
        return run
            .reason_code
            .filter(|_| run.status.is_terminal() && !cancelled)
            .map(|reason| note("bad", reason.sentence()));
    }
    let mut groups: BTreeMap<(bool, ReasonCode), Vec<&Failure>> = BTreeMap::new();
    for failure in &told {
        groups.entry((failure.kind == FailureKind::Skipped, failure.reason_code)).or_default().push(failure);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((skipped, _), failures)| (*skipped, std::cmp::Reverse(failures.len())));
    let cards = groups
        .into_iter()
        .map(|((skipped, reason), failures)| group(inside, detail, skipped, reason, &failures))
        .collect_view();
    let omitted = run.failures_omitted;
    let title = if told.iter().all(|failure| failure.kind == FailureKind::Skipped) {
        "What was left out, and why"
    } else {
        "What did not succeed, and why"
    };
    Some(
        view! {
            <section class="stack" aria-labelledby="failures-title">
                <h2 id="failures-title">{title}</h2>
                {cards}
                {(omitted > 0).then(|| view! { <p class="quiet-text">{format!("{omitted} more are counted, not listed.")}</p> })}
            </section>
        }
        .drawn(),
    )
}

fn group(inside: &Inside, detail: &RunDetail, skipped: bool, reason: ReasonCode, failures: &[&Failure]) -> AnyView {
    let (run, operations) = (&detail.run, inside.engine.runs().operations());
    let name_of = |unit: &str| operations.unit_label(&run.resource, &run.action, unit);
    let own: Vec<&str> = failures.iter().map(|failure| own_words(reason, &failure.reason)).collect();
    let headline = in_headline(&own);
    let all_alike = headline.is_some() && own.windows(2).all(|pair| pair[0] == pair[1]);
    let rows = failures
        .iter()
        .zip(&own)
        .map(|(failure, own)| {
            let name = failure.item_id.as_deref().map_or_else(|| "The run".to_owned(), name_of);
            // What all of them say stands above them, once.
            let detail = (!all_alike && !own.is_empty()).then(|| (*own).to_owned());
            view! { <li><span class="grow"><strong>{name}</strong></span><span class="quiet">{detail}</span></li> }
        })
        .collect_view();
    let rows = view! { <ul class="rows">{rows}</ul> };
    // An open disclosure counts as a person at work, for whom the page is left as it is (`live/parts.rs`).
    let named = if failures.len() <= FEW {
        rows.drawn()
    } else {
        view! { <details><summary>{format!("Show {}", failures.len())}</summary>{rows}</details> }.drawn()
    };
    let lacked = lacked(detail, failures);
    let words = if skipped { "skipped" } else { "failed" };
    let headline = headline.map(|headline| format!(" ({headline})")).unwrap_or_default();
    let summary = format!("{} {words}: {}{headline}", failures.len(), reason.words());
    // What a tenant has no license for is a fact about the tenant, and no alarm.
    let tone = if skipped { "info" } else { "bad" };
    view! {
        <div class="note" data-tone=tone>
            {if skipped { Icon::Skipped.view() } else { Icon::Warning.view() }}
            <div>
                <strong>{summary}</strong>
                <p>{reason.sentence()}</p>
                {lacked}
                {named}
            </div>
        </div>
    }
    .drawn()
}

/// Each of several permissions that are missing, with how many units lack it: none is hidden among the others.
fn lacked(detail: &RunDetail, failures: &[&Failure]) -> Option<AnyView> {
    let missing = missing_permissions(failures.iter().copied());
    let (one, many) = &detail.state.words.units;
    let rows = missing.iter().map(|missing| {
        let count = counted(u64::from(missing.count), one, many);
        view! { <li><span class="grow">{missing.permission.clone()}</span><span class="quiet">{count}</span></li> }
    });
    (missing.len() > 1).then(|| view! { <ul class="rows">{rows.collect_view()}</ul> }.drawn())
}

/// What a failure says besides the sentence of its reason: the permission that is missing, what Graph answered.
fn own_words(reason: ReasonCode, text: &str) -> &str {
    let rest = text.strip_suffix(reason.sentence()).or_else(|| text.strip_prefix(reason.sentence())).unwrap_or(text);
    rest.trim().trim_end_matches(':')
}

/// What the failures of a reason say, where it is short enough for their headline: at most three different things, such as
/// the permissions to be granted.
fn in_headline(own: &[&str]) -> Option<String> {
    const MOST: usize = 3;
    const LONGEST: usize = 120;
    let different: BTreeSet<&str> = own.iter().copied().filter(|own| !own.is_empty()).collect();
    let text = different.iter().copied().collect::<Vec<_>>().join(", ");
    ((1..=MOST).contains(&different.len()) && text.chars().count() <= LONGEST && different.len() < own.len().max(2))
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_of_a_missing_permission_names_it() {
        let sentence = ReasonCode::PermissionMissing.sentence();
        let text = format!("DeviceManagementRBAC.Read.All: {sentence}");
        let own = own_words(ReasonCode::PermissionMissing, &text);
        assert_eq!(own, "DeviceManagementRBAC.Read.All");
        assert_eq!(in_headline(&[own, own]).as_deref(), Some("DeviceManagementRBAC.Read.All"));
        assert_eq!(
            in_headline(&[own, own, "Policy.Read.All"]).as_deref(),
            Some("DeviceManagementRBAC.Read.All, Policy.Read.All")
        );
        assert_eq!(in_headline(&["a", "b", "c", "d", "d"]), None, "many different ones stand beside their types");
        assert_eq!(in_headline(&["", ""]), None);
    }

    #[test]
    fn what_a_failure_adds_to_its_reason_is_told_without_repeating_the_sentence() {
        let sentence = ReasonCode::GraphUnavailable.sentence();
        assert_eq!(own_words(ReasonCode::GraphUnavailable, sentence), "");
        let text = format!("{sentence} connection refused");
        assert_eq!(own_words(ReasonCode::GraphUnavailable, &text), "connection refused");
    }
}
