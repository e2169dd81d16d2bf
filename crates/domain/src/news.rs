//! What a run found that was not known before (`docs/rules.md`, section Missing).

use serde::{Deserialize, Serialize};

/// What a run found that was not known before, in counts of the things of its operation (for an inventory sync: items).
/// Words are made of it when it is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct News {
    /// Missing as the run tells it, of what it read to the end itself.
    pub missing: u64,
    /// Those of them that no earlier run of the scope had told of.
    pub newly_missing: u64,
    /// Whether another fault of the run makes it unsure that they are missing.
    pub unsure: bool,
    /// Found with another content than before.
    pub changed: u64,
    /// Found for the first time, in what had been read before.
    pub new: u64,
    /// Found in what was read to the end for the first time: the baseline, which is neither new nor changed.
    pub first_read: u64,
    /// What a comparison found; `None` of other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<FindingNews>,
    /// New versions that a capture kept; `None` of other runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<u64>,
}

/// What a comparison found, in findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingNews {
    /// Found, or found again with another content than was accepted.
    pub new: u64,
    /// No longer there.
    pub gone: u64,
}

impl News {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let findings = self.findings.unwrap_or_default();
        let of_others = (findings.new, findings.gone, self.versions.unwrap_or_default());
        (self.missing, self.changed, self.new, self.first_read) == (0, 0, 0, 0) && of_others == (0, 0, 0)
    }
}
