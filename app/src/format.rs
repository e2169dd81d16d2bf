//! Times, numbers and names as text, the same on the server and in the browser.

use tenantatlas_domain::time::Timestamp;

/// `2026-11-20 22:13 UTC`.
#[must_use]
pub fn utc(millis: i64) -> String {
    let text = Timestamp::from_millis(millis).to_rfc3339();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

/// `2026-11-20 22:13:05 UTC`, for where the order of events matters.
#[must_use]
pub fn utc_seconds(millis: i64) -> String {
    let text = Timestamp::from_millis(millis).to_rfc3339();
    format!("{} {} UTC", &text[..10], &text[11..19])
}

/// `2026-11-20 23:13:05 (UTC+1)`, for a zone that is so many minutes ahead of UTC; without any, as [`utc_seconds`].
#[must_use]
pub fn in_zone(millis: i64, minutes_ahead: i64) -> String {
    if minutes_ahead == 0 {
        return utc_seconds(millis);
    }
    let text = utc_seconds(millis + minutes_ahead * 60_000);
    let sign = if minutes_ahead < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes_ahead.abs() / 60, minutes_ahead.abs() % 60);
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    format!("{} (UTC{sign}{hours}{minutes})", &text[..19])
}

/// `2026-11-20`.
#[must_use]
pub fn utc_day(millis: i64) -> String {
    let mut text = Timestamp::from_millis(millis).to_rfc3339();
    text.truncate(10);
    text
}

/// RFC 3339, for `<time datetime>`.
#[must_use]
pub fn machine(millis: i64) -> String {
    Timestamp::from_millis(millis).to_rfc3339()
}

/// How long ago something was, or how far ahead it lies: `just now`, `4 min ago`, `in 3 d`.
#[must_use]
pub fn relative(millis: i64, now: i64) -> String {
    let distance = now - millis;
    let seconds = distance.abs() / 1000;
    let (amount, unit) = match seconds {
        0..45 => return "just now".to_owned(),
        45..5400 => ((seconds + 30) / 60, "min"),
        5400..129_600 => ((seconds + 1800) / 3600, "h"),
        129_600..5_184_000 => ((seconds + 43_200) / 86_400, "d"),
        5_184_000..63_072_000 => ((seconds + 1_296_000) / 2_592_000, "months"),
        _ => ((seconds + 15_768_000) / 31_536_000, "years"),
    };
    if distance < 0 { format!("in {amount} {unit}") } else { format!("{amount} {unit} ago") }
}

/// A span of time: `840 ms`, `12 s`, `3 min 20 s`, `2 h 05 min`.
#[must_use]
pub fn span(millis: i64) -> String {
    let millis = millis.max(0);
    if millis < 1000 { format!("{millis} ms") } else { whole_seconds(millis) }
}

/// A span of time without parts of seconds, for what ticks: `0 s`, `12 s`, `3 min 20 s`.
#[must_use]
pub fn whole_seconds(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A whole number with its thousands apart: `3,481`.
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 item`, `3,481 items`.
#[must_use]
pub fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// A text in lower case, for searches that take both for the same. In the browser by its own tables of Unicode: those of
/// the standard library would make the download a twentieth larger.
#[must_use]
pub fn lowercase(text: &str) -> String {
    #[cfg(target_arch = "wasm32")]
    return js_sys::JsString::from(text).to_lower_case().into();
    #[cfg(not(target_arch = "wasm32"))]
    text.to_lowercase()
}

/// The two letters of a person: first letters of the first and the last word.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1000), "1,000");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(counted(1, "item", "items"), "1 item");
    }

    #[test]
    fn a_local_time_says_how_far_it_is_from_utc() {
        let at = 1_700_000_000_000;
        assert_eq!(in_zone(at, 0), "2023-11-14 22:13:20 UTC");
        assert_eq!(in_zone(at, 60), "2023-11-14 23:13:20 (UTC+1)");
        assert_eq!(in_zone(at, 330), "2023-11-15 03:43:20 (UTC+5:30)");
        assert_eq!(in_zone(at, -210), "2023-11-14 18:43:20 (UTC-3:30)");
    }

    #[test]
    fn times_are_told_from_now() {
        let now = 1_700_000_000_000;
        assert_eq!(relative(now - 3_000, now), "just now");
        assert_eq!(relative(now - 60_000, now), "1 min ago");
        assert_eq!(relative(now - 7_200_000, now), "2 h ago");
        assert_eq!(relative(now + 3 * 86_400_000, now), "in 3 d");
    }

    #[test]
    fn spans_grow_in_their_units() {
        assert_eq!(span(840), "840 ms");
        assert_eq!(whole_seconds(840), "0 s");
        assert_eq!(whole_seconds(-1), "0 s");
        assert_eq!(span(12_000), "12 s");
        assert_eq!(span(200_000), "3 min 20 s");
        assert_eq!(span(7_500_000), "2 h 05 min");
    }

    #[test]
    fn initials_are_those_of_the_first_and_last_word() {
        assert_eq!(initials("Ada Maria Lovelace"), "AL");
        assert_eq!(initials("émile"), "É");
        assert_eq!(initials(""), "");
    }
}
