//! What could not be compared, and why. It is neither drift nor fine.

use serde::{Deserialize, Serialize};

use crate::invisible::visible_on_page;
use crate::reason::ReasonCode;
use crate::time::Timestamp;

crate::names::named! {
    /// Why something could not be compared.
    #[derive(PartialOrd, Ord)]
    pub enum GapCode: UnknownGapCode, "reason why something is not comparable" {
        /// The current run did not read the type to the end.
        NotRead = "not_read",
        /// No earlier run of the scope has read the type to the end.
        NoBaseline = "no_baseline",
        /// The list changed while it was read, so that what it did not show may be there.
        Unsteady = "unsteady",
        /// The two contents were normalised by different rules.
        RulesChanged = "rules_changed",
    }
}

/// A type of which something could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The key of the type.
    pub policy_type: String,
    /// Why.
    pub code: GapCode,
    /// Why the type was not read, where that is the reason and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
    /// The same as the run said it, sanitised: which permission is lacking, until when Microsoft allows no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many objects this concerns; `None` for all of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u64>,
}

impl Gap {
    /// The stable code for scripts: that of the run where it gave one.
    #[must_use]
    pub fn reason_code(&self) -> &'static str {
        self.reason.map_or(self.code.as_str(), ReasonCode::as_str)
    }

    /// One sentence for a person that goes on after "Not comparable, because".
    #[must_use]
    pub fn because(&self) -> String {
        let items = match self.items {
            None => String::new(),
            Some(1) => " This concerns 1 object.".to_owned(),
            Some(items) => format!(" This concerns {items} objects."),
        };
        let why = match (self.code, self.reason) {
            (GapCode::NotRead, _) if self.message.is_some() => {
                let said = self.message.as_deref().unwrap_or_default();
                format!("the run did not read this type to the end. {}", visible_on_page(said))
            }
            (GapCode::NotRead, Some(reason)) => {
                format!("the run did not read this type to the end. {}", reason.sentence())
            }
            (GapCode::NotRead, None) => {
                "the run did not read this type to the end: sync it again, then compare again.".to_owned()
            }
            (GapCode::NoBaseline, _) => {
                "no earlier run has read this type to the end: the next one has something to be compared with."
                    .to_owned()
            }
            (GapCode::Unsteady, _) => {
                "the list changed while it was read, so that what it did not show may be there: sync it again."
                    .to_owned()
            }
            (GapCode::RulesChanged, _) => {
                "the contents were made comparable by rules of different versions of this program.".to_owned()
            }
        };
        why + &items
    }
}

/// What became of a gap since the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapNow {
    /// What could not be compared then.
    pub gap: Gap,
    /// When the type was read to the end since then; `None` while it was not.
    pub read_at: Option<Timestamp>,
    /// What a later run says that did not read it either, where it says something else.
    pub said_since: Option<String>,
}

impl GapNow {
    /// Whether the next comparison would come to the same.
    #[must_use]
    pub const fn is_still_so(&self) -> bool {
        self.read_at.is_none()
    }

    /// Whether it still is so, in a sentence.
    #[must_use]
    pub fn now(&self) -> String {
        match (self.read_at, &self.said_since) {
            (Some(at), _) => format!("It was read to the end since, at {}: compare again.", at.to_rfc3339()),
            (None, Some(said)) => format!("It still is so. The latest run says: {}", visible_on_page(said)),
            (None, None) => "It still is so.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_names_the_reason_of_the_run_where_there_is_one_and_its_own_elsewhere() {
        let gap = |code, reason, items| Gap { policy_type: "mobileApp".to_owned(), code, reason, message: None, items };
        let refused = gap(GapCode::NotRead, Some(ReasonCode::PermissionMissing), None);
        assert_eq!(refused.reason_code(), "permission_missing");
        assert!(refused.because().contains("permission"), "{}", refused.because());
        let unsteady = gap(GapCode::Unsteady, None, Some(2));
        assert_eq!(unsteady.reason_code(), "unsteady");
        assert!(unsteady.because().ends_with("This concerns 2 objects."), "{}", unsteady.because());
        let json = serde_json::to_string(&unsteady).unwrap();
        assert_eq!(serde_json::from_str::<Gap>(&json).unwrap(), unsteady);
    }

    #[test]
    fn a_gap_says_until_when_and_which_permission_and_whether_it_still_is_so() {
        let said = "Microsoft Graph allows no request before 2026-11-27T15:00:00Z.".to_owned();
        let gap = Gap {
            policy_type: "mobileApp".to_owned(),
            code: GapCode::NotRead,
            reason: Some(ReasonCode::GraphThrottled),
            message: Some(said.clone()),
            items: None,
        };
        assert!(gap.because().ends_with(&said), "{}", gap.because());
        let still = GapNow { gap: gap.clone(), read_at: None, said_since: None };
        assert!(still.is_still_so() && still.now() == "It still is so.");
        let healed = GapNow { gap, read_at: Some(Timestamp::from_millis(0)), said_since: None };
        assert!(!healed.is_still_so() && healed.now().contains("1970-01-01"), "{}", healed.now());
    }
}
