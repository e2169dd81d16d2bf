//! The texts of statements over many rows, each built once per database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// The texts that were built, by statement and length.
#[derive(Debug, Default)]
pub(crate) struct BulkTexts(Mutex<HashMap<(&'static str, usize), Arc<str>>>);

impl BulkTexts {
    /// The text of a statement for so many rows or values; built when it is asked for first.
    pub(crate) fn get(&self, statement: &'static str, length: usize, build: impl FnOnce() -> String) -> SqlStr {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = texts.entry((statement, length)).or_insert_with(|| build().into());
        AssertSqlSafe(Arc::clone(text)).into_sql_str()
    }
}
