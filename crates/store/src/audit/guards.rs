//! What protects the log inside of the database: triggers that refuse changes, and constraints. Whoever owns the
//! database can take them away, so they are compared with what the migrations of this program make.

mod postgres;
mod sqlite;

use super::Problem;
use crate::{Db, StoreError};

/// The tables of the log.
const TABLES: [&str; 2] = ["audit_logs", "audit_chain"];

/// What is missing, altered, or there without having been made by a migration.
///
/// # Errors
/// When the database fails.
pub(super) async fn missing(db: &Db) -> Result<Vec<Problem>, StoreError> {
    match db.backend() {
        crate::Backend::Sqlite => sqlite::missing(db).await,
        crate::Backend::Postgres => postgres::missing(db).await,
    }
}

/// An object that protects the log: what it is and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Guard {
    /// Such as `the trigger audit_logs_refuse_update`.
    name: String,
    /// Whatever tells it from one that does something else.
    definition: String,
}

/// Compares what is there with what should be.
fn compare(expected: &[Guard], found: &[Guard]) -> Vec<Problem> {
    let of = |guards: &'_ [Guard], name: &str| guards.iter().find(|guard| guard.name == name).cloned();
    let lacking = expected.iter().filter_map(|guard| match of(found, &guard.name) {
        None => Some(Problem::of_guard(format!("{} of the database is missing", guard.name))),
        Some(other) if other != *guard => {
            Some(Problem::of_guard(format!("{} of the database was altered or switched off", guard.name)))
        }
        Some(_) => None,
    });
    let strange = found.iter().filter(|guard| of(expected, &guard.name).is_none());
    let strange =
        strange.map(|guard| Problem::of_guard(format!("{} of the database was not made by TenantAtlas", guard.name)));
    lacking.chain(strange).collect()
}

/// Text in which the form of spaces does not count.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
