//! How the states of runs look.

use crate::ui::icon::Icon;
use tenantatlas_domain::operation::OperationBucket;

/// The tone and the drawing of a state.
#[must_use]
pub const fn look(bucket: OperationBucket) -> (&'static str, Icon) {
    match bucket {
        OperationBucket::Queued => ("idle", Icon::Waiting),
        OperationBucket::Running => ("info", Icon::Turning),
        OperationBucket::Succeeded => ("ok", Icon::Done),
        OperationBucket::PartiallySucceeded => ("warn", Icon::Partly),
        OperationBucket::Failed => ("bad", Icon::Failed),
    }
}
