//! The one error type of the store.

use std::path::PathBuf;

use sqlx::error::ErrorKind;
use sqlx::migrate::MigrateError;
use tenantatlas_domain::reason::ReasonCode;

/// Why the database did not do what was asked. Every message is one sentence for a person and holds no value of a row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database is not understood.
    #[error("the database address is not understood: expected sqlite:PATH or postgres://USER@HOST/NAME ({0})")]
    Address(String),
    /// The file or its folder cannot be written.
    #[error("{path} cannot be written: check that the folder exists and that this user may write to it ({cause})")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// A file that the program needs cannot be read.
    #[error("the file {path} {problem}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the rest of a sentence that begins with the file.
        problem: String,
    },
    /// The database can be read and not written.
    #[error(
        "the database can only be read: check that this user may write to its file and folder, and that the file system or the server is not read-only"
    )]
    ReadOnly,
    /// The disk or its file system failed.
    #[error("the disk that holds the database failed (code {code}): check its free space and its health")]
    Disk {
        /// The code of the database.
        code: String,
    },
    /// The disk is full. Nothing of the transaction was written.
    #[error("the disk that holds the database is full: free some space and try again")]
    DiskFull,
    /// The database was written by a newer program.
    #[error(
        "the database is of version {found}, but this program knows versions up to {known}: use the newer program, or another database"
    )]
    NewerDatabase {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration in this program.
        known: i64,
    },
    /// A migration that was applied is not the one this program has.
    #[error("version {0} of the database is not the one this program would have made: it belongs to another build")]
    ForeignMigration(i64),
    /// The database has not been brought to the version of this program.
    #[error("the database is older than this program: run `tenantatlas migrate` first")]
    OlderDatabase,
    /// The file is no database, or that of another program.
    #[error("{0} is not a TenantAtlas database: name another file, or move this one away so that a new one is made")]
    NotADatabase(PathBuf),
    /// What is to be the database file is something else.
    #[error("{path} is {kind} and no file: name the file that holds the database, or that is to be made")]
    NoFile {
        /// What was named.
        path: PathBuf,
        /// What it is, such as "a folder".
        kind: &'static str,
    },
    /// The database server does not answer.
    #[error("the database at {host} cannot be reached: check the address and that the server runs ({cause})")]
    Unreachable {
        /// Host and port, or the socket folder.
        host: String,
        /// What the system said.
        cause: String,
    },
    /// The database server refused user, password or database name.
    #[error("the database refused the connection: check user, password and database name ({0})")]
    Refused(String),
    /// Another process held the database for too long.
    #[error("the database is busy: another process holds it")]
    Busy,
    /// Two transactions waited for each other, and the database took this one back. The same may succeed at once.
    #[error("the database is busy: two changes waited for each other, try again")]
    Deadlock,
    /// A unique value exists already.
    #[error("this exists already ({constraint})")]
    Conflict {
        /// The constraint or the columns that must be unique.
        constraint: String,
    },
    /// The worker no longer holds the lease under which it wanted to write.
    #[error("the lease of the run was lost")]
    LeaseLost,
    /// A change of state that the rules do not allow.
    #[error(transparent)]
    IllegalTransition(#[from] tenantatlas_domain::operation::IllegalTransition),
    /// More items ended than a run has.
    #[error(transparent)]
    CountersExceeded(#[from] tenantatlas_domain::operation::CountersExceeded),
    /// The key file cannot be used.
    #[error("the key file {path} {problem}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the rest of a sentence that begins with the file.
        problem: String,
    },
    /// The key file is not the one with which the secrets in the database were sealed.
    #[error("the key file {path} does not fit the data: the secrets in the database were sealed with another key")]
    KeyMismatch {
        /// The file.
        path: PathBuf,
    },
    /// The key was replaced, and this process does not have the new one. Nothing was written.
    #[error(
        "the root key was replaced, and the key file {path} does not have the new key: copy the key file of the machine on which `tenantatlas key rotate` ran"
    )]
    KeyReplaced {
        /// The file.
        path: PathBuf,
    },
    /// A sealed secret cannot be opened.
    #[error("a stored secret cannot be opened: it was damaged, or belongs to another tenant or key")]
    Sealed,
    /// A row holds what no version of this program writes.
    #[error("the database holds a value in {column} that is not understood")]
    Corrupt {
        /// The column.
        column: String,
    },
    /// Anything else; the cause goes to the log and not to a person, since it may quote a value.
    #[error("the database failed{}", code.as_ref().map(|code| format!(" (code {code})")).unwrap_or_default())]
    Database {
        /// The code of the database, when it gave one.
        code: Option<String>,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
}

impl StoreError {
    /// The stable reason code (`docs/rules.md`, section Reason codes).
    #[must_use]
    pub const fn reason(&self) -> ReasonCode {
        match self {
            Self::LeaseLost => ReasonCode::WorkerLost,
            Self::IllegalTransition(_) | Self::CountersExceeded(_) => ReasonCode::Internal,
            _ => ReasonCode::StorageFailed,
        }
    }

    /// Whether the same may succeed when tried again soon.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Deadlock | Self::Unreachable { .. })
    }

    /// Whether a unique value exists already.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    pub(crate) fn corrupt(column: impl Into<String>) -> Self {
        Self::Corrupt { column: column.into() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().map(std::borrow::Cow::into_owned);
                if database.kind() == ErrorKind::UniqueViolation {
                    return Self::Conflict { constraint: unique_name(database.as_ref()) };
                }
                let sqlite = sqlite_code(&error);
                match (code.as_deref(), sqlite) {
                    (Some("53100"), _) | (_, Some(13)) => Self::DiskFull,
                    // READONLY; a transaction on a server that only reads, such as a standby.
                    (Some("25006"), _) | (_, Some(8)) => Self::ReadOnly,
                    // IOERR, of which 4874 is a shared-memory file that cannot grow, and CANTOPEN.
                    (Some("58030"), _) | (_, Some(10 | 14)) => Self::Disk { code: code.unwrap_or_default() },
                    (Some("40P01"), _) => Self::Deadlock,
                    (Some("55P03" | "40001"), _) | (_, Some(5 | 6)) => Self::Busy,
                    (Some("57P01" | "57P02" | "57P03" | "53300" | "25P03"), _) => {
                        Self::Unreachable { host: "the server".to_owned(), cause: database.message().to_owned() }
                    }
                    _ => Self::Database { code, source: error },
                }
            }
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(cause) => Self::Unreachable { host: "the server".to_owned(), cause: cause.to_string() },
            // sqlx quotes some names.
            sqlx::Error::ColumnDecode { index, .. } => Self::corrupt(index.trim_matches('"')),
            _ => Self::Database { code: None, source: error },
        }
    }
}

/// The primary code of an error of SQLite, which tells its extended code with the primary one in the lower byte. `None`
/// for others: a SQLSTATE can look like a number as well.
pub(crate) fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let code: u32 = sqlx::error::DatabaseError::code(error)?.parse().ok()?;
    Some(code & 0xff)
}

fn unique_name(error: &dyn sqlx::error::DatabaseError) -> String {
    match error.constraint() {
        Some(name) => name.to_owned(),
        // SQLite: "UNIQUE constraint failed: tenants.name_key"
        None => error.message().rsplit(": ").next().unwrap_or_default().to_owned(),
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => cause.into(),
            MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => Self::ForeignMigration(version),
            other => Self::Database { code: None, source: sqlx::Error::Migrate(Box::new(other)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_reason_code_and_one_sentence() {
        let full = StoreError::DiskFull;
        assert_eq!(full.reason(), ReasonCode::StorageFailed);
        assert!(full.to_string().contains("full"));
        let newer = StoreError::NewerDatabase { found: 99, known: 12 };
        assert_eq!(newer.reason(), ReasonCode::StorageFailed);
        assert!(newer.to_string().contains("version 99"));
    }
}
