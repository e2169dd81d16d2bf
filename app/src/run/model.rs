//! What screens and the command line say of an operation run.

use tenantatlas_domain::live::{RunState, RunWords};
use tenantatlas_domain::news::{FindingNews, News};
use tenantatlas_domain::operation::Counters;

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

/// What a run found: `194 missing, 2,060 changed, 3 new`. What was read for the first time is compared with nothing.
#[must_use]
pub fn news_words(news: &News, words: &RunWords) -> String {
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
        parts.push(missing_words(news));
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
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
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
fn missing_words(news: &News) -> String {
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

    fn told(news: News) -> String {
        news_words(&news, &RunWords::of("Inventory sync", ("type", "types"), ("reading", "read"), ("item", "items")))
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
