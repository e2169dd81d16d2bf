//! How the states of runs look.

use crate::ui::icon::Icon;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::reason::ReasonCode;

/// Whether a run ended because a person wanted it to: no alarm, whatever bucket it is counted in.
#[must_use]
pub fn is_cancelled(bucket: OperationBucket, reason: Option<ReasonCode>) -> bool {
    bucket == OperationBucket::Failed && reason == Some(ReasonCode::Cancelled)
}

/// The word for how a run is, as in "Inventory sync cancelled".
#[must_use]
pub fn word(bucket: OperationBucket, reason: Option<ReasonCode>) -> String {
    if is_cancelled(bucket, reason) { "cancelled".to_owned() } else { bucket.label().to_ascii_lowercase() }
}

/// The tone and the drawing of a state.
#[must_use]
pub fn look(bucket: OperationBucket, reason: Option<ReasonCode>) -> (&'static str, Icon) {
    match bucket {
        _ if is_cancelled(bucket, reason) => ("idle", Icon::Skipped),
        OperationBucket::Queued => ("idle", Icon::Waiting),
        OperationBucket::Running => ("info", Icon::Turning),
        OperationBucket::Succeeded => ("ok", Icon::Done),
        OperationBucket::PartiallySucceeded => ("warn", Icon::Partly),
        OperationBucket::Failed => ("bad", Icon::Failed),
    }
}
