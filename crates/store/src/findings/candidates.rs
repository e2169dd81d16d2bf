//! The objects that may differ between two reads, found along indexes: what it costs follows what changed, not what is there.

use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, OperationRunId};
use uuid::Uuid;

use super::plan::{Group, Plan};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};

/// The end of an absence that goes on.
const OPEN: i64 = i64::MAX;

/// Where candidates come from. Each object is given by one of them at most, but for those with open findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Found new, or with another content, since the baseline.
    Changed,
    /// The same by a run that was under way when the baseline began: it may have come to the object before or after that. What
    /// the baseline itself found is not among these: it is what it is compared with.
    ChangedMeanwhile,
    /// Seen by the baseline, absent from the current read and since.
    Gone,
    /// Seen by the baseline, absent from the current read, and seen again by one that is not completed.
    GoneForAWhile,
    /// Absent from the baseline, and seen again since with the content of before.
    Returned,
    /// Those with open findings that this comparison has not looked at yet.
    WithFindings,
}

impl Source {
    /// In the order in which they are to be walked: those with open findings come last.
    pub const ALL: [Self; 6] =
        [Self::Changed, Self::ChangedMeanwhile, Self::Gone, Self::GoneForAWhile, Self::Returned, Self::WithFindings];
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Cursor {
    first: i64,
    second: i64,
    third: String,
    #[sqlx(try_from = "Uuid")]
    item: ItemId,
}

impl Cursor {
    /// The object at which it stands.
    #[must_use]
    pub const fn item(&self) -> ItemId {
        self.item
    }

    /// Before the first object of a source. The bound below is part of the place, and not a condition of its own: SQLite would walk
    /// from that bound to the place again for each page.
    fn begin(group: &Group, source: Source) -> Self {
        let first = match source {
            Source::Changed | Source::Gone | Source::Returned => group.baseline().seq + 1,
            Source::ChangedMeanwhile => group.baseline().floor_seq,
            Source::GoneForAWhile => group.current().seq + 1,
            Source::WithFindings => 0,
        };
        Self { first, second: -1, third: String::new(), item: ItemId::from_uuid(Uuid::nil()) }
    }
}

/// The next candidates of a group, at most `limit`. Go on with the last one of them; there are no more when fewer came. An
/// absence does not tell the type of its object: [`super::load`] leaves out those of other groups.
///
/// # Errors
/// When the database fails.
pub async fn candidates(
    mut on: impl Access,
    plan: &Plan,
    group: &Group,
    source: Source,
    run: OperationRunId,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Vec<Cursor>, StoreError> {
    let begin = Cursor::begin(group, source);
    let after = after.unwrap_or(&begin);
    let types: Vec<String> = group.types.iter().map(|one| one.policy_type.clone()).collect();
    let mut statement = Statement::default();
    match source {
        Source::ChangedMeanwhile if group.baseline().floor_seq >= group.baseline().seq => return Ok(Vec::new()),
        Source::Changed | Source::ChangedMeanwhile => {
            statement.push(
                "SELECT changed_seq AS first, CAST(0 AS BIGINT) AS second, policy_type AS third, id AS item
                 FROM inventory_items
                 WHERE tenant_id = $1 AND (changed_seq, policy_type, id) > ($2, $3, $4)",
                args![plan.tenant_id, after.first, after.third.clone(), after.item],
            );
            if source == Source::ChangedMeanwhile {
                statement.push(" AND changed_seq < $1", args![group.baseline().seq]);
            }
            statement.push_in(" AND policy_type", &types).push(" ORDER BY changed_seq, policy_type, id", [])
        }
        Source::Gone | Source::GoneForAWhile | Source::Returned => {
            statement.push_statement(absences(plan.scope.id.0, group, source, after))
        }
        Source::WithFindings => statement
            .push(
                "SELECT DISTINCT CAST(0 AS BIGINT) AS first, CAST(0 AS BIGINT) AS second, '' AS third, item_id AS item
                 FROM findings
                 WHERE tenant_id = $1 AND scope_key = $2 AND finding_type = 'drift' AND resolved_at IS NULL
                     AND checked_by <> $3 AND item_id > $4",
                args![plan.tenant_id, plan.scope.selection_hash.to_string(), run, after.item],
            )
            .push_in(" AND subject_type", &types)
            .push(" ORDER BY item_id", []),
    };
    statement.push(" LIMIT $1", args![limit]);
    on.query(&statement).await
}

/// The objects of which an absence begins or ends between the two reads.
fn absences(scope: i64, group: &Group, source: Source, after: &Cursor) -> Statement {
    let (baseline, current) = (group.baseline().seq, group.current().seq);
    let mut statement = Statement::default();
    if source == Source::Gone {
        statement.push(
            "SELECT from_seq AS first, CAST(0 AS BIGINT) AS second, '' AS third, item_id AS item
             FROM inventory_absences
             WHERE scope_id = $1 AND until_seq = $2 AND (from_seq, item_id) > ($3, $4) AND from_seq <= $5
             ORDER BY from_seq, item_id",
            args![scope, OPEN, after.first, after.item, current],
        );
        return statement;
    }
    statement.push(
        "SELECT until_seq AS first, from_seq AS second, '' AS third, item_id AS item
         FROM inventory_absences
         WHERE scope_id = $1 AND (until_seq, from_seq, item_id) > ($2, $3, $4)",
        args![scope, after.first, after.second, after.item],
    );
    match source {
        Source::GoneForAWhile => {
            statement.push(" AND until_seq < $1 AND from_seq > $2 AND from_seq <= $3", args![OPEN, baseline, current])
        }
        _ => statement.push(" AND until_seq <= $1 AND from_seq <= $2", args![current, baseline]),
    };
    statement.push(" ORDER BY until_seq, from_seq, item_id", []);
    statement
}
