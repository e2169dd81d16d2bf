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
    pub const ALL: [Self; 5] = [Self::Changed, Self::Gone, Self::GoneForAWhile, Self::Returned, Self::WithFindings];
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

    const fn begin() -> Self {
        Self { first: 0, second: -1, third: String::new(), item: ItemId::from_uuid(Uuid::nil()) }
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
    let begin = Cursor::begin();
    let after = after.unwrap_or(&begin);
    let types: Vec<String> = group.types.iter().map(|one| one.policy_type.clone()).collect();
    let mut statement = Statement::default();
    match source {
        Source::Changed => statement
            .push(
                "SELECT changed_seq AS first, CAST(0 AS BIGINT) AS second, policy_type AS third, id AS item
                 FROM inventory_items
                 WHERE tenant_id = $1 AND changed_seq >= $2
                     AND (changed_seq, policy_type, id) > ($3, $4, $5)",
                args![
                    plan.tenant_id,
                    group.baseline().floor_seq.max(after.first),
                    after.first,
                    after.third.clone(),
                    after.item
                ],
            )
            .push_in(" AND policy_type", &types)
            .push(" ORDER BY changed_seq, policy_type, id", []),
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
             WHERE scope_id = $1 AND until_seq = $2 AND from_seq > $3 AND from_seq <= $4
                 AND (from_seq, item_id) > ($5, $6)
             ORDER BY from_seq, item_id",
            args![scope, OPEN, baseline, current, after.first, after.item],
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
        Source::GoneForAWhile => statement.push(
            " AND until_seq > $1 AND until_seq < $2 AND from_seq > $3 AND from_seq <= $1",
            args![current, OPEN, baseline],
        ),
        _ => statement.push(" AND until_seq > $1 AND until_seq <= $2 AND from_seq <= $1", args![baseline, current]),
    };
    statement.push(" ORDER BY until_seq, from_seq, item_id", []);
    statement
}
