//! What becomes of a finding whose drift goes on, comes back, or shows another value.

use super::{DriftValue, FindingStatus};
use crate::time::Timestamp;

crate::names::named! {
    /// Why a finding that was accepted is new again.
    #[derive(PartialOrd, Ord)]
    pub enum Reopened: UnknownReopened, "reason why a finding is new again" {
        /// What is there is not what was accepted.
        OtherValue = "other_value",
        /// The acceptance had an end, which has passed.
        Expired = "expired",
        /// Somebody took the acceptance back.
        ByHand = "by_hand",
    }
}

/// What somebody accepted, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The value that was there; `None` stands for the absence of the object.
    pub value: Option<DriftValue>,
    /// When it ends; `None` for never.
    pub until: Option<Timestamp>,
}

/// A finding as it was when its object was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What somebody accepted of it, whether that is still what is there or not.
    pub acceptance: Option<Acceptance>,
    /// Why it was new again, where it was.
    pub reopened: Option<Reopened>,
    /// The value that was there.
    pub value: Option<DriftValue>,
    /// The number of the run that told of it.
    pub checked_seq: i64,
}

/// What a run tells of the object of a finding that has not gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The value; `None` stands for the absence of the object.
    pub value: Option<DriftValue>,
    /// The number of the run that found this content; `None` where the object is not there.
    pub since_seq: Option<i64>,
    /// Now.
    pub at: Timestamp,
}

/// What a finding is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// New, or accepted.
    pub status: FindingStatus,
    /// Why it is new although it was accepted once.
    pub reopened: Option<Reopened>,
    /// What is accepted of it. Kept when another value is there, so that the finding says what was accepted and is accepted
    /// again when that value comes back.
    pub acceptance: Option<Acceptance>,
}

/// Judges a finding whose object differs from its baseline. `standing` is what is known of it, also from before its drift was
/// gone for a while; `None` for one that is found for the first time.
#[must_use]
pub fn judge(standing: Option<&Standing>, sight: &Sight) -> Verdict {
    let Some(standing) = standing else {
        return Verdict { status: FindingStatus::New, reopened: None, acceptance: None };
    };
    let Some(acceptance) = &standing.acceptance else {
        return Verdict { status: FindingStatus::New, reopened: standing.reopened, acceptance: None };
    };
    let acceptance = carried(acceptance, standing, sight);
    let again = if acceptance.value != sight.value {
        Some(Reopened::OtherValue)
    } else if acceptance.until.is_some_and(|until| until <= sight.at) {
        Some(Reopened::Expired)
    } else {
        None
    };
    let status = if again.is_some() { FindingStatus::New } else { FindingStatus::Acknowledged };
    Verdict { status, reopened: again, acceptance: Some(acceptance) }
}

/// The acceptance in the rules of comparing of today: of a content that no run has found changed since it was last looked at
/// as the accepted one, new rules make another value, but it is the same content.
fn carried(acceptance: &Acceptance, standing: &Standing, sight: &Sight) -> Acceptance {
    let other_rules = match (&acceptance.value, &sight.value) {
        (Some(accepted), Some(now)) => !accepted.is_comparable_with(now),
        _ => false,
    };
    let untouched = sight.since_seq.is_some_and(|since| since <= standing.checked_seq);
    let value = if other_rules && untouched && standing.value == acceptance.value {
        sight.value.clone()
    } else {
        acceptance.value.clone()
    };
    Acceptance { value, until: acceptance.until }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{ChangeKind, ItemState, value_of};
    use crate::normalise::observation_hash;

    fn value(rules: u32, settings: i64) -> DriftValue {
        let state = ItemState {
            content_hash: observation_hash(b"x"),
            normaliser_version: rules,
            display_name: String::new(),
            settings: Some(settings),
            assignments: None,
            since_seq: 0,
        };
        value_of(ChangeKind::Modified, &state)
    }

    fn accepted(value: Option<DriftValue>, until: Option<i64>) -> Standing {
        let acceptance = Some(Acceptance { value: value.clone(), until: until.map(Timestamp::from_millis) });
        Standing { acceptance, reopened: None, value, checked_seq: 10 }
    }

    fn sight(value: Option<DriftValue>) -> Sight {
        Sight { since_seq: value.as_ref().map(|_| 8), value, at: Timestamp::from_millis(1_000) }
    }

    fn of(standing: &Standing, seen: Option<DriftValue>) -> (FindingStatus, Option<Reopened>) {
        let verdict = judge(Some(standing), &sight(seen));
        (verdict.status, verdict.reopened)
    }

    #[test]
    fn what_nobody_accepted_is_new_and_stays_it() {
        assert_eq!(judge(None, &sight(None)).status, FindingStatus::New);
        let standing = Standing { acceptance: None, reopened: None, value: Some(value(2, 1)), checked_seq: 3 };
        assert_eq!(of(&standing, Some(value(2, 1))), (FindingStatus::New, None));
        let taken_back = Standing { reopened: Some(Reopened::ByHand), ..standing };
        assert_eq!(of(&taken_back, Some(value(2, 1))), (FindingStatus::New, Some(Reopened::ByHand)));
    }

    #[test]
    fn another_value_than_the_accepted_one_is_new_and_the_accepted_one_is_accepted_again() {
        let standing = accepted(Some(value(2, 1)), None);
        assert_eq!(of(&standing, Some(value(2, 1))), (FindingStatus::Acknowledged, None));
        let verdict = judge(Some(&standing), &sight(Some(value(2, 5))));
        assert_eq!((verdict.status, verdict.reopened), (FindingStatus::New, Some(Reopened::OtherValue)));
        let kept = verdict.acceptance.clone().unwrap();
        assert_eq!(kept.value, Some(value(2, 1)), "it still says what was accepted");
        let reopened = Standing {
            acceptance: verdict.acceptance,
            reopened: verdict.reopened,
            value: Some(value(2, 5)),
            checked_seq: 12,
        };
        assert_eq!(of(&reopened, Some(value(2, 1))), (FindingStatus::Acknowledged, None));
    }

    #[test]
    fn an_accepted_absence_is_accepted_for_as_long_as_it_lasts_and_whenever_it_comes_back() {
        let standing = accepted(None, None);
        assert_eq!(of(&standing, None), (FindingStatus::Acknowledged, None));
        assert_eq!(of(&standing, Some(value(2, 1))), (FindingStatus::New, Some(Reopened::OtherValue)));
    }

    #[test]
    fn an_acceptance_whose_end_has_passed_is_none() {
        let still = accepted(Some(value(2, 1)), Some(1_001));
        assert_eq!(of(&still, Some(value(2, 1))), (FindingStatus::Acknowledged, None));
        let over = accepted(Some(value(2, 1)), Some(1_000));
        assert_eq!(of(&over, Some(value(2, 1))), (FindingStatus::New, Some(Reopened::Expired)));
        assert_eq!(of(&over, Some(value(2, 2))), (FindingStatus::New, Some(Reopened::OtherValue)));
    }

    #[test]
    fn new_rules_of_comparing_reopen_nothing_that_no_run_found_changed() {
        let standing = accepted(Some(value(2, 1)), None);
        let verdict = judge(Some(&standing), &sight(Some(value(3, 77))));
        assert_eq!(verdict.status, FindingStatus::Acknowledged);
        assert_eq!(verdict.acceptance.unwrap().value, Some(value(3, 77)), "from now on in the new rules");
        let changed = Sight { since_seq: Some(11), ..sight(Some(value(3, 77))) };
        assert_eq!(judge(Some(&standing), &changed).reopened, Some(Reopened::OtherValue));
        // It was not the accepted value that was there before.
        let other = Standing { value: Some(value(2, 4)), ..standing };
        assert_eq!(judge(Some(&other), &sight(Some(value(3, 77)))).status, FindingStatus::New);
    }
}
