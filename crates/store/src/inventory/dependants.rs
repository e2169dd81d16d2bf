//! What stands on an item: everything that refers to it, directly or through others.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::references::Relationship;
use uuid::Uuid;

use super::item::Item;
use crate::StoreError;
use crate::database::Run as _;
use crate::reader::Readable;
use crate::sql::{Statement, args};

/// Items that are followed, at most.
pub const MAX_DEPENDANTS: usize = 200;
/// Steps that are followed, at most.
pub const MAX_DISTANCE: u32 = 5;
/// References to one object that are looked at, at most: an item may refer to another in several ways.
const MAX_ROWS: u64 = 2 * MAX_DEPENDANTS as u64;
/// Objects whose references are looked up by one statement.
const AT_ONCE: usize = 16;

/// An item that stands on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependant {
    /// The item.
    pub item_id: ItemId,
    /// Its type, by key.
    pub policy_type: String,
    /// The id Microsoft gave it.
    pub external_id: String,
    /// Its name.
    pub display_name: String,
    /// How many references lie between, at least: 1 where it refers to the item itself.
    pub distance: u32,
}

/// A reference from one item to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Dependence {
    /// The item that refers.
    pub from: ItemId,
    /// What it refers to: the item that was asked for, or one that stands on it.
    pub to: ItemId,
    /// What the reference means.
    pub relationship: Relationship,
}

/// Everything that stands on an item, as far as it was followed. An item is named once, however many ways lead from it, and
/// the item itself never, also where a circle leads back to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dependants {
    /// The items, by distance, then in the order of our ids.
    pub items: Vec<Dependant>,
    /// The references among them and to the item, those that close a circle included.
    pub references: Vec<Dependence>,
    /// Whether there are more items than are followed ([`MAX_DEPENDANTS`]).
    pub more: bool,
    /// Whether more stand further away than is followed ([`MAX_DISTANCE`]).
    pub deeper: bool,
}

impl Dependants {
    /// Whether these are all, as far as the tenant was read.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !self.more && !self.deeper
    }

    /// The items at a distance.
    pub fn at(&self, distance: u32) -> impl Iterator<Item = &Dependant> {
        self.items.iter().filter(move |one| one.distance == distance)
    }
}

/// An object whose references are looked up.
#[derive(Clone)]
struct Target {
    id: Uuid,
    policy_type: String,
    external_id: String,
}

#[derive(FromRow)]
struct Found {
    target_at: i64,
    source_item_id: Uuid,
    #[sqlx(try_from = "String")]
    relationship: Relationship,
    policy_type: String,
    external_id: String,
    display_name: String,
}

/// What stands on an item of a tenant, followed step by step until nothing is new or a bound is reached.
///
/// # Errors
/// When the database fails.
pub async fn dependants(db: &impl Readable, tenant: TenantId, item: &Item) -> Result<Dependants, StoreError> {
    let root = item.id.as_uuid();
    let mut found = Dependants::default();
    let mut distances: HashMap<Uuid, u32> = HashMap::from([(root, 0)]);
    let mut frontier =
        vec![Target { id: root, policy_type: item.policy_type.clone(), external_id: item.external_id.clone() }];
    for distance in 1..=MAX_DISTANCE + 1 {
        let mut next = Vec::new();
        for targets in frontier.chunks(AT_ONCE) {
            let rows = references_to(db, tenant, targets).await?;
            for (at, target) in targets.iter().enumerate() {
                let of_target = rows.iter().filter(|row| usize::try_from(row.target_at) == Ok(at));
                found.more |= of_target.clone().count() as u64 > MAX_ROWS;
                for row in of_target {
                    let is_new = !distances.contains_key(&row.source_item_id);
                    if is_new && distance > MAX_DISTANCE {
                        found.deeper = true;
                        continue;
                    }
                    if is_new && found.items.len() >= MAX_DEPENDANTS {
                        found.more = true;
                        continue;
                    }
                    if is_new {
                        distances.insert(row.source_item_id, distance);
                        found.items.push(dependant(row, distance));
                        next.push(Target {
                            id: row.source_item_id,
                            policy_type: row.policy_type.clone(),
                            external_id: row.external_id.clone(),
                        });
                    }
                    found.references.push(Dependence {
                        from: row.source_item_id.into(),
                        to: target.id.into(),
                        relationship: row.relationship,
                    });
                }
            }
        }
        if next.is_empty() {
            break;
        }
        frontier = next;
    }
    found.items.sort_by_key(|one| (one.distance, one.item_id));
    found.references.sort();
    found.references.dedup();
    Ok(found)
}

fn dependant(row: &Found, distance: u32) -> Dependant {
    Dependant {
        item_id: row.source_item_id.into(),
        policy_type: row.policy_type.clone(),
        external_id: row.external_id.clone(),
        display_name: row.display_name.clone(),
        distance,
    }
}

/// The references to some objects, each found along the index on targets. An id without a type may be that of an object of
/// any type.
async fn references_to(db: &impl Readable, tenant: TenantId, targets: &[Target]) -> Result<Vec<Found>, StoreError> {
    let mut statement = Statement::default();
    for (at, target) in targets.iter().enumerate() {
        statement.push(if at == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" }, []).push(
            "SELECT CAST($1 AS BIGINT) AS target_at, l.source_item_id, l.relationship, i.policy_type, i.external_id,
                 i.display_name
             FROM inventory_links l
             CROSS JOIN inventory_items i
             WHERE i.id = l.source_item_id AND i.tenant_id = l.tenant_id
                 AND l.tenant_id = $2 AND l.target_external_id = $3 AND l.target_policy_type IN ('', $4)
                 AND l.target_kind IN ('item', 'foundation', 'unresolved')
             ORDER BY l.source_item_id, l.relationship LIMIT $5",
            args![at as u64, tenant, target.external_id.clone(), target.policy_type.clone(), MAX_ROWS + 1],
        );
        statement.push(") AS of_target", []);
    }
    let mut on = db.database();
    on.query(&statement).await
}
