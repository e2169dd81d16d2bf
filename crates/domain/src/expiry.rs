//! Objects that end on a date which the inventory keeps: certificates and tokens by which Intune speaks with others. That the date
//! comes near is no drift, and is told by itself (`docs/rules.md`, section Ends of certificates and tokens).

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// Types of which the end of an object matters, with the allow-listed fact that tells it.
const ENDS: [(&str, &str); 5] = [
    ("androidEnrollmentProfile", "tokenExpirationDateTime"),
    ("appleEnrollmentToken", "tokenExpirationDateTime"),
    ("applePushCertificate", "expirationDateTime"),
    ("iosLobProvisioningProfile", "expirationDateTime"),
    ("vppToken", "expirationDateTime"),
];

/// So many days before the end people are told, the nearest last; 0 is when it is over.
pub const DAYS_BEFORE: [u32; 4] = [30, 7, 1, 0];

const DAY: i64 = 24 * 3_600_000;

/// The types of objects that end.
pub fn types() -> impl Iterator<Item = &'static str> {
    ENDS.iter().map(|(policy_type, _)| *policy_type)
}

/// When an object ends, as its facts tell it. `None` for what does not end, and for dates that stand for none: Microsoft writes the
/// first day of all time where there is no token.
#[must_use]
pub fn expires_at(policy_type: &str, meta: &Map<String, Value>) -> Option<Timestamp> {
    let (_, fact) = ENDS.iter().find(|(key, _)| *key == policy_type)?;
    let at = Timestamp::parse_rfc3339(meta.get(*fact)?.as_str()?)?;
    (at.as_millis() > 0).then_some(at)
}

/// The days that are left of a stretch of time, a day that has begun counting as one; 0 or less when it is over.
#[must_use]
pub fn days_left(expires_at: Timestamp, now: Timestamp) -> i64 {
    let left = expires_at.as_millis().saturating_sub(now.as_millis());
    left.div_euclid(DAY) + i64::from(left.rem_euclid(DAY) > 0)
}

/// Which of [`DAYS_BEFORE`] an end has come to: the nearest one. `None` while it is further away.
#[must_use]
pub fn reached(expires_at: Timestamp, now: Timestamp) -> Option<u32> {
    let left = days_left(expires_at, now);
    DAYS_BEFORE.into_iter().rev().find(|days| left <= i64::from(*days))
}

/// That in words, to be put behind a name: `expires in 7 days`, `has expired`.
#[must_use]
pub fn words(expires_at: Timestamp, now: Timestamp) -> String {
    match days_left(expires_at, now) {
        ..=0 => "has expired".to_owned(),
        1 => "expires within a day".to_owned(),
        days => format!("expires in {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::registry;

    fn meta(fact: &str, value: &str) -> Map<String, Value> {
        Map::from_iter([(fact.to_owned(), json!(value))])
    }

    #[test]
    fn only_facts_that_the_inventory_keeps_tell_an_end() {
        for (key, fact) in ENDS {
            let policy_type = registry().get(key).unwrap();
            assert!(policy_type.meta.iter().any(|field| field.key == fact), "{key} keeps no {fact}");
            let at = expires_at(key, &meta(fact, "2027-01-02T03:04:05Z"));
            assert_eq!(at, Timestamp::parse_rfc3339("2027-01-02T03:04:05Z"));
            assert_eq!(expires_at(key, &meta(fact, "0001-01-01T00:00:00Z")), None, "no token, no end");
        }
        assert_eq!(expires_at("settingsCatalogPolicy", &meta("expirationDateTime", "2027-01-02T03:04:05Z")), None);
    }

    #[test]
    fn each_number_of_days_is_reached_by_the_day_and_the_nearest_one_counts() {
        let end = Timestamp::from_millis(1_000 * DAY);
        let before = |millis: i64| reached(end, Timestamp::from_millis(1_000 * DAY - millis));
        assert_eq!((before(31 * DAY), before(30 * DAY + 1), before(30 * DAY)), (None, None, Some(30)));
        assert_eq!((before(7 * DAY + 1), before(7 * DAY), before(2 * DAY)), (Some(30), Some(7), Some(7)));
        assert_eq!((before(DAY), before(1), before(0), before(-5 * DAY)), (Some(1), Some(1), Some(0), Some(0)));
        assert_eq!(words(end, Timestamp::from_millis(993 * DAY)), "expires in 7 days");
    }
}
