//! Items as they were last observed, in the form in which they are written: what a run does not read again it hands
//! back, and nothing changes.

use std::collections::HashMap;

use sqlx::Error;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::PolicyType;
use uuid::Uuid;

use super::item::{ObservedItem, ObservedLink};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::{Columns, Record};
use crate::sql::Statement;

struct Stored {
    id: Uuid,
    item: ObservedItem,
}

impl Record for Stored {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self {
            id: row.id("id")?,
            item: ObservedItem {
                external_id: row.string("external_id")?,
                display_name: row.string("display_name")?,
                category: row.name("category")?,
                platform: row.name("platform")?,
                meta: row.json("meta")?,
                content_hash: row.hash("content_hash")?,
                normaliser_version: row.count("normaliser_version")?,
                observation_hash: row.hash("observation_hash")?,
                detail_hash: row.hash_or_null("detail_hash")?,
                revision: row.string_or_null("revision")?,
                links: Vec::new(),
                links_omitted: row.count("links_omitted")?,
            },
        })
    }
}

struct Link {
    source: Uuid,
    link: ObservedLink,
}

impl Record for Link {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self {
            source: row.id("source_item_id")?,
            link: ObservedLink {
                relationship: row.name("relationship")?,
                target_kind: row.name("target_kind")?,
                target_policy_type: row.string_or_null("target_policy_type")?.filter(|key| !key.is_empty()),
                target_external_id: row.string("target_external_id")?,
                last_known_name: row.string_or_null("last_known_name")?,
                raw: row.string("raw")?,
            },
        })
    }
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
    let mut statement = Statement::new("SELECT * FROM inventory_items WHERE tenant_id = ");
    statement
        .bind(tenant)
        .push(" AND policy_type = ")
        .bind(policy_type.key)
        .push(" AND external_id")
        .bind_in(external_ids);
    let rows: Vec<Stored> = on.query(&statement).await?;
    let mut items: HashMap<Uuid, ObservedItem> = rows.into_iter().map(|row| (row.id, row.item)).collect();
    let ids: Vec<Uuid> = items.keys().copied().collect();
    let mut statement = Statement::new("SELECT * FROM inventory_links WHERE source_item_id");
    statement.bind_in(&ids).push(" ORDER BY source_item_id, position");
    let links: Vec<Link> = if ids.is_empty() { Vec::new() } else { on.query(&statement).await? };
    for Link { source, link } in links {
        if let Some(item) = items.get_mut(&source) {
            item.links.push(link);
        }
    }
    Ok(items.into_values().map(|item| (item.external_id.clone(), item)).collect())
}
