//! What became of many runs, as the address of the list tells it after they were cancelled or retried.

use leptos::prelude::*;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_engine::Outcomes;

use super::load::Deed;
use crate::address;
use crate::format::counted;
use crate::ui::note::note;

/// The parameter of an address: `retry.3.0.1.0.0`, and the tenant and the id of a run that is under way where there is one.
#[must_use]
pub fn outcome_text(deed: Deed, outcomes: Outcomes) -> String {
    let Outcomes { done, nothing_to_do, already_running, refused, too_many, under_way } = outcomes;
    let deed = match deed {
        Deed::Cancel => "cancel",
        Deed::Retry => "retry",
    };
    let run = under_way.map(|(tenant, run)| format!(".{tenant}.{run}")).unwrap_or_default();
    format!("{deed}.{done}.{nothing_to_do}.{already_running}.{refused}.{too_many}{run}")
}

fn read(text: &str) -> Option<(Deed, Outcomes)> {
    let mut parts = text.split('.');
    let deed = match parts.next()? {
        "cancel" => Deed::Cancel,
        "retry" => Deed::Retry,
        _ => return None,
    };
    let mut number = || parts.next()?.parse::<u32>().ok();
    let outcomes = Outcomes {
        done: number()?,
        nothing_to_do: number()?,
        already_running: number()?,
        refused: number()?,
        too_many: number()?,
        under_way: None,
    };
    let tenant: Option<TenantId> = parts.next().and_then(|id| id.parse().ok());
    let run: Option<OperationRunId> = parts.next().and_then(|id| id.parse().ok());
    let outcomes = Outcomes { under_way: tenant.zip(run), ..outcomes };
    Some((deed, outcomes))
}

fn sentences(deed: Deed, outcomes: Outcomes) -> Vec<String> {
    let Outcomes { done, nothing_to_do, already_running, refused, too_many, under_way: _ } = outcomes;
    let (done_words, idle_words) = match deed {
        Deed::Cancel => ("Asked to stop", "Had ended already"),
        Deed::Retry => ("Started again", "Have not ended, or nothing of them is left to be tried again"),
    };
    let parts = [
        (done, done_words),
        (already_running, "Do the same as a run that is under way, so that no second one was started"),
        (nothing_to_do, idle_words),
        (too_many, "Not started, since too many runs are waiting already; try again when some have ended"),
        (refused, "Left alone, since your role in their tenant does not allow it or they are not there any more"),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{words}: {}.", counted(u64::from(count), "run", "runs")))
        .collect();
    if told.is_empty() { vec!["Nothing was left to be done.".to_owned()] } else { told }
}

/// What was done, in sentences; nothing where the address tells of nothing.
pub(super) fn outcome_note(text: Option<&str>) -> Option<AnyView> {
    let (deed, outcomes) = read(text?)?;
    let tone = if outcomes.refused + outcomes.too_many > 0 { "warn" } else { "ok" };
    let lines = sentences(deed, outcomes).into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    let under_way = outcomes.under_way.map(|(tenant, run)| {
        let words = match outcomes.already_running {
            1 => "The run that is under way",
            _ => "The first of those that are under way",
        };
        view! { <p><a href=address::tenant(tenant).run(run)>{words}</a></p> }
    });
    Some(note(tone, view! { {lines}{under_way} }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_many_runs_is_told_as_it_was() {
        let outcomes = Outcomes {
            done: 3,
            nothing_to_do: 1,
            already_running: 2,
            refused: 0,
            too_many: 4,
            under_way: Some((
                TenantId::from_uuid(uuid::Uuid::from_u128(1)),
                OperationRunId::from_uuid(uuid::Uuid::from_u128(2)),
            )),
        };
        let text = outcome_text(Deed::Retry, outcomes);
        assert_eq!(read(&text), Some((Deed::Retry, outcomes)));
        assert_eq!(
            sentences(Deed::Retry, outcomes),
            [
                "Started again: 3 runs.",
                "Do the same as a run that is under way, so that no second one was started: 2 runs.",
                "Have not ended, or nothing of them is left to be tried again: 1 run.",
                "Not started, since too many runs are waiting already; try again when some have ended: 4 runs.",
            ]
        );
        assert_eq!(sentences(Deed::Cancel, Outcomes::default()), ["Nothing was left to be done."]);
        for wrong in ["", "retry", "retry.1.2.3.4", "delete.1.1.1.1.1", "retry.-1.0.0.0.0"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
