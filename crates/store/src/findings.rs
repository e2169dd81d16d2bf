//! Findings: what drifted between two runs of a scope, and who accepted it (`docs/rules.md`, section Drift).
//!
//! [`plan`] says which types can be compared and with which reads, [`candidates`] walks along indexes over the objects that may
//! differ, [`load`] reads both sides of some of them, and [`record`] keeps what was found. Nothing holds more than a page.

mod accepting;
mod candidates;
mod comparison;
mod list;
mod plan;
mod record;
mod severities;
mod subjects;

pub use accepting::{Accepted, accept, reopen};
pub use candidates::{Cursor, Source, candidates};
pub use comparison::{ComparisonRecord, DriftCounts, gaps_now, latest_comparison, of_run, record_comparison};
pub use list::{FindingFilter, FindingPage, by_fingerprint, count, ids, list, page_of, types};
pub use plan::{ComparedType, Group, Plan, PlanError, Read, plan};
pub use record::{Evidence, Finding, NewFinding, record, resolve};
pub use severities::{set_severity, severities};
pub use subjects::{Subject, load};
