//! The one error type of the engine.

use tenantatlas_commands::{CommandError, Refusal};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::selection::SelectionError;
use tenantatlas_domain::setting_query::QueryError;
use tenantatlas_graph::GraphError;
use tenantatlas_store::StoreError;
use tenantatlas_store::audit::Outcome;

/// Why the engine refused or could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such thing, or it is not the actor's to see: both look alike (`docs/rules.md`, section Access).
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// The actor sees it but may not do this.
    #[error("your role does not allow this")]
    Forbidden,
    /// The actor may do this, but must prove again who they are: see [`tenantatlas_commands::CONFIRMATION_LASTS`].
    #[error("this needs a password that was confirmed in the last ten minutes")]
    Confirm,
    /// A value is not acceptable.
    #[error("{field} {message}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What is expected, as the rest of a sentence that begins with the field.
        message: String,
    },
    /// It collides with what is there already.
    #[error("{0}")]
    Conflict(String),
    /// It was asked for too often, or too much is waiting already; the sentence says what to do.
    #[error("{0}")]
    TooMany(String),
    /// The selection cannot be read.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// What is looked for among settings cannot be understood.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The database refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Microsoft Graph refused or failed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The engine is stopping and takes nothing new.
    #[error("the server is stopping")]
    Stopping,
    /// Something that should not happen; the text is for the log.
    #[error("internal fault: {0}")]
    Internal(String),
}

impl EngineError {
    /// A refusal of one value.
    #[must_use]
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }

    /// The stable code of the error, where `docs/rules.md`, section Reason codes, has one.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::Graph(error) => error.reason,
            Self::Store(_) => ReasonCode::StorageFailed,
            Self::Stopping => ReasonCode::DispatchFailed,
            _ => ReasonCode::Internal,
        }
    }
}

impl From<CommandError> for EngineError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound(what) => Self::NotFound(what),
            CommandError::Forbidden => Self::Forbidden,
            CommandError::Confirm => Self::Confirm,
            CommandError::Conflict(message) => Self::Conflict(message),
            CommandError::TooMany(message) => Self::TooMany(message),
            CommandError::Store(error) => Self::Store(error),
            CommandError::Stopping => Self::Stopping,
            CommandError::Internal(message) => Self::Internal(message),
        }
    }
}

impl Refusal for EngineError {
    fn audited(&self) -> Option<(Outcome, &'static str)> {
        Some(match self {
            Self::Forbidden | Self::NotFound("the tenant") => (Outcome::Denied, "forbidden"),
            Self::NotFound(_) => (Outcome::Failure, "not_found"),
            Self::Confirm => (Outcome::Denied, "confirm"),
            Self::Invalid { field, .. } => (Outcome::Failure, field),
            Self::Conflict(_) => (Outcome::Failure, "conflict"),
            Self::TooMany(_) => (Outcome::Denied, "too_many"),
            Self::Selection(_) => (Outcome::Failure, "selection"),
            Self::Query(_) => (Outcome::Failure, "query"),
            Self::Graph(_) => (Outcome::Failure, "graph"),
            Self::Store(_) | Self::Stopping | Self::Internal(_) => return None,
        })
    }

    fn is_deadlock(&self) -> bool {
        matches!(self, Self::Store(StoreError::Deadlock))
    }
}
