//! Assignments of single items.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{FilterMode, Relationship, TargetKind, Unnamed};
use uuid::Uuid;

use crate::database::Run as _;
use crate::record::Nullable;
use crate::sql::{Statement, args};
use crate::{Db, StoreError};

/// One assignment of an item, with what is known of its target and of its filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct Assignment {
    /// Whether the target is included or excluded.
    #[sqlx(try_from = "String")]
    pub relationship: Relationship,
    /// What kind of thing the target is.
    #[sqlx(try_from = "String")]
    pub target_kind: TargetKind,
    /// The id Microsoft gave the target.
    pub target_id: String,
    /// The last known name of the target.
    pub name: Option<String>,
    /// Why the directory told no name when it was asked last.
    #[sqlx(try_from = "Nullable<String>")]
    pub unnamed: Option<Unnamed>,
    /// The id of the filter by which the assignment is narrowed.
    pub filter_id: Option<String>,
    /// The name of that filter, when it is in the inventory.
    pub filter_name: Option<String>,
    /// What the filter does.
    #[sqlx(try_from = "Nullable<String>")]
    pub filter_mode: Option<FilterMode>,
}

impl Assignment {
    /// Whether the item applies to the target.
    #[must_use]
    pub fn is_included(&self) -> bool {
        self.relationship == Relationship::AssignedTo
    }
}

#[derive(FromRow)]
struct AssignmentOf {
    source_item_id: Uuid,
    #[sqlx(flatten)]
    assignment: Assignment,
}

/// The assignments of items of a page, by item.
pub(super) async fn of_items(
    db: &Db,
    tenant: TenantId,
    items: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Assignment>>, StoreError> {
    let mut statement = Statement::new("WITH wanted (id) AS (VALUES ");
    statement.push_rows(items).push(&format!(") {OF_WANTED} AND l.tenant_id = $1 {IN_ORDER}"), args![tenant]);
    told(db, &statement).await
}

/// The assignments of items of any tenants, each with its own, by item.
pub(super) async fn of_many(db: &Db, items: &[(TenantId, Uuid)]) -> Result<HashMap<Uuid, Vec<Assignment>>, StoreError> {
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let mut statement = Statement::wanted("id, tenant_id", items.iter().map(|(tenant, item)| args![*item, *tenant]));
    statement.push(&format!(" {OF_WANTED} AND l.tenant_id = w.tenant_id {IN_ORDER}"), []);
    told(db, &statement).await
}

/// What is told of the assignments of those that are wanted.
const OF_WANTED: &str = "SELECT l.source_item_id, l.relationship, l.target_kind, l.target_external_id AS target_id,
        COALESCE(d.display_name, l.last_known_name) AS name, d.unnamed,
        l.filter_id, f.display_name AS filter_name, l.filter_mode
    FROM (SELECT DISTINCT * FROM wanted) AS w
    CROSS JOIN inventory_links l
    LEFT JOIN directory_names d ON d.tenant_id = l.tenant_id AND d.external_id = l.target_external_id
    LEFT JOIN inventory_items f ON f.tenant_id = l.tenant_id AND f.policy_type = 'assignmentFilter'
        AND f.external_id = l.filter_id
    WHERE l.source_item_id = w.id AND l.relationship IN ('assigned_to', 'excluded_from')";
const IN_ORDER: &str = "ORDER BY l.source_item_id, l.position";

async fn told(mut on: &Db, statement: &Statement) -> Result<HashMap<Uuid, Vec<Assignment>>, StoreError> {
    let found: Vec<AssignmentOf> = on.query(statement).await?;
    let mut by_item: HashMap<Uuid, Vec<Assignment>> = HashMap::new();
    for row in found {
        by_item.entry(row.source_item_id).or_default().push(row.assignment);
    }
    Ok(by_item)
}
