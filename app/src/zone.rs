//! Days and times of the day: in the zone of the person where the browser tells them, unless they want UTC there too, in UTC
//! where the server does, and then they say so.

use crate::format;

const DAY: i64 = 86_400_000;

#[cfg(target_arch = "wasm32")]
thread_local! {
    static IN_UTC: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Tells times in UTC from now on, or in the zone of the person.
#[cfg(target_arch = "wasm32")]
pub fn tell_in_utc(utc: bool) {
    IN_UTC.set(utc);
}

/// How far the clock by which the person is told is ahead of UTC at this time, milliseconds. The server does not know.
#[cfg(target_arch = "wasm32")]
#[must_use]
pub fn ahead_of_utc(millis: i64) -> i64 {
    if IN_UTC.get() {
        return 0;
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact")]
    let date = js_sys::Date::new(&leptos::wasm_bindgen::JsValue::from_f64(millis as f64));
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
    let minutes = date.get_timezone_offset() as i64;
    -minutes * 60_000
}

/// On the server times are in UTC whatever is wanted.
#[cfg(not(target_arch = "wasm32"))]
pub const fn tell_in_utc(_: bool) {}

/// The server tells times in UTC.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub const fn ahead_of_utc(_: i64) -> i64 {
    0
}

/// `22:13`, in UTC `22:13 UTC`.
#[must_use]
pub fn clock(millis: i64) -> String {
    let ahead = ahead_of_utc(millis);
    let text = format::utc(millis + ahead);
    let clock = &text[11..16];
    if ahead == 0 { format!("{clock} UTC") } else { clock.to_owned() }
}

/// `Today`, `Yesterday`, or `25 November 2026`.
#[must_use]
pub fn day_words(millis: i64, now: i64) -> String {
    let day_of = |millis: i64| (millis + ahead_of_utc(millis)).div_euclid(DAY);
    match day_of(now) - day_of(millis) {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ => long_day(&format::utc_day(millis + ahead_of_utc(millis))),
    }
}

/// `2026-11-25` as `25 November 2026`.
fn long_day(day: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut parts = day.splitn(3, '-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()).and_then(|month| MONTHS.get(month.checked_sub(1)?));
    format!(
        "{} {} {}",
        day.unwrap_or_default().trim_start_matches('0'),
        month.copied().unwrap_or_default(),
        year.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_called_as_people_call_them() {
        let now = 1_700_000_000_000;
        assert_eq!(day_words(now, now), "Today");
        assert_eq!(day_words(now - DAY, now), "Yesterday");
        assert_eq!(day_words(now - 6 * DAY, now), "8 November 2023");
        assert_eq!(clock(now), "22:13 UTC");
    }
}
