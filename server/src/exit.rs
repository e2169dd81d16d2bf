//! How the command line ends: one clear sentence and a documented exit code.

use std::fmt;

use serde_json::json;
use tenantatlas_domain::invisible::visible;
use uuid::Uuid;

/// The exit codes, documented in `tenantatlas --help`. From 64 on they are those of the BSD `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done.
    Success = 0,
    /// The run failed or was aborted, the audit log is broken, or something unexpected happened.
    Failed = 1,
    /// The run ended and some types could not be read.
    Partial = 2,
    /// The same sync is already running.
    AlreadyRunning = 3,
    /// The command or what was typed was not understood: unknown tenant, unknown type, malformed GUID.
    Usage = 64,
    /// A host cannot be reached: the database or the cloud.
    Unavailable = 69,
    /// Something cannot be written: the folder, a full or read-only disk.
    CannotWrite = 74,
    /// Signing in was refused: wrong secret, no consent.
    Refused = 77,
    /// A setting is wrong, the key file does not fit the data, or the database is of a newer version.
    Configuration = 78,
}

/// The table for `--help`.
pub const EXIT_CODES: &str = "Exit codes:
   0  success
   1  failed or aborted
   2  partial: some types could not be read, or a permission for them is missing; of drift: a finding that --fail-on names
   3  the same sync is already running
  64  what was typed was not understood (unknown tenant or type, malformed GUID)
  69  a host cannot be reached (database, login, Graph)
  74  something cannot be written (folder, full or read-only disk)
  77  signing in was refused (wrong secret, no consent)
  78  a setting is wrong, the key file does not fit the data, or the database is newer than this program";

/// The end of a command that did not succeed: its code and the sentence for the person.
#[derive(Debug)]
pub struct Exit {
    code: ExitCode,
    message: String,
    unexpected: bool,
}

impl Exit {
    /// An end with a sentence that says what was expected and what to do.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), unexpected: false }
    }

    /// An end that nobody can do anything about but report it: it is told with an id that its lines in the log carry too.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self { unexpected: true, ..Self::new(ExitCode::Failed, message) }
    }

    /// An end whose output has already told everything, such as the table of a partial sync.
    pub fn silent(code: ExitCode) -> Self {
        Self::new(code, String::new())
    }

    /// What was typed was not understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        self.code
    }

    /// What is said of it on standard error: a sentence, or one line of JSON; nothing when the output has told everything.
    /// `id` is said with what is to be reported.
    pub fn told(&self, id: Uuid, json: bool) -> Option<String> {
        if self.message.is_empty() {
            return None;
        }
        if json {
            let mut document = json!({ "error": self.message, "exit_code": self.code as i32 });
            if self.unexpected {
                document["error_id"] = json!(id);
            }
            return Some(document.to_string());
        }
        let report = if self.unexpected {
            format!("\nTo report it, give the error ID {id}, which its lines in the log carry too.")
        } else {
            String::new()
        };
        Some(format!("tenantatlas: {}{report}", visible(&self.message)))
    }

    /// Writes it into the log, when it is to be reported.
    pub fn log(&self, id: Uuid) {
        if self.unexpected {
            tracing::error!(error_id = %id, error = %visible(&self.message), "the command ended unexpectedly");
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, Uuid};

    #[test]
    fn only_what_is_to_be_reported_has_an_id_in_words_and_in_json() {
        let id = Uuid::from_u128(7);
        let told = |exit: Exit, json| exit.told(id, json).expect("something is said");
        assert_eq!(told(Exit::usage("no such tenant"), false), "tenantatlas: no such tenant");
        assert_eq!(told(Exit::usage("no such \u{1b}"), true), "{\"error\":\"no such \\u001b\",\"exit_code\":64}");
        let unexpected = || Exit::unexpected("a fault");
        assert!(
            told(unexpected(), false)
                .ends_with(&format!("give the error ID {id}, which its lines in the log carry too."))
        );
        assert!(told(unexpected(), true).contains(&format!("\"error_id\":\"{id}\"")));
        assert_eq!(Exit::silent(super::ExitCode::Partial).told(id, false), None);
    }
}
