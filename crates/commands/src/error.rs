//! Why a command was refused or failed.

use tenantatlas_store::StoreError;
use tenantatlas_store::audit::Outcome;

/// Why a command was refused or could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such thing, or it is not the actor's to see: both look alike (`docs/rules.md`, section Access).
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// The actor sees it but may not do this.
    #[error("your role does not allow this")]
    Forbidden,
    /// The actor may do this, but must prove again who they are: see [`crate::CONFIRMATION_LASTS`].
    #[error("this needs a password that was confirmed in the last ten minutes")]
    Confirm,
    /// It collides with what is there already.
    #[error("{0}")]
    Conflict(String),
    /// It was asked for too often, or too much is waiting already; the sentence says what to do.
    #[error("{0}")]
    TooMany(String),
    /// The database refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process is stopping and takes nothing new.
    #[error("the server is stopping")]
    Stopping,
    /// Something that should not happen; the text is for the log.
    #[error("internal fault: {0}")]
    Internal(String),
}

/// An error with which a command can end.
pub trait Refusal {
    /// What the audit log says of it: how it ended, and a stable word for why. `None` for what the database itself could
    /// not do, since it would hardly take an entry then; the log lines have it.
    fn audited(&self) -> Option<(Outcome, &'static str)>;

    /// Whether the database took the command back because it and another one waited for each other: it may be tried again.
    fn is_deadlock(&self) -> bool;
}

impl Refusal for CommandError {
    fn audited(&self) -> Option<(Outcome, &'static str)> {
        Some(match self {
            Self::Forbidden | Self::NotFound("the tenant") => (Outcome::Denied, "forbidden"),
            Self::NotFound(_) => (Outcome::Failure, "not_found"),
            Self::Confirm => (Outcome::Denied, "confirm"),
            Self::Conflict(_) => (Outcome::Failure, "conflict"),
            Self::TooMany(_) => (Outcome::Denied, "too_many"),
            Self::Store(_) | Self::Stopping | Self::Internal(_) => return None,
        })
    }

    fn is_deadlock(&self) -> bool {
        matches!(self, Self::Store(StoreError::Deadlock))
    }
}
