//! What goes over the wire, and nothing else does: a change of the store changes no document. Ids and times are texts.

mod finding;
mod inventory;
mod run;
mod tenant;
mod time;

pub use finding::{
    AcceptFindings, AuditEntries, AuditEntry, Changed, Finding, Findings, FoundSettings, ReopenFindings,
};
pub use inventory::{
    Assignment, Assignments, Difference, Item, Items, NotRead, TypeState, Types, Version, VersionBody, Versions,
};
pub use run::{Attempt, CancelAnswer, Failure, Operation, Run, RunDetail, Runs, StartRun, Started, Why};
pub use tenant::{Tenant, Tenants, Token};
pub use time::time;
