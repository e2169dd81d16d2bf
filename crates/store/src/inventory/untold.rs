//! What a list by assignments cannot tell.

use std::collections::BTreeMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::{Assigned, Relationship};
use tenantatlas_domain::registry::{PolicyType, registry};

use super::coverage::NotRead;
use super::query::ItemFilter;
use super::view::ScopeView;
use crate::StoreError;
use crate::database::Run as _;
use crate::reader::Readable;
use crate::sql::{Statement, args};

/// Items that are counted, at most.
const MAX_COUNTED: u64 = 10_000;

#[derive(FromRow)]
struct OfType {
    policy_type: String,
    #[sqlx(try_from = "i64")]
    items: u64,
}

/// What was not read of that which a filter asks for: the types that the latest completed run did not read to the end and,
/// where it is asked for assignments, the types of which some items do not tell theirs, or not all of them. Then types
/// without assignments are left out: of them nothing is asked.
///
/// # Errors
/// When the database fails.
pub async fn not_read(db: &impl Readable, view: &ScopeView, filter: &ItemFilter) -> Result<Vec<NotRead>, StoreError> {
    let mut found = view.not_read(filter);
    let named: Vec<(Relationship, Assigned)> = filter.named().collect();
    if named.is_empty() {
        return Ok(found);
    }
    let is_assignable = |key: &str| registry().get(key).is_none_or(PolicyType::tells_assignments);
    found.retain(|one| is_assignable(&one.policy_type));
    let fits = |key: &str| {
        let category = || registry().get(key).is_some_and(|known| filter.categories.contains(&known.category));
        (filter.policy_types.is_empty() || filter.policy_types.iter().any(|one| one == key))
            && (filter.categories.is_empty() || category())
    };
    let types: Vec<String> = view
        .types_where(|state| state.known.items > 0)
        .filter(|key| is_assignable(key) && fits(key) && found.iter().all(|one| one.policy_type != **key))
        .cloned()
        .collect();
    if types.is_empty() {
        return Ok(found);
    }
    let mut sentences: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (policy_type, items) in counted(db, &untold(view.tenant_id, &types)).await? {
        sentences.entry(policy_type).or_default().push(untold_words(items));
    }
    for (side, whom) in &named {
        let Some(statement) = not_kept(view.tenant_id, &types, *side, whom) else { continue };
        for (policy_type, items) in counted(db, &statement).await? {
            sentences.entry(policy_type).or_default().push(not_kept_words(items));
        }
    }
    found.extend(sentences.into_iter().map(|(policy_type, words)| of_type(view, policy_type, &words)));
    Ok(found)
}

fn of_type(view: &ScopeView, policy_type: String, words: &[String]) -> NotRead {
    let state = view.types.get(&policy_type).cloned().unwrap_or_default();
    NotRead {
        outcome: state.outcome(),
        reason_code: None,
        reason: words.join(" "),
        known: state.known.items,
        last_full_read_at: state.last_full_read.map(|read| read.at),
        policy_type,
    }
}

fn untold_words(items: u64) -> String {
    match items {
        1 => "The assignments of 1 item were not read.".to_owned(),
        _ => format!("The assignments of {} items were not read.", number(items)),
    }
}

fn not_kept_words(items: u64) -> String {
    match items {
        1 => "1 item has more references than are kept, and may name it too.".to_owned(),
        _ => format!("{} items have more references than are kept, and may name it too.", number(items)),
    }
}

fn number(items: u64) -> String {
    if items > MAX_COUNTED { format!("more than {MAX_COUNTED}") } else { items.to_string() }
}

async fn counted(db: &impl Readable, found: &Statement) -> Result<Vec<(String, u64)>, StoreError> {
    let mut statement = Statement::new("SELECT f.policy_type, COUNT(*) AS items FROM (");
    statement
        .push_statement(found.clone())
        .push(" LIMIT $1) AS f GROUP BY f.policy_type ORDER BY f.policy_type", args![MAX_COUNTED + 1]);
    let mut on = db.database();
    let rows: Vec<OfType> = on.query(&statement).await?;
    Ok(rows.into_iter().map(|row| (row.policy_type, row.items)).collect())
}

/// Items that tell no assignments though items of their type do.
fn untold(tenant: TenantId, types: &[String]) -> Statement {
    let mut statement = Statement::new("SELECT i.policy_type FROM inventory_items i");
    statement.push(" WHERE i.tenant_id = $1", args![tenant]).push_in(" AND i.policy_type", types).push(
        " AND i.assigned IS NULL AND NOT EXISTS (
             SELECT 1
             FROM inventory_links l
             WHERE l.source_item_id = i.id AND l.relationship IN ('assigned_to', 'excluded_from'))",
        [],
    );
    statement
}

/// Items that have more references than are kept, none of which names somebody on this side; `None` where it is asked for
/// nobody: that is told whatever is kept.
fn not_kept(tenant: TenantId, types: &[String], side: Relationship, whom: &Assigned) -> Option<Statement> {
    let id = whom.external_id()?;
    let mut statement = Statement::new("SELECT i.policy_type FROM inventory_items i");
    statement.push(" WHERE i.tenant_id = $1", args![tenant]).push_in(" AND i.policy_type", types).push(
        " AND i.links_omitted > 0 AND NOT EXISTS (
             SELECT 1
             FROM inventory_links l
             WHERE l.source_item_id = i.id AND l.relationship = $1 AND l.target_external_id = $2)",
        args![side.as_str(), id],
    );
    Some(statement)
}
