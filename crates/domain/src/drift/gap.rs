//! What could not be compared, and why. It is neither drift nor fine.

use serde::{Deserialize, Serialize};

use crate::reason::ReasonCode;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_names_the_reason_of_the_run_where_there_is_one_and_its_own_elsewhere() {
        let gap = |code, reason, items| Gap { policy_type: "mobileApp".to_owned(), code, reason, items };
        let refused = gap(GapCode::NotRead, Some(ReasonCode::PermissionMissing), None);
        assert_eq!(refused.reason_code(), "permission_missing");
        assert!(refused.because().contains("permission"), "{}", refused.because());
        let unsteady = gap(GapCode::Unsteady, None, Some(2));
        assert_eq!(unsteady.reason_code(), "unsteady");
        assert!(unsteady.because().ends_with("This concerns 2 objects."), "{}", unsteady.because());
        let json = serde_json::to_string(&unsteady).unwrap();
        assert_eq!(serde_json::from_str::<Gap>(&json).unwrap(), unsteady);
    }
}
