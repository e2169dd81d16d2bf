//! How many runs there are by what is asked for.
//!
//! Of all runs of tenants, or of one operation there, those that have ended are counted in `ended_run_counts` as they end, by
//! triggers. Whatever else is asked for is looked for among the newest runs.

use sqlx::FromRow;
use tenantatlas_domain::operation::{OperationBucket, OperationStatus};

use super::OperationRun;
use super::filter::Filter;
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};

/// Runs that are looked at; of more, the newest.
pub const MOST_COUNTED: u32 = 100_000;

/// How many runs there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// By how they are shown to people; those that there are none of are left out.
    pub buckets: Vec<(OperationBucket, u64)>,
    /// Whether there are older ones that were not counted.
    pub more: bool,
}

impl Counted {
    /// Counts the runs of a list that was asked for by a filter, where these are all that there are.
    #[must_use]
    pub fn of_whole_list(filter: &Filter, runs: &[OperationRun]) -> Option<Self> {
        let is_whole = filter.statuses.is_empty() && filter.before.is_none() && runs.len() < filter.limit as usize;
        is_whole.then(|| {
            let mut counted = Self::default();
            runs.iter().for_each(|run| counted.add(run.status, 1));
            counted
        })
    }

    fn add(&mut self, status: OperationStatus, runs: u64) {
        let bucket = status.bucket();
        match self.buckets.iter_mut().find(|(one, _)| *one == bucket) {
            Some((_, count)) => *count += runs,
            None => self.buckets.push((bucket, runs)),
        }
    }

    /// In one bucket.
    #[must_use]
    pub fn of(&self, bucket: OperationBucket) -> u64 {
        self.buckets.iter().find(|(one, _)| *one == bucket).map_or(0, |(_, count)| *count)
    }

    /// In all.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

/// Counts the runs in every state that fit the filter but for its states; where it asks for more than tenants and an operation,
/// of the newest [`MOST_COUNTED`].
///
/// # Errors
/// When the database fails.
pub async fn count(mut on: impl Access, filter: &Filter) -> Result<Counted, StoreError> {
    let is_kept = filter.asks_for_tenants_and_operation_alone();
    let statement = if is_kept { kept(filter) } else { among_the_newest(filter) };
    let rows: Vec<StatusCount> = on.query(&statement).await?;
    let mut counted = Counted::default();
    rows.into_iter().for_each(|StatusCount { status, runs }| counted.add(status, runs));
    counted.more = !is_kept && counted.all() > u64::from(MOST_COUNTED);
    Ok(counted)
}

fn kept(filter: &Filter) -> Statement {
    let mut statement = Statement::new(
        "SELECT status, CAST(SUM(runs) AS BIGINT) AS runs
         FROM (SELECT status, runs FROM ended_run_counts WHERE runs > 0",
    );
    filter.conditions(&mut statement);
    statement.push(
        " UNION ALL SELECT status, 1 AS runs FROM bulk_operation_runs WHERE status IN ('pending', 'running')",
        [],
    );
    filter.conditions(&mut statement);
    statement.push(") counted GROUP BY status", []);
    statement
}

pub(super) fn among_the_newest(filter: &Filter) -> Statement {
    let mut statement = Statement::new(
        "SELECT status, COUNT(*) AS runs
         FROM (SELECT status FROM bulk_operation_runs WHERE 1 = 1",
    );
    filter.conditions(&mut statement);
    statement.push(" ORDER BY created_at DESC, id DESC LIMIT $1) newest GROUP BY status", args![MOST_COUNTED + 1]);
    statement
}

#[derive(FromRow)]
struct StatusCount {
    #[sqlx(try_from = "String")]
    status: OperationStatus,
    #[sqlx(try_from = "i64")]
    runs: u64,
}
