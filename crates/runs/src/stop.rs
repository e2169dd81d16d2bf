//! Why a run does not go on.

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sanitise;
use tenantatlas_store::StoreError;
use tenantatlas_store::operation_runs::{End, Rest};

/// Why a run does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The lease is gone: another worker may have the run, so nothing more may be written.
    #[error("the lease of the run was lost")]
    LeaseLost,
    /// The database did not answer, also when it was asked again: nothing can be said of the run, so it is neither ended nor
    /// given back. Another worker goes on as after one that was lost, which bounds how often.
    #[error("the database did not answer")]
    DatabaseAway,
    /// The process is stopping: the lease is given back and another worker goes on.
    #[error("the process is stopping")]
    Shutdown,
    /// A person cancelled it.
    #[error("the run was cancelled")]
    Cancelled,
    /// It ends `aborted` with every open item skipped for this reason (lock held, limit reached).
    #[error("{reason}")]
    Aborted {
        /// The stable code.
        code: ReasonCode,
        /// A sentence for the person.
        reason: String,
    },
    /// It ends `failed`, with every open item failed for this reason.
    #[error("{reason}")]
    Failed {
        /// The stable code.
        code: ReasonCode,
        /// A sentence for the person, sanitised.
        reason: String,
    },
}

impl Stop {
    /// The run cannot go on for a reason that is a fault.
    pub fn failed(code: ReasonCode, reason: impl AsRef<str>) -> Self {
        Self::Failed { code, reason: sanitise::redact(reason.as_ref()) }
    }

    /// The run does not get its turn.
    #[must_use]
    pub fn aborted(code: ReasonCode) -> Self {
        Self::Aborted { code, reason: code.sentence().to_owned() }
    }

    /// The end of a run that stops like this; `None` when it goes on elsewhere.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        let (status, code, reason, rest) = match self {
            Self::LeaseLost | Self::DatabaseAway | Self::Shutdown => return None,
            Self::Cancelled => {
                let sentence = ReasonCode::Cancelled.sentence().to_owned();
                (OperationStatus::Aborted, ReasonCode::Cancelled, sentence, Rest::Skipped)
            }
            Self::Aborted { code, reason } => (OperationStatus::Aborted, *code, reason.clone(), Rest::Skipped),
            Self::Failed { code, reason } => (OperationStatus::Failed, *code, reason.clone(), Rest::Failed),
        };
        Some(End { status, reason_code: Some(code), reason, rest })
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::LeaseLost,
            error if error.is_transient() => {
                tracing::warn!(%error, "the database did not answer");
                Self::DatabaseAway
            }
            error => {
                tracing::error!(%error, "the database refused a write of a run");
                Self::failed(error.reason(), error.to_string())
            }
        }
    }
}
