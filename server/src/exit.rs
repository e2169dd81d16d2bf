//! How the command line ends: one clear sentence and a documented exit code.

use std::fmt;

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
   2  partial: some types could not be read, or a permission for them is missing
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
}

impl Exit {
    /// An end with a sentence that says what was expected and what to do.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// An end whose output has already told everything, such as the table of a partial sync.
    pub fn silent(code: ExitCode) -> Self {
        Self { code, message: String::new() }
    }

    /// What was typed was not understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        self.code
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
