//! What screens say of the live state of an operation run.

use tenantatlas_domain::live::{RunState, RunWords};
use tenantatlas_domain::operation::Counters;

/// `12 / 64 types · 3,481 items`.
#[must_use]
pub fn progress(run: &RunState) -> String {
    let (one, many) = &run.words.units;
    let total = crate::format::counted(u64::from(run.counters.total), one, many);
    let mut text = format!("{} / {total}", run.counters.processed);
    if run.items > 0 {
        text.push_str(" \u{b7} ");
        text.push_str(&crate::format::counted(run.items, &run.words.things.0, &run.words.things.1));
    }
    text
}

/// `28 of 90 types read`, of a run that was cancelled.
#[must_use]
pub fn reached(words: &RunWords, counters: &Counters) -> String {
    let (one, many) = &words.units;
    let total = crate::format::counted(u64::from(counters.total), one, many);
    format!("{} of {total} {}", counters.succeeded, words.done)
}

/// `Inventory sync`.
#[must_use]
pub fn title(run: &RunState) -> String {
    run.words.title.clone()
}
