//! Items as they were last observed, in the form in which they are written: what a run does not read again it hands
//! back, and nothing changes.

use std::collections::HashMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::PolicyType;
use uuid::Uuid;

use super::item::{ObservedItem, ObservedLink};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};

#[derive(FromRow)]
struct Stored {
    id: Uuid,
    #[sqlx(flatten)]
    item: ObservedItem,
}

#[derive(FromRow)]
struct Link {
    source_item_id: Uuid,
    #[sqlx(flatten)]
    link: ObservedLink,
}

/// Those of the items that are stored, by external id, each as it was last observed. Ask for a hundred or so at once.
///
/// # Errors
/// When the database fails.
pub async fn stored(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &PolicyType,
    external_ids: &[String],
) -> Result<HashMap<String, ObservedItem>, StoreError> {
    if external_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut statement = Statement::default();
    statement
        .push("SELECT * FROM inventory_items WHERE tenant_id = $1 AND policy_type = $2", args![tenant, policy_type.key])
        .push_in(" AND external_id", external_ids);
    let rows: Vec<Stored> = on.query(&statement).await?;
    let mut items: HashMap<Uuid, ObservedItem> = rows.into_iter().map(|row| (row.id, row.item)).collect();
    let ids: Vec<Uuid> = items.keys().copied().collect();
    let mut statement = Statement::new(
        "SELECT source_item_id, relationship, target_kind, NULLIF(target_policy_type, '') AS target_policy_type,
             target_external_id, last_known_name, filter_id, filter_mode, raw
         FROM inventory_links
         WHERE",
    );
    statement.push_in(" source_item_id", &ids).push(" ORDER BY source_item_id, position", []);
    let links: Vec<Link> = if ids.is_empty() { Vec::new() } else { on.query(&statement).await? };
    for Link { source_item_id: source, link } in links {
        if let Some(item) = items.get_mut(&source) {
            item.links.push(link);
        }
    }
    Ok(items.into_values().map(|item| (item.external_id.clone(), item)).collect())
}
