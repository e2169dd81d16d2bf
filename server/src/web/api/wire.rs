//! What goes over the wire, and nothing else does: a change of the store changes no document. Ids and times are texts.

mod choice;
mod finding;
mod group;
mod inventory;
mod relation;
mod run;
mod schedule;
mod tenant;
mod time;
mod webhook;

pub use choice::{AfterSync, ChangeAfterSync, Comparison, LatestComparison, MarkedRead, Notification, Notifications};
pub use finding::{
    AcceptFindings, AuditEntries, AuditEntry, Changed, Finding, Findings, FoundSettings, ReopenFindings,
};
pub use group::{Group, GroupItems, GroupType, Groups};
pub use inventory::{
    Assignment, Assignments, Difference, FirstRead, Item, Items, NotRead, TypeState, Types, Version, VersionBody,
    Versions,
};
pub use relation::{Reference, Referrer, Relations};
pub use run::{Attempt, CancelAnswer, Failure, Operation, Run, RunDetail, Runs, StartRun, Started, Why};
pub use schedule::{
    AddSchedule, AddSchedules, AddedSchedules, AllSchedules, ChangeSchedule, RefusedSchedule, Schedule, Schedules,
};
pub use tenant::{Tenant, Tenants, Token};
pub use time::time;
pub use webhook::{
    AddEndpoint, AddedEndpoint, ChangeEndpoint, Deliveries, Delivery, WebhookEndpoint, WebhookEndpoints,
};
