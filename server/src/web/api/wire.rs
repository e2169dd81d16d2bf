//! What goes over the wire, and nothing else does: a change of the store changes no document. Ids and times are texts.

mod finding;
mod inventory;
mod relation;
mod run;
mod schedule;
mod tenant;
mod time;

pub use finding::{
    AcceptFindings, AuditEntries, AuditEntry, Changed, Finding, Findings, FoundSettings, ReopenFindings,
};
pub use inventory::{
    Assignment, Assignments, Difference, Item, Items, NotRead, TypeState, Types, Version, VersionBody, Versions,
};
pub use relation::{Reference, Referrer, Relations};
pub use run::{Attempt, CancelAnswer, Failure, Operation, Run, RunDetail, Runs, StartRun, Started, Why};
pub use schedule::{AddSchedule, ChangeSchedule, Schedule, Schedules};
pub use tenant::{Tenant, Tenants, Token};
pub use time::time;
