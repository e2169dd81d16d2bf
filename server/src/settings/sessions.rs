//! The settings of sessions of the web application.

use std::ops::RangeInclusive;
use std::time::Duration;

use tenantatlas_engine::SessionPolicy;

use super::wrong;
use crate::exit::Exit;

/// Minutes that a session may rest. Less than five would end it while somebody reads.
const IDLE_MINUTES: RangeInclusive<u64> = 5..=720;
/// Hours that a session may last: two weeks at most.
const LIFETIME_HOURS: RangeInclusive<u64> = 1..=336;

/// Reads the three settings; what is not set has its default.
///
/// # Errors
/// Names the setting and what was expected.
pub(super) fn policy(
    idle: Option<&str>,
    lifetime: Option<&str>,
    second_factor: Option<&str>,
) -> Result<SessionPolicy, Exit> {
    let mut policy = SessionPolicy::default();
    if let Some(text) = idle {
        let name = "session_idle (TENANTATLAS_SESSION_IDLE)";
        policy.idle = Duration::from_secs(60 * number(name, text, &IDLE_MINUTES, "minutes")?);
    }
    if let Some(text) = lifetime {
        let name = "session_lifetime (TENANTATLAS_SESSION_LIFETIME)";
        policy.lifetime = Duration::from_secs(3_600 * number(name, text, &LIFETIME_HOURS, "hours")?);
    }
    if let Some(text) = second_factor {
        policy.require_second_factor = text.trim().parse().map_err(|error| {
            wrong(&format!(
                "the setting require_second_factor (TENANTATLAS_REQUIRE_SECOND_FACTOR) is \"{text}\": {error}"
            ))
        })?;
    }
    Ok(policy)
}

fn number(name: &str, text: &str, range: &RangeInclusive<u64>, unit: &str) -> Result<u64, Exit> {
    text.trim().parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        wrong(&format!("the setting {name} is \"{text}\": expected {unit}, a whole number from {least} to {most}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantatlas_engine::RequireSecondFactor;

    #[test]
    fn without_settings_a_session_ends_after_half_an_hour_of_rest_and_twelve_hours_in_any_case() {
        let policy = policy(None, None, None).expect("valid");
        assert_eq!((policy.idle.as_secs(), policy.lifetime.as_secs()), (1_800, 43_200));
        assert_eq!(policy.require_second_factor, RequireSecondFactor::None);
    }

    #[test]
    fn lengths_and_rules_out_of_range_are_refused_by_name() {
        let set = policy(Some("720"), Some("336"), Some("administrators")).expect("valid");
        assert_eq!((set.idle.as_secs(), set.lifetime.as_secs()), (43_200, 1_209_600));
        assert_eq!(set.require_second_factor, RequireSecondFactor::Administrators);
        for (wrong, named) in [
            (policy(Some("721"), None, None), "TENANTATLAS_SESSION_IDLE"),
            (policy(Some("half an hour"), None, None), "TENANTATLAS_SESSION_IDLE"),
            (policy(None, Some("0"), None), "TENANTATLAS_SESSION_LIFETIME"),
            (policy(None, None, Some("admins")), "expected none, administrators or everyone"),
        ] {
            let error = wrong.expect_err("refused").to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
