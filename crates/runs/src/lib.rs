//! The runner of long operations: dispatch, lease, completion, cancel, retry, follow-ups, live events. It knows no operation;
//! the compiler sees to that.
//!
//! The operation run is the job: dispatch, audit and notification commit in one transaction, a worker claims the run by a
//! lease that one heartbeat renews, and everything it writes names the lease, so that a worker which lost it can write nothing
//! more. A run whose worker died is taken over where it stopped. There is no second queue that could disagree.
//!
//! An operation is a module elsewhere that implements [`Operation`] and [`Work`], and a line in the list given to
//! [`Runner::start`].

mod bus;
mod cancel;
mod completion;
mod config;
mod context;
mod core;
mod dispatch;
mod follow;
mod follow_up;
mod heartbeat;
mod live;
mod liveness;
mod many;
mod notification;
mod notifier;
mod operation;
mod outbox;
mod registry;
mod retry;
mod runner;
mod scheduled;
mod state;
mod stop;
mod sweeper;
mod traced;
mod worker;
mod working;

pub use bus::{Events, Published, Subscription, Topic};
pub use cancel::Cancelled;
pub use config::RunnerConfig;
pub use context::RunContext;
pub use dispatch::Dispatched;
pub use follow_up::follow_up;
pub use many::{LONGEST_WHY, MOST_AT_ONCE, Outcomes};
pub use notification::{ITEMS_OBSERVED, QUIET, RUN_ENDED, RUN_QUEUED, ReasonCount, RunNotice, count_reasons};
pub use operation::{Operation, OperationKind, RetryPart, Summary, Work, words_of};
pub use registry::Operations;
pub use runner::Runner;
pub use scheduled::{DueClaim, DueWork, LastTime, Started};
pub use state::words_of_unknown;
pub use stop::Stop;
