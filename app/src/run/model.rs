//! What screens and the command line say of an operation run.

use tenantatlas_domain::live::{RunState, RunWords};
use tenantatlas_domain::news::{FindingNews, News};
use tenantatlas_domain::operation::{Counters, MissingPermission};

use crate::format::{counted, number};

/// `12 / 64 types · 3,481 items`.
#[must_use]
pub fn progress(run: &RunState) -> String {
    let (one, many) = &run.words.units;
    let total = counted(u64::from(run.counters.total), one, many);
    let mut text = format!("{} / {total}", run.counters.processed);
    if run.items > 0 {
        text.push_str(" \u{b7} ");
        text.push_str(&counted(run.items, &run.words.things.0, &run.words.things.1));
    }
    text
}

/// `28 of 90 types read`, of a run that was cancelled.
#[must_use]
pub fn reached(words: &RunWords, counters: &Counters) -> String {
    let (one, many) = &words.units;
    let total = counted(u64::from(counters.total), one, many);
    format!("{} of {total} {}", counters.succeeded, words.done)
}

/// What a run found: `194 missing, 2,060 changed, 3 new`. What was read for the first time is compared with nothing. That nothing
/// changed is said of what was read alone: `nothing changed in the 26 types that were read`, `nothing was read`.
#[must_use]
pub fn news_words(news: &News, words: &RunWords, counters: &Counters) -> String {
    if let Some(found) = &news.findings {
        return finding_words(found);
    }
    if let Some(versions) = news.versions {
        return if versions == 0 {
            "no new version".to_owned()
        } else {
            counted(versions, "new version", "new versions")
        };
    }
    let mut parts = Vec::new();
    if news.missing > 0 {
        parts.push(gone_words(news));
    }
    if news.changed > 0 {
        parts.push(format!("{} changed", number(news.changed)));
    }
    if news.new > 0 {
        parts.push(format!("{} new", number(news.new)));
    }
    if news.first_read > 0 {
        let (one, many) = &words.things;
        parts.push(format!("{} read for the first time", counted(news.first_read, one, many)));
    }
    if parts.is_empty() { unchanged_words(words, counters) } else { parts.join(", ") }
}

/// What is said of a run that found nothing new.
fn unchanged_words(words: &RunWords, counters: &Counters) -> String {
    let (one, many) = &words.units;
    match counters.succeeded {
        0 => format!("nothing was {}", words.done),
        done if done == counters.total => "nothing changed".to_owned(),
        done => {
            let (verb, units) = (if done == 1 { "was" } else { "were" }, counted(u64::from(done), one, many));
            format!("nothing changed in the {units} that {verb} {}", words.done)
        }
    }
}

/// The permissions that a run lacked: `A.Read.All (12 types), B.Read.All (1 type)`; nothing where it lacked none.
#[must_use]
pub fn missing_words(missing: &[MissingPermission], words: &RunWords) -> Option<String> {
    let (one, many) = &words.units;
    let told = |missing: &MissingPermission| {
        format!("{} ({})", missing.permission, counted(u64::from(missing.count), one, many))
    };
    (!missing.is_empty()).then(|| missing.iter().map(told).collect::<Vec<_>>().join(", "))
}

/// How far a run came that was cancelled, and what was left by that. `lines` are kept of it, one of each unit that did not succeed
/// and one of its end.
#[must_use]
pub fn cancelled_words(counters: &Counters, lines: u32) -> String {
    let skipped = lines.saturating_sub(counters.failed + 1).min(counters.skipped);
    let left = counters.skipped - skipped + counters.total.saturating_sub(counters.processed);
    format!(
        "{} of {} done when it was cancelled: {} succeeded, {} failed, {skipped} skipped; {left} left by cancelling",
        counters.total.saturating_sub(left),
        counters.total,
        counters.succeeded,
        counters.failed,
    )
}

/// `12 new findings, 3 gone`.
fn finding_words(found: &FindingNews) -> String {
    match (found.new, found.gone) {
        (0, 0) => "no new finding".to_owned(),
        (0, gone) => format!("{} gone", counted(gone, "finding", "findings")),
        (new, 0) => counted(new, "new finding", "new findings"),
        (new, gone) => format!("{}, {} gone", counted(new, "new finding", "new findings"), number(gone)),
    }
}

/// `194 missing`, `197 missing (3 newly)`, `197 still missing (unsure)`.
fn gone_words(news: &News) -> String {
    let still = if news.newly_missing == 0 { "still " } else { "" };
    let mut remarks = Vec::new();
    if news.newly_missing > 0 && news.newly_missing < news.missing {
        remarks.push(format!("{} newly", number(news.newly_missing)));
    }
    if news.unsure {
        remarks.push("unsure".to_owned());
    }
    let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
    format!("{} {still}missing{remarks}", number(news.missing))
}

/// What did not succeed of a run that ended: `2 types failed`; nothing where all did.
#[must_use]
pub fn failed_words(words: &RunWords, counters: &Counters) -> Option<String> {
    let (one, many) = &words.units;
    (counters.failed > 0).then(|| format!("{} failed", counted(u64::from(counters.failed), one, many)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> RunWords {
        RunWords::of("Inventory sync", ("type", "types"), ("reading", "read"), ("item", "items"))
    }

    fn told(news: News) -> String {
        news_words(&news, &words(), &Counters { total: 90, processed: 90, succeeded: 90, failed: 0, skipped: 0 })
    }

    #[test]
    fn nothing_changed_is_never_said_of_what_was_not_read() {
        let told = |succeeded: u32, failed: u32, skipped: u32| {
            let counters = Counters { total: 30, processed: 30, succeeded, failed, skipped };
            news_words(&News::default(), &words(), &counters)
        };
        assert_eq!(told(0, 24, 6), "nothing was read");
        assert_eq!(told(26, 0, 4), "nothing changed in the 26 types that were read");
        assert_eq!(told(1, 29, 0), "nothing changed in the 1 type that was read");
        assert_eq!(told(30, 0, 0), "nothing changed");
    }

    #[test]
    fn what_was_left_by_cancelling_is_never_told_as_done() {
        let counters = Counters { total: 90, processed: 90, succeeded: 28, failed: 1, skipped: 61 };
        assert_eq!(
            cancelled_words(&counters, 4),
            "31 of 90 done when it was cancelled: 28 succeeded, 1 failed, 2 skipped; 59 left by cancelling"
        );
        let one = Counters { succeeded: 89, failed: 0, skipped: 1, ..counters };
        assert!(cancelled_words(&one, 1).starts_with("89 of 90 done"), "{}", cancelled_words(&one, 1));
    }

    #[test]
    fn the_news_are_what_changed_and_not_how_much_was_read() {
        let news = News { missing: 194, newly_missing: 194, changed: 2_060, new: 3, ..News::default() };
        assert_eq!(told(news), "194 missing, 2,060 changed, 3 new");
        assert_eq!(told(News::default()), "nothing changed");
    }

    #[test]
    fn a_comparison_and_a_capture_tell_what_they_found_and_not_how_much_they_looked_at() {
        let found = |new, gone| told(News { findings: Some(FindingNews { new, gone }), ..News::default() });
        assert_eq!(found(12, 3), "12 new findings, 3 gone");
        assert_eq!((found(1, 0), found(0, 3)), ("1 new finding".to_owned(), "3 findings gone".to_owned()));
        assert_eq!(found(0, 0), "no new finding");
        let kept = |versions| told(News { versions: Some(versions), ..News::default() });
        assert_eq!((kept(102), kept(0)), ("102 new versions".to_owned(), "no new version".to_owned()));
        assert!(News { versions: Some(0), findings: Some(FindingNews::default()), ..News::default() }.is_empty());
    }

    #[test]
    fn the_first_read_is_no_change() {
        assert_eq!(told(News { first_read: 2_764, ..News::default() }), "2,764 items read for the first time");
        assert_eq!(
            told(News { first_read: 1, changed: 1, ..News::default() }),
            "1 changed, 1 item read for the first time"
        );
    }

    #[test]
    fn what_was_missing_before_is_not_told_as_new() {
        assert_eq!(told(News { missing: 197, ..News::default() }), "197 still missing");
        let news = News { missing: 197, newly_missing: 3, unsure: true, ..News::default() };
        assert_eq!(told(news), "197 missing (3 newly, unsure)");
    }
}
