//! Lists of items: filtered, sorted, page by page, relative to a scope.
//!
//! Three things keep a page fast however many items a tenant has. Which types can hold a match is known from the
//! numbers of the runs before a row is touched, and the others are left out. Each type (or the whole tenant, when
//! nothing is left out) is walked along an index in the order of the page, from the cursor on. And first only the ids
//! of the page are searched; its rows are read afterwards.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sqlx::Error;
use tenantatlas_domain::ids::{ItemId, TenantId};
use tenantatlas_domain::registry::{Category, Platform, registry};
use tenantatlas_domain::sync::TypeOutcome;
use uuid::Uuid;

use super::item::{ITEM_COLUMNS, Item, ItemRow};
use super::view::{ScopeView, Stretch, TypeState};
use crate::database::{Access, Run as _};
use crate::record::{Columns, Record};
use crate::sql::{Statement, args, contains_pattern};
use crate::{Db, StoreError};

/// The longest page.
pub(super) const MAX_PAGE: u32 = 500;
/// Up to so many changed items are found by the index on changes and then sorted; more are met often enough on a walk.
const FEW: u64 = 20_000;

/// A state to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateFilter {
    /// Seen in the latest completed run.
    Present,
    /// Its type was read to the end and it was not there.
    Missing,
    /// Its type was not read to the end and it was not seen.
    NotRead,
    /// Found new or changed by the latest completed run.
    Changed,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By name, then by id.
    #[default]
    Name,
    /// By type, then by name.
    Type,
    /// What the latest completed run did not see first, the longest unseen before the rest; then what it saw, by name.
    LastSeen,
}

/// Which items. Everything that is set must hold; of a list, any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// Keys of types.
    pub policy_types: Vec<String>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Platforms.
    pub platforms: Vec<Platform>,
    /// A part of the name or of the id, whatever the case.
    pub search: Option<String>,
    /// A state in the scope.
    pub state: Option<StateFilter>,
    /// The id of a scope tag.
    pub scope_tag: Option<String>,
}

/// Where a page begins: after this item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The part of the order: a type key, or the part of the list sorted by last seen.
    #[serde(rename = "p", default, skip_serializing_if = "String::is_empty")]
    part: String,
    /// The value sorted by.
    #[serde(rename = "k")]
    key: String,
    /// The item.
    #[serde(rename = "i")]
    id: Uuid,
}

impl Cursor {
    /// A form for addresses. It names no secret: what it holds the person has seen.
    #[must_use]
    pub fn encode(&self) -> String {
        use base64::Engine as _;
        let text = serde_json::to_string(self).unwrap_or_default();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads [`Cursor::encode`]; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemQuery {
    /// Which items.
    pub filter: ItemFilter,
    /// In which order.
    pub sort: Sort,
    /// Where the page begins; at the beginning when absent.
    pub after: Option<Cursor>,
    /// At most so many; 1 to 500.
    pub limit: u32,
}

/// The items of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPage {
    /// The items in order.
    pub rows: Vec<ItemRow>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
}

/// A found item: where it stands in the order.
struct Hit {
    id: Uuid,
    key: String,
}

impl Record for Hit {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self { id: row.id("id")?, key: row.string("sort_key")? })
    }
}

/// A page of the items of a view.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, view: &ScopeView, query: &ItemQuery) -> Result<ItemPage, StoreError> {
    let wanted = query.limit.clamp(1, MAX_PAGE) as usize;
    let search = Search { db, view, filter: &query.filter, limit: wanted + 1 };
    let types = search.types(query.filter.state);
    let mut hits: Vec<(String, Hit)> = match query.sort {
        Sort::Name => search.by_name(&types, query.filter.state, query.after.as_ref(), "").await?,
        Sort::Type => search.by_type(&types, query.after.as_ref()).await?,
        Sort::LastSeen => search.by_last_seen(query.after.as_ref()).await?,
    };
    let more = hits.len() > wanted;
    hits.truncate(wanted);
    let next =
        hits.last().filter(|_| more).map(|(part, hit)| Cursor { part: part.clone(), key: hit.key.clone(), id: hit.id });
    let ids: Vec<Uuid> = hits.into_iter().map(|(_, hit)| hit.id).collect();
    Ok(ItemPage { rows: rows(db, view, &ids).await?, next })
}

/// An item of a tenant in a view.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, view: &ScopeView, id: ItemId) -> Result<Option<ItemRow>, StoreError> {
    Ok(rows(db, view, &[id.as_uuid()]).await?.into_iter().next())
}

struct Search<'a> {
    db: &'a Db,
    view: &'a ScopeView,
    filter: &'a ItemFilter,
    limit: usize,
}

impl Search<'_> {
    /// The types that can hold a match, by key.
    fn types(&self, state: Option<StateFilter>) -> Vec<String> {
        let filter = self.filter;
        let holds = |key: &str, type_state: &TypeState| {
            let category = || registry().get(key).is_some_and(|found| filter.categories.contains(&found.category));
            let platform = || filter.platforms.iter().any(|one| type_state.known.platforms.contains_key(one.as_str()));
            type_state.known.items > 0
                && (filter.policy_types.is_empty() || filter.policy_types.iter().any(|one| one == key))
                && (filter.categories.is_empty() || category())
                && (filter.platforms.is_empty() || platform())
        };
        let read_to_the_end = |type_state: &TypeState| type_state.outcome() == Some(TypeOutcome::Succeeded);
        self.view
            .types
            .iter()
            .filter(|(key, type_state)| holds(key, type_state))
            .filter(|(_, type_state)| match state {
                None => true,
                Some(StateFilter::Present) => type_state.present() > 0,
                Some(StateFilter::Missing) => read_to_the_end(type_state) && type_state.unseen() > 0,
                Some(StateFilter::NotRead) => !read_to_the_end(type_state) && type_state.unseen() > 0,
                Some(StateFilter::Changed) => changed(type_state) > 0,
            })
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Whether these are all types of which items are known.
    fn is_everything(&self, types: &[String]) -> bool {
        types.len() == self.view.types_where(|state| state.known.items > 0).count()
    }

    /// Conditions on the row `i` beyond tenant and type.
    fn push_conditions(&self, statement: &mut Statement, policy_type: Option<&str>, state: Option<StateFilter>) {
        if !self.filter.platforms.is_empty() {
            let names: Vec<&'static str> = self.filter.platforms.iter().map(|platform| platform.as_str()).collect();
            statement.push(" AND i.platform").bind_in(&names);
        }
        if let Some(search) = self.filter.search.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            let pattern = contains_pattern(&search.to_lowercase());
            statement.push(" AND (i.name_key LIKE ").bind(pattern.clone());
            statement.push(" ESCAPE '\\' OR lower(i.external_id) LIKE ").bind(pattern).push(" ESCAPE '\\')");
        }
        if let Some(tag) = &self.filter.scope_tag {
            statement.push(
                " AND EXISTS (SELECT 1 FROM inventory_links l WHERE l.source_item_id = i.id \
                 AND l.relationship = 'scoped_by' AND l.target_external_id = ",
            );
            statement.bind(tag.clone()).push(")");
        }
        let (Some(state), Some(run)) = (state, self.view.run.as_ref()) else { return };
        match state {
            StateFilter::Present => self.push_seen(statement, " AND EXISTS"),
            StateFilter::NotRead => {
                // Of a type of which nothing was read the run saw no item, whatever runs before and after it saw.
                if policy_type.and_then(|key| self.view.types.get(key)).is_some_and(TypeState::was_read) {
                    self.push_seen(statement, " AND NOT EXISTS");
                }
            }
            StateFilter::Missing => {
                // What can be missing: what the run noted as absent, and what became known only afterwards.
                statement.push(" AND i.id IN (SELECT a.item_id FROM inventory_absences a WHERE a.scope_id = ");
                statement.bind(run.scope_id.0).push(" AND a.until_seq > ").bind(run.seq);
                statement.push(" AND a.from_seq <= ").bind(run.seq);
                let changed = " UNION SELECT c.id FROM inventory_items c WHERE c.tenant_id = ";
                statement.push(changed).bind(self.view.tenant_id);
                statement.push(" AND c.changed_seq > ").bind(run.seq);
                if run.floor_seq < run.seq {
                    statement.push(changed).bind(self.view.tenant_id);
                    statement.push(" AND c.changed_seq >= ").bind(run.floor_seq);
                    statement.push(" AND c.changed_seq < ").bind(run.seq);
                }
                statement.push(")");
                self.push_seen(statement, " AND NOT EXISTS");
            }
            StateFilter::Changed => {
                let total: u64 = self.types(Some(state)).iter().map(|key| changed(&self.view.types[key])).sum();
                // The sum keeps a walk along another index from being given up for the one on changes.
                statement.push(if total <= FEW { " AND i.changed_seq = " } else { " AND i.changed_seq + 0 = " });
                statement.bind(run.seq);
            }
        }
    }

    fn push_seen(&self, statement: &mut Statement, exists: &str) {
        let Some(run) = self.view.run.as_ref() else { return };
        let (scope, seq) = (run.scope_id.0, run.seq);
        statement.push(exists);
        statement.push(" (SELECT 1 FROM inventory_sightings s WHERE s.item_id = i.id AND s.scope_id = ").bind(scope);
        statement.push(" AND s.since_seq <= ").bind(seq).push(" AND s.last_seq >= ").bind(seq);
        statement.push(" AND (s.last_seq = ").bind(seq);
        statement.push(
            " OR NOT EXISTS (SELECT 1 FROM inventory_absences g WHERE g.item_id = s.item_id \
             AND g.scope_id = s.scope_id AND g.from_seq <= ",
        );
        statement.bind(seq).push(" AND g.until_seq > ").bind(seq).push(")))");
    }

    /// One walk in the order of names: through one type, or through the whole tenant.
    fn push_walk(
        &self,
        statement: &mut Statement,
        policy_type: Option<&str>,
        state: Option<StateFilter>,
        after: Option<&Cursor>,
    ) {
        statement.push("SELECT i.id, i.name_key AS sort_key FROM inventory_items i WHERE i.tenant_id = ");
        statement.bind(self.view.tenant_id);
        if let Some(policy_type) = policy_type {
            statement.push(" AND i.policy_type = ").bind(policy_type.to_owned());
        }
        if let Some(cursor) = after {
            statement.push(" AND (i.name_key, i.id) > (").bind(cursor.key.clone()).push(", ");
            statement.bind(cursor.id).push(")");
        }
        self.push_conditions(statement, policy_type, state);
        statement.push(" ORDER BY i.name_key, i.id LIMIT ").bind(self.limit as u64);
    }

    async fn by_name(
        &self,
        types: &[String],
        state: Option<StateFilter>,
        after: Option<&Cursor>,
        part: &str,
    ) -> Result<Vec<(String, Hit)>, StoreError> {
        let mut statement = Statement::default();
        match types {
            [] => return Ok(Vec::new()),
            [one] => self.push_walk(&mut statement, Some(one), state, after),
            all if state != Some(StateFilter::NotRead) && self.is_everything(all) => {
                self.push_walk(&mut statement, None, state, after)
            }
            several => {
                statement.push("SELECT id, sort_key FROM (");
                for (index, one) in several.iter().enumerate() {
                    statement.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
                    self.push_walk(&mut statement, Some(one), state, after);
                    statement.push(") AS walk");
                }
                statement.push(") AS walks ORDER BY sort_key, id LIMIT ").bind(self.limit as u64);
            }
        }
        let mut on = self.db;
        let hits: Vec<Hit> = on.query(&statement).await?;
        Ok(hits.into_iter().map(|hit| (part.to_owned(), hit)).collect())
    }

    async fn by_type(&self, types: &[String], after: Option<&Cursor>) -> Result<Vec<(String, Hit)>, StoreError> {
        let mut hits: Vec<(String, Hit)> = Vec::new();
        let start = after.map_or("", |cursor| cursor.part.as_str());
        for one in types.iter().filter(|key| key.as_str() >= start) {
            let after = after.filter(|cursor| cursor.part == *one);
            let state = self.filter.state;
            let rest = Search { limit: self.limit - hits.len(), ..*self };
            hits.extend(rest.by_name(std::slice::from_ref(one), state, after, one).await?);
            if hits.len() >= self.limit {
                break;
            }
        }
        Ok(hits)
    }

    /// First what the run did not see, by when it was last seen; then what it saw.
    async fn by_last_seen(&self, after: Option<&Cursor>) -> Result<Vec<(String, Hit)>, StoreError> {
        let mut hits = Vec::new();
        let parts: Vec<StateFilter> = match self.filter.state {
            None => vec![StateFilter::NotRead, StateFilter::Missing, StateFilter::Present],
            // What the run changed it saw: the rest of the order is by name.
            Some(state @ StateFilter::Changed) => {
                return self.by_name(&self.types(Some(state)), Some(state), after, "seen").await;
            }
            Some(state) => vec![state],
        };
        let (unseen, seen): (Vec<_>, Vec<_>) = parts.into_iter().partition(|state| *state != StateFilter::Present);
        if !unseen.is_empty() && after.is_none_or(|cursor| cursor.part == "unseen") {
            hits = self.unseen(&unseen, after).await?;
        }
        if hits.len() < self.limit && !seen.is_empty() {
            let after = after.filter(|cursor| cursor.part == "seen");
            let rest = Search { limit: self.limit - hits.len(), ..*self };
            hits.extend(
                rest.by_name(&self.types(Some(StateFilter::Present)), Some(StateFilter::Present), after, "seen")
                    .await?,
            );
        }
        Ok(hits)
    }

    async fn unseen(&self, states: &[StateFilter], after: Option<&Cursor>) -> Result<Vec<(String, Hit)>, StoreError> {
        let mut statement = Statement::new("SELECT id, CAST(seen_at AS TEXT) AS sort_key FROM (");
        let mut walks = 0;
        for state in states {
            for one in self.types(Some(*state)) {
                statement.push(if walks == 0 { "" } else { " UNION ALL " });
                statement.push(
                    "SELECT i.id, COALESCE((SELECT MAX(x.last_seen_at) FROM inventory_sightings x \
                     WHERE x.item_id = i.id), i.first_seen_at) AS seen_at FROM inventory_items i WHERE i.tenant_id = ",
                );
                statement.bind(self.view.tenant_id).push(" AND i.policy_type = ").bind(one.clone());
                self.push_conditions(&mut statement, Some(&one), Some(*state));
                walks += 1;
            }
        }
        if walks == 0 {
            return Ok(Vec::new());
        }
        statement.push(") AS walks");
        if let Some(cursor) = after {
            let seen_at: i64 = cursor.key.parse().unwrap_or_default();
            statement.push(" WHERE (seen_at, id) > (").bind(seen_at).push(", ").bind(cursor.id).push(")");
        }
        statement.push(" ORDER BY seen_at, id LIMIT ").bind(self.limit as u64);
        let mut on = self.db;
        let hits: Vec<Hit> = on.query(&statement).await?;
        Ok(hits.into_iter().map(|hit| ("unseen".to_owned(), hit)).collect())
    }
}

fn changed(state: &TypeState) -> u64 {
    state.run.as_ref().map_or(0, |run| run.inserted + run.changed)
}

struct Row {
    item: Item,
    range: Option<(i64, i64)>,
}

impl Record for Row {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        let range = row.number_or_null("since_seq")?.zip(row.number_or_null("last_seq")?);
        Ok(Self { item: Item::read(row)?, range })
    }
}

struct Absence {
    item: Uuid,
    from: i64,
    until: i64,
}

impl Record for Absence {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self { item: row.id("item_id")?, from: row.number("from_seq")?, until: row.number("until_seq")? })
    }
}

/// The absences of items in a scope.
pub(super) async fn absences(
    mut on: impl Access,
    scope: i64,
    items: &[Uuid],
) -> Result<HashMap<Uuid, Vec<(i64, i64)>>, StoreError> {
    let mut statement = Statement::new("SELECT item_id, from_seq, until_seq FROM inventory_absences WHERE scope_id = ");
    statement.bind(scope).push(" AND item_id").bind_in(items);
    let rows: Vec<Absence> = on.query(&statement).await?;
    let mut absences: HashMap<Uuid, Vec<(i64, i64)>> = HashMap::new();
    for row in rows {
        absences.entry(row.item).or_default().push((row.from, row.until));
    }
    Ok(absences)
}

/// The items with these ids in this order, with their state. Ids of other tenants are left out.
async fn rows(db: &Db, view: &ScopeView, ids: &[Uuid]) -> Result<Vec<ItemRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let scope = view.scope.as_ref().map_or(-1, |scope| scope.id.0);
    let mut statement = Statement::new("SELECT s.since_seq, s.last_seq, ");
    statement.push(ITEM_COLUMNS);
    statement.push(" FROM inventory_items i LEFT JOIN inventory_sightings s ON s.item_id = i.id AND s.scope_id = ");
    statement.bind(scope).push(" WHERE i.tenant_id = ").bind(view.tenant_id).push(" AND i.id").bind_in(ids);
    let mut on = db;
    let found: Vec<Row> = on.query(&statement).await?;
    let seq = view.seq();
    let unsure: Vec<Uuid> = found
        .iter()
        .filter(|row| row.range.is_some_and(|(_, last)| Some(last) != seq))
        .map(|row| row.item.id.as_uuid())
        .collect();
    let mut absences = if unsure.is_empty() { HashMap::new() } else { absences(db, scope, &unsure).await? };
    let mut found: HashMap<Uuid, ItemRow> = found
        .into_iter()
        .map(|row| {
            let id = row.item.id.as_uuid();
            let stretch = Stretch { range: row.range, absences: absences.remove(&id).unwrap_or_default() };
            let row = ItemRow {
                presence: view.presence(&row.item.policy_type, &stretch),
                changed_in_last_run: Some(row.item.changed_seq) == seq,
                newer_than_scope: seq.is_some_and(|seq| row.item.first_seen_seq > seq),
                item: row.item,
            };
            (id, row)
        })
        .collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// An item by its type and the id Microsoft gave it.
///
/// # Errors
/// When the database fails.
pub async fn find_external(
    mut on: impl Access,
    tenant: TenantId,
    policy_type: &str,
    external_id: &str,
) -> Result<Option<ItemId>, StoreError> {
    struct Id(ItemId);
    impl Record for Id {
        fn read(row: &impl Columns) -> Result<Self, Error> {
            row.id("id").map(Self)
        }
    }
    let id: Option<Id> = on
        .row(
            "SELECT id FROM inventory_items WHERE tenant_id = $1 AND policy_type = $2 AND external_id = $3",
            &args![tenant, policy_type, external_id],
        )
        .await?;
    Ok(id.map(|Id(id)| id))
}
