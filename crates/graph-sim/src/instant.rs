//! Instants as Graph writes them.

use std::io::Write as _;

/// Writes seconds since 1970 as `2026-11-20T22:00:00Z` (days to civil date after Howard Hinnant's algorithm).
pub fn write_time(out: &mut Vec<u8>, seconds: u64) {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60);
}

/// Writes milliseconds since 1970 with the seven digits of a fraction that audit logs have.
pub fn write_millis(out: &mut Vec<u8>, millis: u64) {
    write_time(out, millis / 1_000);
    out.pop();
    let _ = write!(out, ".{:03}0000Z", millis % 1_000);
}

#[cfg(test)]
mod tests {
    use super::write_time;

    #[test]
    fn instants_are_written_as_graph_writes_them() {
        let mut out = Vec::new();
        write_time(&mut out, 1_700_000_000);
        assert_eq!(String::from_utf8(out).as_deref(), Ok("2023-11-14T22:13:20Z"));
    }
}
