use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn upcoming(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let times = Times::read(cron, zone).unwrap();
    times.upcoming(moment(after), count).into_iter().map(|due| due.at.to_rfc3339()).collect()
}

#[test]
fn a_time_that_does_not_exist_is_due_at_the_first_moment_after_it() {
    for pattern in ["30 2 * * *", "30 2,14 29 3 *"] {
        assert_eq!(
            upcoming(pattern, "Europe/Berlin", "2026-03-28T20:00:00Z", 1),
            ["2026-03-29T01:00:00.000Z"],
            "{pattern}"
        );
    }
    // Midnight itself, and a whole day.
    assert_eq!(upcoming("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", 1), ["2026-04-23T22:00:00.000Z"]);
    assert_eq!(upcoming("0 9 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1), ["2011-12-30T10:00:00.000Z"]);
}

#[test]
fn a_time_that_comes_twice_is_due_once_also_for_a_pattern_of_several_hours() {
    let expected = ["2026-10-25T00:30:00.000Z", "2026-10-25T13:30:00.000Z", "2026-10-26T01:30:00.000Z"];
    assert_eq!(upcoming("30 2,14 * * *", "Europe/Berlin", "2026-10-24T20:00:00Z", 3), expected);
    // Asked between the two.
    assert_eq!(upcoming("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), ["2026-10-26T01:30:00.000Z"]);
    let every = upcoming("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", 5);
    let expected = ["T00:00", "T00:30", "T02:00", "T02:30", "T03:00"].map(|time| format!("2026-10-25{time}:00.000Z"));
    assert_eq!(every, expected);
}

#[test]
fn what_cannot_be_a_schedule_is_refused_with_what_was_expected() {
    let now = moment("2026-11-26T00:00:00Z");
    let refused = |cron: &str, zone: &str| Times::checked(cron, zone, now).unwrap_err().to_string();
    assert!(refused("0 0 31 2 *", "UTC").contains("never fires"));
    for nonsense in
        ["", "daily", "0 0 * *", "61 0 * * *", "0 0 * * * *", "0 0 0 * * * 2027", "0 0 * * \u{661}", "0\t0 * * *"]
    {
        assert!(refused(nonsense, "UTC").contains("five fields"), "{nonsense}");
    }
    assert!(refused(&format!("{} 0 * * *", "1,".repeat(80)), "UTC").contains("five fields"));
    assert!(refused("* * * * *", "UTC").contains("5 minutes"));
    assert!(refused("0,2 4 * * *", "UTC").contains("5 minutes"));
    for nonsense in ["", "Berlin", "Europe/Atlantis", "+02:00", "../etc/passwd", &"x".repeat(500)] {
        assert!(refused("0 0 * * *", nonsense).contains("IANA"), "{nonsense}");
    }
    assert!(Times::checked("0 0 29 2 *", "UTC", now).is_ok());
    assert_eq!(Times::checked(" @daily ", "europe/berlin", now).unwrap().zone_name(), "Europe/Berlin");
}

#[test]
fn daily_and_weekly_become_patterns() {
    assert_eq!(pattern_of("02:30", &[]).unwrap(), "30 2 * * *");
    for (time, days) in [("02:30", vec![]), ("23:05", vec![0, 1, 4])] {
        assert_eq!(
            time_of(&pattern_of(time, &days).unwrap()),
            Some((time.to_owned(), days)),
            "a form shows what it made"
        );
    }
    for other in
        ["30 2,14 * * *", "*/5 2 * * *", "30 2 1 * *", "30 2 * * 1-5", "30 2 * * 7", "99 2 * * *", "@daily", ""]
    {
        assert_eq!(time_of(other), None, "{other}");
    }
    assert_eq!(pattern_of(" 7:05", &[4, 1, 7, 1]).unwrap(), "5 7 * * 0,1,4");
    for nonsense in ["", "2", "24:00", "12:60", "-1:00", "12:30:00", "012:00", "noon"] {
        assert!(pattern_of(nonsense, &[]).is_err(), "{nonsense}");
    }
}

#[test]
fn changes_of_the_clocks_are_said_in_words() {
    let now = moment("2026-01-01T00:00:00Z");
    let told = |cron: &str, zone: &str| Times::read(cron, zone).unwrap().clock_changes(now);
    assert_eq!(
        told("30 2 * * *", "Europe/Berlin"),
        "On 29 March 2026 the clocks go from 02:00 to 03:00: 02:30 does not exist, and it runs at 03:00. \
         On 25 October 2026 the clocks go back from 03:00 to 02:00: 02:30 comes twice, and it runs the first time only."
    );
    assert!(told("0 12 * * *", "Europe/Berlin").contains("touch none"));
    assert!(told("0 2 * * *", "UTC").contains("do not change"));
}

#[test]
fn a_spread_is_said_with_the_time_that_it_begins_and_ends_at() {
    let told = |cron: &str, minutes: u32| Times::read(cron, "UTC").unwrap().words_spread(minutes);
    assert_eq!(told("30 2 * * *", 30), "Between 02:30 and 03:00.");
    assert_eq!(told("30 2 * * *", 0), Times::read("30 2 * * *", "UTC").unwrap().words());
    assert!(told("30 23 * * *", 60).starts_with("Between 23:30 and 00:30"), "{}", told("30 23 * * *", 60));
    assert!(told("30 2 * * 1", 30).starts_with("Between 02:30 and 03:00"), "{}", told("30 2 * * 1", 30));
    assert!(
        !told("0 9-17 * * *", 30).contains("At 09:00") && told("0 9-17 * * *", 30).ends_with("up to 30 minutes later")
    );
}

#[test]
fn a_period_is_the_longest_gap() {
    let period = |cron: &str| Times::read(cron, "UTC").unwrap().period(moment("2026-11-26T00:00:00Z")) / 3_600_000;
    assert_eq!((period("0 2 * * *"), period("0 9 * * 1-5"), period("0 0 * * 0")), (24, 72, 168));
}

/// What the definition says, asked of the clock alone: the minutes of a stretch of local time that the pattern names, each at the
/// first moment at which the clock shows it or a later one.
fn by_definition(times: &Times, from: jiff::Timestamp, minutes: i64) -> BTreeSet<i64> {
    let mut shown = times.zone().to_datetime(from);
    let mut due = BTreeSet::new();
    for minute in 1..=minutes {
        let at = from + SignedDuration::from_mins(minute);
        let now = times.zone().to_datetime(at);
        // What the clock had not shown yet.
        while shown < now {
            shown = shown.checked_add(Span::new().minutes(1)).unwrap();
            let named = times.next_local(shown, true) == Some(shown);
            if named {
                due.insert(at.as_millisecond());
            }
        }
    }
    due
}

/// Compares the times around a change of the clocks with those by definition.
fn agree_around(zone: &str, cron: &str, change: jiff::Timestamp) {
    let times = Times::read(cron, zone).unwrap();
    let whole = jiff::Timestamp::from_second(change.as_second().div_euclid(60) * 60).unwrap();
    let from = whole - SignedDuration::from_hours(26);
    let minutes = 52 * 60;
    let (start, end) = (from.as_millisecond(), (from + SignedDuration::from_mins(minutes)).as_millisecond());
    let mut found = BTreeSet::new();
    let mut locals = BTreeSet::new();
    let mut last = Timestamp::from_millis(start);
    while let Some(due) = times.next(last)
        && due.at.as_millis() <= end
    {
        assert!(due.at > last, "{zone} {cron}: times do not go backwards");
        assert!(locals.insert(due.local), "{zone} {cron}: {} is due once", due.local);
        found.insert(due.at.as_millis());
        last = due.at;
    }
    assert_eq!(found, by_definition(&times, from, minutes), "{zone} {cron} around {change}");
}

/// Changes of the clocks of a zone in ten years, in whole minutes: before the twentieth century clocks changed by seconds.
fn changes(zone: &str) -> Vec<jiff::Timestamp> {
    let from = date(2020, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let until = date(2030, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let zone = ZONES.get(zone).unwrap();
    zone.following(from).map(|change| change.timestamp()).take_while(|change| *change < until).collect()
}

const PATTERNS: [&str; 4] = ["*/15 * * * *", "30 2,14 * * *", "0 0 * * *", "17 1-3 * * *"];

/// All zones and changes with `TENANTATLAS_ALL_ZONES` set; else every seventh zone and two changes of each.
#[test]
fn every_zone_keeps_the_rules_through_its_changes_of_ten_years() {
    let all = std::env::var_os("TENANTATLAS_ALL_ZONES").is_some();
    let mut tried = 0;
    for (number, zone) in zone_names().iter().enumerate() {
        let named = matches!(
            zone.as_str(),
            "Australia/Lord_Howe" | "Africa/Casablanca" | "America/Sao_Paulo" | "Europe/Dublin"
        );
        if !(all || named || number % 7 == 0) {
            continue;
        }
        let changes = changes(zone);
        let some = if all { changes.len() } else { 2 };
        for change in changes.into_iter().take(some) {
            for pattern in if all { &PATTERNS[..] } else { &PATTERNS[..2] } {
                agree_around(zone, pattern, change);
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "zones have changes: {tried}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_pattern_keeps_the_rules_around_a_change(minute in 0_u8..60, first in 0_u8..24, second in 0_u8..24, zone in 0_usize..6) {
        let zone = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Asia/Tehran"][zone];
        for change in changes(zone).into_iter().take(2) {
            agree_around(zone, &format!("{minute} {first},{second} * * *"), change);
        }
    }

    #[test]
    fn nothing_that_is_typed_makes_it_fail(cron in "\\PC{0,30}", zone in "\\PC{0,20}", fields in "[0-9*/,#LW?a-z -]{1,24}") {
        let now = moment("2026-11-26T00:00:00Z");
        let _ = Times::checked(&cron, &zone, now);
        let _ = Times::checked(&fields, "Europe/Berlin", now).map(|times| times.clock_changes(now));
    }
}
