//! The statements of a list of items.
//!
//! Each page is one or more *walks*: the items of a type, of a tenant, or those few that can be in a rare state, in the
//! order of the page, from its cursor on, with the conditions of the filter. Several walks are merged by `UNION ALL`.

use std::collections::BTreeMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::list::{Cursor, ItemFilter, StateFilter};
use super::view::{ScopeView, TypeState};
use crate::database::{Access, Run as _};
use crate::scopes::ScopeId;
use crate::sql::{Statement, args, contains_pattern};
use crate::{Db, StoreError};

/// Up to so many changed items are found by the index on changes and then sorted; more are met often enough on a walk.
const FEW: u64 = 20_000;

/// What is searched for in which view.
pub(super) struct Search<'a> {
    pub(super) db: &'a Db,
    pub(super) view: &'a ScopeView,
    pub(super) filter: &'a ItemFilter,
    /// Where the changes begin that are asked for.
    pub(super) changed: Option<Changed>,
    /// Whether the order is reversed.
    pub(super) descending: bool,
    /// How many items are wanted.
    pub(super) limit: usize,
}

/// Changes since a time.
#[derive(Clone, Copy)]
pub(super) struct Changed {
    since: Timestamp,
    /// No run below this number can have found one.
    from_seq: i64,
}

impl Changed {
    /// Finds where they begin: with the first run that ended after that time or has not ended, beyond what every type was
    /// first read by.
    pub(super) async fn since(mut on: impl Access, tenant: TenantId, since: Timestamp) -> Result<Self, StoreError> {
        let from_seq: Option<i64> = on
            .value(
                "SELECT MAX(m.seq)
                 FROM (
                     SELECT COALESCE(MIN(r.seq), $3) AS seq
                     FROM inventory_sync_runs r
                     WHERE r.tenant_id = $1 AND (r.finished_at IS NULL OR r.finished_at > $2)
                     UNION ALL SELECT MIN(b.seq) + 1 FROM inventory_baselines b WHERE b.tenant_id = $1) m",
                &args![tenant, since, i64::MAX],
            )
            .await?;
        Ok(Self { since, from_seq: from_seq.unwrap_or(i64::MAX) })
    }
}

/// A found item: where it stands in the order.
#[derive(FromRow)]
pub(super) struct Hit {
    pub(super) id: Uuid,
    #[sqlx(rename = "sort_key")]
    pub(super) key: String,
}

/// The read that tells of a walk: that of the latest completed run, or of an earlier one from which that run carried
/// outcomes over.
#[derive(Clone, Copy)]
struct Told {
    scope: ScopeId,
    tenant: TenantId,
    seq: i64,
    floor_seq: i64,
}

impl<'a> Search<'a> {
    /// Looks up what decides how a page is found.
    pub(super) async fn prepare(
        db: &'a Db,
        view: &'a ScopeView,
        filter: &'a ItemFilter,
        limit: usize,
    ) -> Result<Self, StoreError> {
        let changed = match filter.changed_since {
            Some(since) => Some(Changed::since(db, view.tenant_id, since).await?),
            None => None,
        };
        Ok(Self { db, view, filter, changed, descending: false, limit })
    }

    /// The same search for another number of items.
    pub(super) fn with_limit(&self, limit: usize) -> Self {
        Self { limit, ..*self }
    }

    /// The same search with a filter that differs in what is looked up for none of them.
    pub(super) fn with_filter<'b>(&'b self, filter: &'b ItemFilter) -> Search<'b> {
        Search { filter, ..*self }
    }

    /// The read that tells of types; all of them were read by the same run, see [`Search::by_read`].
    fn told(&self, types: &[String]) -> Option<Told> {
        let run = self.view.run.as_ref()?;
        let read = types.first().and_then(|key| self.view.types.get(key)).and_then(|state| state.run.as_ref());
        let (seq, floor_seq) = read.map_or((run.seq, run.floor_seq), |read| (read.read_seq, read.read_floor_seq));
        Some(Told { scope: run.scope_id, tenant: run.tenant_id, seq, floor_seq })
    }

    /// Types by the run that read them: nearly always one group, more where a run continued another one.
    fn by_read(&self, types: &[String]) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<Option<i64>, Vec<String>> = BTreeMap::new();
        for key in types {
            groups.entry(self.view.seq_of(key)).or_default().push(key.clone());
        }
        groups.into_values().collect()
    }

    /// The walks through types: one where all can be met on the same one, else one for each type or group.
    pub(super) fn walks(&self, types: &[String], state: Option<StateFilter>) -> Vec<Vec<String>> {
        let Some(state) = state else {
            let one = self.changed.is_some() || self.is_everything(types);
            return if one { vec![types.to_vec()] } else { each(types) };
        };
        let groups = self.by_read(types);
        match groups.len() {
            _ if self.is_rare(state) => groups,
            // Of what was not read each type has conditions of its own.
            _ if state == StateFilter::NotRead => each(types),
            _ if self.changed.is_some() => groups,
            1 if self.is_everything(types) => groups,
            _ => each(types),
        }
    }

    /// The types that can hold a match, by key.
    pub(super) fn types(&self, state: Option<StateFilter>) -> Vec<String> {
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
                Some(StateFilter::Changed) => type_state.changed() > 0,
            })
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Whether these are all types of which items are known.
    fn is_everything(&self, types: &[String]) -> bool {
        types.len() == self.view.types_where(|state| state.known.items > 0).count()
    }

    /// Whether items of a state are found by an index of their own and then sorted.
    fn is_rare(&self, state: StateFilter) -> bool {
        match state {
            StateFilter::Present | StateFilter::NotRead => false,
            StateFilter::Missing => true,
            StateFilter::Changed => {
                self.types(Some(state)).iter().map(|key| self.view.types[key].changed()).sum::<u64>() <= FEW
            }
        }
    }

    /// Where the rows `i` come from, up to the conditions: the items of a tenant, of one of its types, or those few of
    /// its types that can be in a rare state.
    pub(super) fn push_from(&self, statement: &mut Statement, types: &[String], state: Option<StateFilter>) {
        let tenant = self.view.tenant_id;
        if let Some(changed) = self.changed {
            statement
                .push(
                    " FROM (
                         SELECT c.id
                         FROM inventory_items c
                         JOIN inventory_baselines b
                             ON b.tenant_id = c.tenant_id AND b.policy_type = c.policy_type AND b.seq < c.changed_seq
                         WHERE c.tenant_id = $1 AND c.changed_seq >= $2 AND c.changed_at > $3) AS rare
                     CROSS JOIN inventory_items i
                     WHERE i.id = rare.id AND i.tenant_id = $1",
                    args![tenant, changed.from_seq, changed.since],
                )
                .push_in(" AND i.policy_type", types);
            return;
        }
        let rare = state.filter(|state| self.is_rare(*state)).zip(self.told(types));
        let Some((state, told)) = rare else {
            statement.push(" FROM inventory_items i WHERE i.tenant_id = $1", args![tenant]);
            if let [one] = types {
                statement.push(" AND i.policy_type = $1", args![one.clone()]);
            }
            return;
        };
        statement.push(" FROM (", []);
        if state == StateFilter::Changed {
            statement.push(
                "SELECT c.id FROM inventory_items c WHERE c.tenant_id = $1 AND c.changed_seq = $2",
                args![tenant, told.seq],
            );
        } else {
            push_unseen(statement, told);
        }
        // On SQLite a CROSS JOIN is done in the order in which it is written.
        statement
            .push(") AS rare CROSS JOIN inventory_items i WHERE i.id = rare.id AND i.tenant_id = $1", args![tenant])
            .push_in(" AND i.policy_type", types);
    }

    /// Conditions on the row `i` beyond tenant and type.
    pub(super) fn push_conditions(&self, statement: &mut Statement, types: &[String], state: Option<StateFilter>) {
        if !self.filter.platforms.is_empty() {
            let names: Vec<&'static str> = self.filter.platforms.iter().map(|platform| platform.as_str()).collect();
            statement.push_in(" AND i.platform", &names);
        }
        if let Some(search) = self.filter.searched_text() {
            statement.push(
                r" AND (i.name_key LIKE $1 ESCAPE '\' OR lower(i.external_id) LIKE $1 ESCAPE '\')",
                args![contains_pattern(&search.to_lowercase())],
            );
        }
        if let Some(tag) = &self.filter.scope_tag {
            statement.push(
                " AND EXISTS (
                     SELECT 1
                     FROM inventory_links l
                     WHERE l.source_item_id = i.id AND l.relationship = 'scoped_by' AND l.target_external_id = $1)",
                args![tag.clone()],
            );
        }
        let (Some(state), Some(told)) = (state, self.told(types)) else { return };
        match state {
            StateFilter::Present => push_seen(statement, told, "<> 0"),
            StateFilter::Missing => push_seen(statement, told, "<> 1"),
            // Of a type of which nothing was read the run saw no item, whatever runs before and after it saw.
            StateFilter::NotRead if types.iter().any(|key| self.was_read(key)) => push_seen(statement, told, "<> 1"),
            StateFilter::NotRead => {}
            // The sum keeps a walk along another index from being given up for the one on changes.
            StateFilter::Changed if self.changed.is_some() || !self.is_rare(state) => {
                statement.push(" AND i.changed_seq + 0 = $1", args![told.seq]);
            }
            StateFilter::Changed => {}
        }
    }

    fn was_read(&self, policy_type: &str) -> bool {
        self.view.types.get(policy_type).is_some_and(TypeState::was_read)
    }

    /// How rows behind a cursor compare with it, and how the columns of an order are followed.
    pub(super) fn direction(&self) -> (&'static str, &'static str) {
        if self.descending { ("<", " DESC") } else { (">", "") }
    }

    /// One walk in the order of names: through the items of one type, of the whole tenant, or through few of it.
    fn walk(&self, types: &[String], state: Option<StateFilter>, after: Option<&Cursor>) -> Statement {
        let (behind, order) = self.direction();
        let mut walk = Statement::new("SELECT i.id, i.name_key AS sort_key");
        self.push_from(&mut walk, types, state);
        if let Some(cursor) = after {
            walk.push(&format!(" AND (i.name_key, i.id) {behind} ($1, $2)"), args![cursor.key.clone(), cursor.id]);
        }
        self.push_conditions(&mut walk, types, state);
        walk.push(&format!(" ORDER BY i.name_key{order}, i.id{order} LIMIT $1"), args![self.limit as u64]);
        walk
    }

    /// The statement for a page of these types in the order of names; `None` when there are none.
    fn by_name_statement(
        &self,
        types: &[String],
        state: Option<StateFilter>,
        after: Option<&Cursor>,
    ) -> Option<Statement> {
        let walks = if types.is_empty() { Vec::new() } else { self.walks(types, state) };
        if let [] | [_] = walks.as_slice() {
            return walks.first().map(|types| self.walk(types, state, after));
        }
        let mut statement = Statement::new("SELECT id, sort_key FROM (");
        for (index, types) in walks.iter().enumerate() {
            statement
                .push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" }, [])
                .push_statement(self.walk(types, state, after))
                .push(") AS walk", []);
        }
        let (_, order) = self.direction();
        let end = format!(") AS walks ORDER BY sort_key{order}, id{order} LIMIT $1");
        statement.push(&end, args![self.limit as u64]);
        Some(statement)
    }

    pub(super) async fn by_name(
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

    /// What the run did not see, by when any run last saw it.
    pub(super) async fn unseen(
        &self,
        states: &[StateFilter],
        after: Option<&Cursor>,
        part: &str,
    ) -> Result<Vec<(String, Hit)>, StoreError> {
        let (behind, order) = self.direction();
        let mut statement = Statement::new("SELECT id, CAST(seen_at AS TEXT) AS sort_key FROM (");
        let mut walks = 0;
        for state in states {
            let types = self.types(Some(*state));
            // Of what was not read each type has conditions of its own.
            for part in if self.is_rare(*state) { self.by_read(&types) } else { each(&types) } {
                statement.push(if walks == 0 { "" } else { " UNION ALL " }, []).push(
                    "SELECT i.id, COALESCE(
                         (SELECT MAX(x.last_seen_at) FROM inventory_sightings x WHERE x.item_id = i.id),
                         i.first_seen_at) AS seen_at",
                    [],
                );
                self.push_from(&mut statement, &part, Some(*state));
                self.push_conditions(&mut statement, &part, Some(*state));
                walks += 1;
            }
        }
        if walks == 0 {
            return Ok(Vec::new());
        }
        statement.push(") AS walks", []);
        if let Some(cursor) = after {
            let seen_at: i64 = cursor.key.parse().unwrap_or_default();
            statement.push(&format!(" WHERE (seen_at, id) {behind} ($1, $2)"), args![seen_at, cursor.id]);
        }
        statement.push(&format!(" ORDER BY seen_at{order}, id{order} LIMIT $1"), args![self.limit as u64]);
        let mut on = self.db;
        let hits: Vec<Hit> = on.query(&statement).await?;
        Ok(hits.into_iter().map(|hit| (part.to_owned(), hit)).collect())
    }
}

fn each(types: &[String]) -> Vec<Vec<String>> {
    types.iter().map(|key| vec![key.clone()]).collect()
}

/// Items that the run may not have seen: those that it noted as absent, and those that became known only afterwards.
fn push_unseen(statement: &mut Statement, told: Told) {
    statement.push(
        "SELECT a.item_id AS id
         FROM inventory_absences a
         WHERE a.scope_id = $1 AND a.until_seq > $2 AND a.from_seq <= $2
         UNION SELECT c.id FROM inventory_items c WHERE c.tenant_id = $3 AND c.changed_seq > $2",
        args![told.scope.0, told.seq, told.tenant],
    );
    if told.floor_seq < told.seq {
        statement.push(
            " UNION SELECT c.id FROM inventory_items c
              WHERE c.tenant_id = $1 AND c.changed_seq >= $2 AND c.changed_seq < $3",
            args![told.tenant, told.floor_seq, told.seq],
        );
    }
}

/// Whether the run saw the item. A number and not an `EXISTS`, which PostgreSQL may turn into a join that begins with the
/// sightings: with statistics of before the last run it takes those for few, and sorts them all. Compared by what it is not
/// (seen: not 0 times, unseen: not once), because a database that guesses takes that for the usual case.
fn push_seen(statement: &mut Statement, told: Told, compared: &str) {
    statement.push(
        &format!(
            " AND (
                 SELECT COUNT(*)
                 FROM inventory_sightings s
                 WHERE s.item_id = i.id AND s.scope_id = $1 AND s.since_seq <= $2 AND s.last_seq >= $2
                     AND (s.last_seq = $2 OR NOT EXISTS (
                         SELECT 1
                         FROM inventory_absences g
                         WHERE g.item_id = s.item_id AND g.scope_id = s.scope_id
                             AND g.from_seq <= $2 AND g.until_seq > $2))) {compared}"
        ),
        args![told.scope.0, told.seq],
    );
}

#[cfg(test)]
#[path = "search_plans.rs"]
mod plans;
