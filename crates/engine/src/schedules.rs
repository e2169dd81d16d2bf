//! What is started by the clock (`docs/rules.md`, section Schedules): the times of a pattern in a zone, the commands on
//! schedules, and the task that starts what is due.

mod clock_changes;
mod commands;
mod daily;
mod notice;
mod scheduler;
mod times;
mod work;

pub use commands::{ForMany, MOST_TENANTS_AT_ONCE, ScheduleSpec};
pub use notice::ScheduleNotice;
pub(crate) use scheduler::keep;
pub use times::{Due, Times, pattern_of, time_of, zone_names};
pub use work::ScheduleOptions;
