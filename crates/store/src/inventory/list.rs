//! Lists of items: filtered, sorted, page by page, relative to a scope.
//!
//! Three things keep a page fast however many items a tenant has. Which types can hold a match is known from the
//! numbers of the runs before a row is touched, and the others are left out. Each type (or the whole tenant, when
//! nothing is left out) is walked along an index in the order of the page, from the cursor on. And first only the ids
//! of the page are searched; its rows are read afterwards.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tenantatlas_domain::named;
use tenantatlas_domain::registry::{Category, Platform, registry};
use tenantatlas_domain::sync::TypeOutcome;
use uuid::Uuid;

use super::item::ItemRow;
use super::rows::rows;
use super::view::{ScopeView, TypeState};
use crate::database::Run as _;
use crate::sql::{Statement, contains_pattern};
use crate::{Db, StoreError};

/// The longest page.
pub(super) const MAX_PAGE: u32 = 500;
/// Up to so many changed items are found by the index on changes and then sorted; more are met often enough on a walk.
const FEW: u64 = 20_000;

named! {
    /// A state to filter by.
    pub enum StateFilter: UnknownStateFilter, "state of items" {
        /// Seen in the latest completed run.
        Present = "present",
        /// Its type was read to the end and it was not there.
        Missing = "missing",
        /// Its type was not read to the end and it was not seen.
        NotRead = "not_read",
        /// Found new or changed by the latest completed run.
        Changed = "changed",
    }
}

named! {
    /// The order of a list.
    #[derive(Default)]
    pub enum Sort: UnknownSort, "order of items" {
        /// By name, then by id.
        #[default]
        Name = "name",
        /// By type, then by name.
        Type = "type",
        /// What the latest completed run did not see first, the longest unseen before the rest; then what it saw, by
        /// name.
        LastSeen = "last_seen",
    }
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
#[derive(FromRow)]
struct Hit {
    id: Uuid,
    #[sqlx(rename = "sort_key")]
    key: String,
}

/// A page of the items of a view.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, view: &ScopeView, query: &ItemQuery) -> Result<ItemPage, StoreError> {
    let wanted = query.limit.clamp(1, MAX_PAGE) as usize;
    let _turn = if query.filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
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

impl ItemFilter {
    /// What is searched for in names and ids; `None` where only blanks are.
    fn searched_text(&self) -> Option<&str> {
        self.search.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
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
    fn push_conditions(&self, statement: &mut Statement, types: &[String], state: Option<StateFilter>) {
        if !self.filter.platforms.is_empty() {
            let names: Vec<&'static str> = self.filter.platforms.iter().map(|platform| platform.as_str()).collect();
            statement.push(" AND i.platform").bind_in(&names);
        }
        if let Some(search) = self.filter.searched_text() {
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
            StateFilter::Present => self.push_seen(statement, " <> 0"),
            StateFilter::NotRead => {
                // Of a type of which nothing was read the run saw no item, whatever runs before and after it saw.
                if types.iter().any(|key| self.view.types.get(key).is_some_and(TypeState::was_read)) {
                    self.push_seen(statement, " <> 1");
                }
            }
            StateFilter::Missing => self.push_seen(statement, " <> 1"),
            // The sum keeps a walk along another index from being given up for the one on changes.
            StateFilter::Changed if !self.is_rare(state) => {
                statement.push(" AND i.changed_seq + 0 = ").bind(run.seq);
            }
            StateFilter::Changed => {}
        }
    }

    /// Whether items of a state are found by an index of their own and then sorted.
    fn is_rare(&self, state: StateFilter) -> bool {
        match state {
            StateFilter::Present | StateFilter::NotRead => false,
            StateFilter::Missing => true,
            StateFilter::Changed => {
                self.types(Some(state)).iter().map(|key| changed(&self.view.types[key])).sum::<u64>() <= FEW
            }
        }
    }

    /// Where the rows `i` come from, up to the conditions: the items of a tenant, of one of its types, or those few of
    /// its types that can be in a rare state.
    fn push_from(&self, statement: &mut Statement, types: &[String], state: Option<StateFilter>) {
        let tenant = self.view.tenant_id;
        let rare = state.filter(|state| self.is_rare(*state)).zip(self.view.run.as_ref());
        let Some((state, run)) = rare else {
            statement.push(" FROM inventory_items i WHERE i.tenant_id = ").bind(tenant);
            if let [one] = types {
                statement.push(" AND i.policy_type = ").bind(one.clone());
            }
            return;
        };
        let changed = "SELECT c.id FROM inventory_items c WHERE c.tenant_id = ";
        if state == StateFilter::Changed {
            statement.push(" FROM (").push(changed).bind(tenant).push(" AND c.changed_seq = ").bind(run.seq);
        } else {
            // What the run noted as absent, and what became known only afterwards.
            statement.push(" FROM (SELECT a.item_id AS id FROM inventory_absences a WHERE a.scope_id = ");
            statement.bind(run.scope_id.0).push(" AND a.until_seq > ").bind(run.seq);
            statement.push(" AND a.from_seq <= ").bind(run.seq);
            statement.push(" UNION ").push(changed).bind(tenant).push(" AND c.changed_seq > ").bind(run.seq);
            if run.floor_seq < run.seq {
                statement.push(" UNION ").push(changed).bind(tenant).push(" AND c.changed_seq >= ");
                statement.bind(run.floor_seq).push(" AND c.changed_seq < ").bind(run.seq);
            }
        }
        // On SQLite a CROSS JOIN is done in the order in which it is written.
        statement.push(") AS rare CROSS JOIN inventory_items i WHERE i.id = rare.id AND i.tenant_id = ").bind(tenant);
        statement.push(" AND i.policy_type").bind_in(types);
    }

    /// Whether the run saw the item. A number and not an `EXISTS`, which PostgreSQL may turn into a join that begins with
    /// the sightings: with statistics of before the last run it takes those for few, and sorts them all. Compared by what
    /// it is not (seen: not 0 times, unseen: not once), because an engine that guesses takes that for the usual case.
    fn push_seen(&self, statement: &mut Statement, compared: &str) {
        let Some(run) = self.view.run.as_ref() else { return };
        let (scope, seq) = (run.scope_id.0, run.seq);
        statement.push(" AND (SELECT COUNT(*) FROM inventory_sightings s WHERE s.item_id = i.id AND s.scope_id = ");
        statement.bind(scope).push(" AND s.since_seq <= ").bind(seq).push(" AND s.last_seq >= ").bind(seq);
        statement.push(" AND (s.last_seq = ").bind(seq);
        statement.push(
            " OR NOT EXISTS (SELECT 1 FROM inventory_absences g WHERE g.item_id = s.item_id \
             AND g.scope_id = s.scope_id AND g.from_seq <= ",
        );
        statement.bind(seq).push(" AND g.until_seq > ").bind(seq).push(")))").push(compared);
    }

    /// One walk in the order of names: through the items of one type, of the whole tenant, or through few of it.
    fn push_walk(
        &self,
        statement: &mut Statement,
        types: &[String],
        state: Option<StateFilter>,
        after: Option<&Cursor>,
    ) {
        statement.push("SELECT i.id, i.name_key AS sort_key");
        self.push_from(statement, types, state);
        if let Some(cursor) = after {
            statement.push(" AND (i.name_key, i.id) > (").bind(cursor.key.clone()).push(", ");
            statement.bind(cursor.id).push(")");
        }
        self.push_conditions(statement, types, state);
        statement.push(" ORDER BY i.name_key, i.id LIMIT ").bind(self.limit as u64);
    }

    /// The statement for a page of these types in the order of names; `None` when there are none.
    fn by_name_statement(
        &self,
        types: &[String],
        state: Option<StateFilter>,
        after: Option<&Cursor>,
    ) -> Option<Statement> {
        let mut statement = Statement::default();
        let is_everything = state != Some(StateFilter::NotRead) && self.is_everything(types);
        if types.is_empty() {
            return None;
        }
        if types.len() == 1 || is_everything || state.is_some_and(|state| self.is_rare(state)) {
            self.push_walk(&mut statement, types, state, after);
            return Some(statement);
        }
        statement.push("SELECT id, sort_key FROM (");
        for (index, one) in types.iter().enumerate() {
            statement.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
            self.push_walk(&mut statement, std::slice::from_ref(one), state, after);
            statement.push(") AS walk");
        }
        statement.push(") AS walks ORDER BY sort_key, id LIMIT ").bind(self.limit as u64);
        Some(statement)
    }

    async fn by_name(
        &self,
        types: &[String],
        state: Option<StateFilter>,
        after: Option<&Cursor>,
        part: &str,
    ) -> Result<Vec<(String, Hit)>, StoreError> {
        let Some(statement) = self.by_name_statement(types, state, after) else { return Ok(Vec::new()) };
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
            let types = self.types(Some(*state));
            // Of what was not read each type has conditions of its own.
            for part in types.chunks(if self.is_rare(*state) { types.len().max(1) } else { 1 }) {
                statement.push(if walks == 0 { "" } else { " UNION ALL " });
                statement.push(
                    "SELECT i.id, COALESCE((SELECT MAX(x.last_seen_at) FROM inventory_sightings x \
                     WHERE x.item_id = i.id), i.first_seen_at) AS seen_at",
                );
                self.push_from(&mut statement, part, Some(*state));
                self.push_conditions(&mut statement, part, Some(*state));
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

#[cfg(test)]
#[path = "list_plans.rs"]
mod plans;
