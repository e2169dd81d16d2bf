//! How the states of runs look, and the words for them.

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::CancelledBy;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::reason::ReasonCode;

use crate::ui::icon::Icon;

/// Whether a run ended because a person wanted it to: no alarm, whatever bucket it is counted in.
#[must_use]
pub fn is_cancelled(bucket: OperationBucket, reason: Option<ReasonCode>) -> bool {
    bucket == OperationBucket::Failed && reason == Some(ReasonCode::Cancelled)
}

/// Who cancelled a run, for somebody who reads of it: `you`, or a name.
#[must_use]
pub fn canceller(by: Option<&CancelledBy>, viewer: UserId) -> Option<String> {
    by.map(|by| if by.user_id == Some(viewer) { "you".to_owned() } else { by.name.clone() })
}

/// The word for how a run is, as in "Everything: cancelled by you".
#[must_use]
pub fn word(bucket: OperationBucket, reason: Option<ReasonCode>, canceller: Option<&str>) -> String {
    match canceller {
        Some(by) if is_cancelled(bucket, reason) => format!("cancelled by {by}"),
        None if is_cancelled(bucket, reason) => "cancelled".to_owned(),
        _ => bucket.label().to_ascii_lowercase(),
    }
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
