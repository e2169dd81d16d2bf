//! The one error of the web application, as it reaches a person.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::NotAnId;
use tenantatlas_domain::reason::ReasonCode;

/// What kind of refusal it is; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Nobody is signed in, or the session has ended. 401.
    SignedOut,
    /// It does not exist, or not for this person. 404.
    NotFound,
    /// It is visible, but the role does not allow it, or the request names another tenant. 403.
    Forbidden,
    /// The person must prove again who they are before they do this. 403.
    Confirm,
    /// A value is not acceptable. 422.
    Invalid,
    /// It collides with what is there. 409.
    Conflict,
    /// Too many attempts. 429.
    TooMany,
    /// The server cannot do it now. 503.
    Unavailable,
    /// A fault of ours. 500.
    Internal,
}

impl ErrorKind {
    /// The HTTP status of this kind.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::SignedOut => 401,
            Self::NotFound => 404,
            Self::Forbidden | Self::Confirm => 403,
            Self::Invalid => 422,
            Self::Conflict => 409,
            Self::TooMany => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// What is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The name of the field.
    pub field: String,
    /// What was expected, as a sentence.
    pub message: String,
}

/// An error with a sentence for the person. It never carries a database or Graph message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    /// What kind of refusal.
    pub kind: ErrorKind,
    /// One or two sentences: what happened and what to do.
    pub message: String,
    /// The stable code, where the product has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
    /// The field of the form that was not acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every field that was not acceptable, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
}

impl AppError {
    /// An error of a kind with its sentence.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), reason: None, field: None, problems: Vec::new() }
    }

    /// Something that does not exist, or not for this person.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!("{what} was not found. It may have been removed, or you have no access to it."),
        )
    }

    /// The role of the person does not allow it.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            ErrorKind::Forbidden,
            "Your role in this tenant does not allow this. An owner of the tenant can change your role.",
        )
    }

    /// The person does not administer the platform.
    #[must_use]
    pub fn administrators_only() -> Self {
        Self::new(ErrorKind::Forbidden, "Only those who administer the platform may do this.")
    }

    /// Nobody is signed in.
    #[must_use]
    pub fn signed_out() -> Self {
        Self::new(ErrorKind::SignedOut, "Your session has ended. Sign in again to go on.")
    }

    /// The arguments of a server function that cannot be read, with what its format says of it. An id that is none names
    /// nothing, and is answered like one that nobody has. Only the server reads arguments.
    #[must_use]
    pub fn unreadable(message: &str) -> Self {
        match cfg!(feature = "ssr").then(|| NotAnId::within(message)).flatten() {
            Some(NotAnId(record)) => Self::not_found(&format!("The {record}")),
            None => {
                Self::new(ErrorKind::Invalid, "The request could not be understood. Reload the page and try again.")
            }
        }
    }

    /// What is wrong with the field of this name, as a sentence.
    #[must_use]
    pub fn problem_of(&self, name: &str) -> Option<&str> {
        let one = self.problems.iter().find(|problem| problem.field == name).map(|problem| problem.message.as_str());
        one.or_else(|| (self.field.as_deref() == Some(name)).then_some(self.message.as_str()))
    }

    /// The field that it is about, when it is about one alone.
    #[must_use]
    pub fn field_alone(&self) -> Option<&str> {
        self.field.as_deref().filter(|_| self.problems.is_empty())
    }

    /// Nothing when there is no refusal; otherwise all of them in one.
    ///
    /// # Errors
    /// See [`AppError::together`].
    #[cfg(feature = "ssr")]
    pub fn all(refusals: Vec<Self>) -> Result<(), Self> {
        if refusals.is_empty() { Ok(()) } else { Err(Self::together(refusals)) }
    }

    /// Several refusals of fields in one, so that a person sees everything at once. The first field is the one that is gone
    /// to.
    #[cfg(feature = "ssr")]
    #[must_use]
    pub fn together(mut refusals: Vec<Self>) -> Self {
        if refusals.len() == 1 {
            return refusals.remove(0);
        }
        let problems: Vec<FieldProblem> = refusals
            .into_iter()
            .filter_map(|refusal| Some(FieldProblem { field: refusal.field?, message: refusal.message }))
            .collect();
        let message = format!("{} fields need attention. See the message under each of them.", problems.len());
        let field = problems.first().map(|problem| problem.field.clone());
        Self { field, problems, ..Self::new(ErrorKind::Invalid, message) }
    }

    /// A value of a form is not acceptable.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(ErrorKind::Invalid, message) }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => Self::new(
                ErrorKind::Unavailable,
                "The server could not be reached. Check the connection and try again; nothing was lost.",
            ),
            // Forms fail as arguments, JSON as what cannot be deserialised.
            ServerFnErrorErr::Args(message) | ServerFnErrorErr::Deserialization(message) => Self::unreadable(&message),
            ServerFnErrorErr::MissingArg(_) => Self::unreadable(""),
            _ => Self::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas. Try again."),
        }
    }
}

#[cfg(feature = "ssr")]
mod from_below {
    use super::{AppError, ErrorKind};
    use tenantatlas_domain::selection::SelectionError;
    use tenantatlas_engine::{CommandError, EngineError};
    use tenantatlas_store::StoreError;

    /// A sentence from words that begin with the name of a field, which is told as screens call it: `client_id must be …`
    /// becomes `Application (client) ID must be …`.
    fn sentence(field: &str, message: &str) -> String {
        let words = match field {
            "current" => "Current password".to_owned(),
            "entra_tenant_id" => "Directory (tenant) ID".to_owned(),
            "client_id" => "Application (client) ID".to_owned(),
            "login_url" => "Sign-in endpoint".to_owned(),
            "graph_url" => "Microsoft Graph endpoint".to_owned(),
            "email" => "E-mail".to_owned(),
            "cloud" => "Microsoft cloud".to_owned(),
            _ => {
                let mut words = field.replace('_', " ");
                if let Some(first) = words.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                words
            }
        };
        format!("{words} {message}.")
    }

    impl From<CommandError> for AppError {
        fn from(error: CommandError) -> Self {
            EngineError::from(error).into()
        }
    }

    impl From<EngineError> for AppError {
        fn from(error: EngineError) -> Self {
            match error {
                EngineError::NotFound(what) => {
                    let what = what.strip_prefix("the ").unwrap_or(what);
                    Self::not_found(&format!("The {what}"))
                }
                EngineError::Forbidden => Self::forbidden(),
                EngineError::Confirm => Self::new(
                    ErrorKind::Confirm,
                    "This needs your password again, since it was last asked for more than ten minutes ago. Nothing was changed.",
                ),
                EngineError::Invalid { field, message } => Self::invalid(field, sentence(field, &message)),
                EngineError::Conflict(message) => Self::new(ErrorKind::Conflict, message),
                EngineError::TooMany(message) => Self::new(ErrorKind::TooMany, message),
                EngineError::Selection(SelectionError::Empty { .. }) => {
                    Self::invalid("policy_types", "Nothing is chosen. Choose at least one policy type.")
                }
                EngineError::Query(error) => Self::invalid("q", error.to_string()),
                EngineError::Store(error) => error.into(),
                EngineError::Graph(error) => {
                    let mut refusal = Self::new(ErrorKind::Unavailable, error.reason.sentence());
                    refusal.reason = Some(error.reason);
                    refusal
                }
                EngineError::Stopping => Self::new(
                    ErrorKind::Unavailable,
                    "The server is restarting. Try again in a moment; nothing was lost.",
                ),
                EngineError::Internal(detail) => {
                    tracing::error!(detail, "a fault inside the engine");
                    Self::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas. Try again.")
                }
            }
        }
    }

    impl From<StoreError> for AppError {
        fn from(error: StoreError) -> Self {
            tracing::error!(%error, "the database refused");
            match error {
                StoreError::Busy | StoreError::Deadlock | StoreError::Unreachable { .. } | StoreError::Refused(_) => {
                    Self::new(
                        ErrorKind::Unavailable,
                        "The database does not answer. Try again in a moment; nothing was lost.",
                    )
                }
                StoreError::DiskFull
                | StoreError::Unwritable { .. }
                | StoreError::ReadOnly
                | StoreError::Disk { .. } => Self::new(
                    ErrorKind::Unavailable,
                    "The server cannot write: its disk is full or read-only. Tell whoever runs it; nothing was lost.",
                ),
                _ => Self::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas. Try again."),
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::{AppError, ErrorKind, sentence};

        #[test]
        fn what_is_wrong_with_several_fields_is_told_at_once_and_each_beside_its_field() {
            assert_eq!(AppError::all(Vec::new()), Ok(()));
            let one = || AppError::invalid("name", "Enter a name.");
            assert_eq!(AppError::all(vec![one()]), Err(one()));
            let all = AppError::all(vec![one(), AppError::invalid("cloud", "Choose a cloud.")]).expect_err("both");
            assert_eq!((all.kind, all.field.as_deref()), (ErrorKind::Invalid, Some("name")));
            assert_eq!(all.problem_of("name"), Some("Enter a name."));
            assert_eq!(all.problem_of("cloud"), Some("Choose a cloud."));
            assert_eq!((all.problem_of("secret"), one().problem_of("name")), (None, Some("Enter a name.")));
        }

        #[test]
        fn a_refused_field_begins_its_sentence() {
            assert_eq!(sentence("client_id", "must be a GUID"), "Application (client) ID must be a GUID.");
            assert_eq!(sentence("private_key", "must not be empty"), "Private key must not be empty.");
            assert_eq!(sentence("current", "is not yours"), "Current password is not yours.");
        }
    }
}
