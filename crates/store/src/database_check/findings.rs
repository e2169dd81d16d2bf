//! What a check finds wrong.

use serde::Serialize;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What, as a stable name.
    pub code: &'static str,
    /// What, as a sentence.
    pub problem: String,
    /// What to do, as a sentence.
    pub advice: String,
}

impl Finding {
    pub(crate) fn new(code: &'static str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { code, problem: problem.into(), advice: advice.into() }
    }
}

/// The versions of database and program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// The newest migration in the database; 0 when there is none.
    pub version: i64,
    /// The newest one that this program knows.
    pub known: i64,
    /// Whether every migration is there, is the one of this program, and was applied to its end.
    pub fits: bool,
}
