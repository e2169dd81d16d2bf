//! What is asked of a log: a stretch of time in slices, each of which is read to its end before it counts.

use serde_json::Value;
use tenantatlas_domain::audit_event::{AuditFacts, AuditSource, ReadWindow, Span, event_of};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{GraphError, GraphVersion, Page, PageRequest, value_size};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// How far back the first reading goes, and one that follows a long pause: as far as Entra keeps events with a licence for it.
const FIRST: i64 = 30 * DAY;
/// How far a reading goes back before the end of the last one: an event may appear later than it happened, and Microsoft names
/// no limit.
const OVERLAP: i64 = DAY;
/// The length of a slice. A run that is interrupted goes on with the slice that it was in.
const SLICE: i64 = 6 * DAY;
/// Events of a page: the most that Entra gives at once.
const PAGE: u32 = 1_000;
/// Memory that one event may take as a JSON value, in bytes.
const MOST_MEMORY: usize = 16 << 20;
/// How long events are kept.
const KEPT: i64 = 400 * DAY;

fn before(at: Timestamp, length: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_sub(length))
}

/// The moment before which events are removed.
pub(super) fn end_of_retention(now: Timestamp) -> Timestamp {
    before(now, KEPT)
}

/// The moment since which a log surely has every event.
pub(super) fn surely_kept(source: AuditSource, now: Timestamp) -> Timestamp {
    before(now, source.kept_at_least())
}

/// The slices that are read of a log, the oldest first: from a while before the end of the last reading until now.
pub(super) fn slices(known: Option<ReadWindow>, now: Timestamp) -> Vec<Span> {
    let earliest = before(now, FIRST);
    let mut from = known.map_or(earliest, |window| before(window.to.min(now), OVERLAP).max(earliest));
    let mut slices = Vec::new();
    while from < now {
        let to = Timestamp::from_millis(from.as_millis().saturating_add(SLICE)).min(now);
        slices.push(Span { from, to });
        from = to;
    }
    slices
}

/// The request for a slice. The last one has no end, so that what happens meanwhile comes as well. Each log is asked by the
/// comparisons that it is known to take.
pub(super) fn request(source: AuditSource, slice: Span, is_last: bool) -> PageRequest {
    let after = match source {
        AuditSource::Intune => "gt",
        AuditSource::Entra => "ge",
    };
    let mut filter = format!("activityDateTime {after} {}", slice.from);
    if !is_last {
        filter.push_str(&format!(" and activityDateTime le {}", slice.to));
    }
    let query = format!("$filter={}&$top={PAGE}", filter.replace(' ', "%20"));
    PageRequest::new(GraphVersion::V1, source.path()).query(query)
}

/// What came with a page.
#[derive(Default)]
pub(super) struct Read {
    /// The facts that are kept.
    pub facts: Vec<AuditFacts>,
    /// How many events came.
    pub events: u64,
    /// The oldest of them, kept or not.
    pub oldest: Option<Timestamp>,
}

/// Takes the facts out of a page.
///
/// # Errors
/// [`ReasonCode::ParseFailed`] for an event that takes too much memory, or is nested too deeply: one that is left out could be
/// the one that is looked for.
pub(super) fn facts_of(source: AuditSource, page: &Page) -> Result<Read, GraphError> {
    let mut read = Read { events: page.len() as u64, ..Read::default() };
    for item in page.items() {
        let event = (value_size(item) <= MOST_MEMORY).then(|| serde_json::from_str::<Value>(item).ok()).flatten();
        let event =
            event.ok_or_else(|| GraphError::new(ReasonCode::ParseFailed, "an event of the log is not usable"))?;
        let at = event.get("activityDateTime").and_then(Value::as_str).and_then(Timestamp::parse_rfc3339);
        read.oldest = [read.oldest, at].into_iter().flatten().min();
        read.facts.extend(event_of(source, &event));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::from_millis(days * DAY)
    }

    #[test]
    fn the_first_reading_goes_back_a_month_and_the_next_ones_overlap() {
        let first = slices(None, day(100));
        assert_eq!((first.len(), first[0].from, first[4].to), (5, day(70), day(100)));
        assert!(first.windows(2).all(|pair| pair[0].to == pair[1].from));
        let window = ReadWindow { from: day(70), to: day(100) };
        assert_eq!(slices(Some(window), day(101)), [Span { from: day(99), to: day(101) }]);
        assert_eq!(
            slices(Some(window), day(500))[0].from,
            day(470),
            "a long pause leaves a gap, and does not ask for it all"
        );
        assert_eq!(slices(Some(window), day(90)), [Span { from: day(89), to: day(90) }], "a clock that was set back");
    }

    #[test]
    fn each_log_is_asked_by_what_it_takes_and_the_last_slice_is_open() {
        let slice = Span { from: day(1), to: day(2) };
        let intune = request(AuditSource::Intune, slice, false).query;
        assert!(
            intune.contains("gt%201970-01-02T00:00:00.000Z%20and%20activityDateTime%20le%201970-01-03"),
            "{intune}"
        );
        let entra = request(AuditSource::Entra, slice, true).query;
        assert_eq!(entra, "$filter=activityDateTime%20ge%201970-01-02T00:00:00.000Z&$top=1000");
    }
}
