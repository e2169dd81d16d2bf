//! The statements of a list of items.
//!
//! Each page is one or more *walks*: the items of a type, of a tenant, or those few that can be in a rare state, in the
//! order of the page, from its cursor on, with the conditions of the filter. Several walks are merged by `UNION`.

use std::collections::BTreeMap;

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::references::Relationship;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::TypeOutcome;
use uuid::Uuid;

use super::absences::OPEN;
use super::query::{Cursor, ItemFilter, StateFilter};
use super::search_conditions::{
    Changed, FEW, Told, are_few, push_assigned, push_changed, push_is_assigned, push_missing_since, push_seen,
    push_unseen, push_unseen_otherwise,
};
use super::search_words::Word;
use super::view::{ScopeView, TypeState};
use crate::database::Run as _;
use crate::sql::{Statement, args};
use crate::{Db, StoreError};

/// What is searched for in which view.
pub(super) struct Search<'a> {
    pub(super) db: &'a Db,
    pub(super) view: &'a ScopeView,
    pub(super) filter: &'a ItemFilter,
    /// Where the changes begin that are asked for.
    pub(super) changed: Option<Changed>,
    /// Whether the order is reversed.
    pub(super) descending: bool,
    /// The side on which few items name somebody whom the filter asks for; `None` where many do.
    pub(super) few_assigned: Option<Relationship>,
    /// The words that are searched for.
    pub(super) words: Vec<Word>,
    /// How many items are wanted.
    pub(super) limit: usize,
}

/// By what the rows of a walk are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drive {
    /// The items of a tenant, or of one of its types, in the order of the page.
    Order,
    /// Those that changed since a time.
    Changed,
    /// Those whose assignments name somebody.
    Assigned,
    /// Those that can be in a rare state.
    State(StateFilter),
}

/// A part of a list that is found by one statement.
pub(super) struct Walk {
    /// The types of its items.
    types: Vec<String>,
    /// The words to look for, by their places: of a type whose name holds a word, each item is found by that.
    words: Vec<usize>,
}

/// A found item: where it stands in the order.
#[derive(FromRow)]
pub(super) struct Hit {
    pub(super) id: Uuid,
    #[sqlx(rename = "sort_key")]
    pub(super) key: String,
}

impl<'a> Search<'a> {
    /// Looks up what decides how a page is found.
    pub(super) async fn prepare(
        db: &'a Db,
        view: &'a ScopeView,
        filter: &'a ItemFilter,
        limit: usize,
    ) -> Result<Self, StoreError> {
        let tenant = view.tenant_id;
        let changed = match filter.changed_since {
            Some(since) => Some(Changed::since(db, tenant, since).await?),
            None => None,
        };
        let mut few_assigned = None;
        for (side, whom) in filter.named() {
            if few_assigned.is_none() && are_few(db, tenant, side, &whom).await? {
                few_assigned = Some(side);
            }
        }
        let words = match filter.searched_text() {
            Some(text) => Word::all(db, tenant, text).await?,
            None => Vec::new(),
        };
        Ok(Self { db, view, filter, changed, descending: false, few_assigned, words, limit })
    }

    /// The same search for another number of items.
    pub(super) fn with_limit(&self, limit: usize) -> Self {
        Self { words: self.words.clone(), limit, ..*self }
    }

    fn drive(&self, state: Option<StateFilter>) -> Drive {
        match state.filter(|state| self.is_rare(*state)) {
            _ if self.changed.is_some_and(|changed| changed.few) => Drive::Changed,
            _ if self.few_assigned.is_some() => Drive::Assigned,
            Some(state) => Drive::State(state),
            None => Drive::Order,
        }
    }

    /// The same search with a filter that differs in what is looked up for none of them.
    pub(super) fn with_filter<'b>(&'b self, filter: &'b ItemFilter) -> Search<'b> {
        Search { filter, words: self.words.clone(), ..*self }
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
    pub(super) fn walks(&self, types: &[String], state: Option<StateFilter>) -> Vec<Walk> {
        self.groups(types, state).into_iter().flat_map(|types| self.split_by_words(types)).collect()
    }

    fn groups(&self, types: &[String], state: Option<StateFilter>) -> Vec<Vec<String>> {
        let drive = self.drive(state);
        let Some(state) = state else {
            let one = drive != Drive::Order || self.is_everything(types);
            return if one { vec![types.to_vec()] } else { each(types) };
        };
        let groups = self.by_read(types);
        match groups.len() {
            _ if matches!(drive, Drive::State(_)) => groups,
            // Of what was not read each type has conditions of its own.
            _ if state == StateFilter::NotRead => each(types),
            _ if drive != Drive::Order => groups,
            1 if self.is_everything(types) => groups,
            _ => each(types),
        }
    }

    /// Types whose names hold some of the words have walks of their own, in which these need not be looked for. The walk for
    /// the others may go through all of the tenant, and finds some of their items once more: what is found by several walks
    /// is one hit.
    fn split_by_words(&self, types: Vec<String>) -> Vec<Walk> {
        let all: Vec<usize> = (0..self.words.len()).collect();
        let (named, rest): (Vec<String>, Vec<String>) =
            types.into_iter().partition(|key| self.words.iter().any(|word| word.is_in_type(key)));
        let of_type = |key: &String| Walk {
            types: vec![key.clone()],
            words: all.iter().copied().filter(|at| !self.words[*at].is_in_type(key)).collect(),
        };
        let mut walks: Vec<Walk> = named.iter().map(of_type).collect();
        if !rest.is_empty() {
            walks.push(Walk { types: rest, words: all });
        }
        walks
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
    /// its types that the filter can find.
    fn push_from(&self, statement: &mut Statement, walk: &Walk, state: Option<StateFilter>) {
        let tenant = self.view.tenant_id;
        let types = walk.types.as_slice();
        let drive = self.drive(state);
        let few = self.filter.named().find(|(side, _)| self.few_assigned == Some(*side));
        match (drive, self.changed, few, self.told(types)) {
            (Drive::Changed, Some(changed), ..) => {
                statement.push(
                    " FROM (SELECT c.id FROM inventory_items c WHERE c.tenant_id = $1 AND c.changed_seq >= $2",
                    args![tenant, changed.from_seq],
                );
            }
            (Drive::Assigned, _, Some((side, whom)), _) => {
                statement.push(" FROM (", []);
                let one = if let [one] = types { Some(one.as_str()) } else { None };
                push_assigned(statement, tenant, side, &whom, one);
            }
            (Drive::State(StateFilter::Changed), _, _, Some(told)) => {
                statement.push(
                    " FROM (SELECT c.id FROM inventory_items c WHERE c.tenant_id = $1 AND c.changed_seq = $2",
                    args![tenant, told.seq],
                );
            }
            (Drive::State(_), _, _, Some(told)) => {
                statement.push(" FROM (", []);
                push_unseen(statement, told);
            }
            _ => return push_in_order(statement, tenant, walk),
        }
        // On SQLite a CROSS JOIN is done in the order in which it is written.
        statement
            .push(") AS rare CROSS JOIN inventory_items i WHERE i.id = rare.id AND i.tenant_id = $1", args![tenant])
            .push_in(" AND i.policy_type", types);
    }

    /// Everything that walks find, in no order. Where there are several, each keeps to its own types, since others may find
    /// some of its items too: no item comes twice.
    pub(super) fn push_walks(
        &self,
        statement: &mut Statement,
        walks: &[Walk],
        state: Option<StateFilter>,
        columns: &str,
    ) {
        for (index, walk) in walks.iter().enumerate() {
            statement.push(if index == 0 { "" } else { " UNION ALL " }, []).push(&format!("SELECT {columns}"), []);
            self.push_from(statement, walk, state);
            self.push_conditions(statement, walk, state);
            if walks.len() > 1 && !self.words.is_empty() {
                statement.push_in(" AND i.policy_type", &walk.types);
            }
        }
    }

    /// Conditions on the row `i` beyond tenant and type.
    fn push_conditions(&self, statement: &mut Statement, walk: &Walk, state: Option<StateFilter>) {
        let tenant = self.view.tenant_id;
        if !self.filter.platforms.is_empty() {
            let names: Vec<&'static str> = self.filter.platforms.iter().map(|platform| platform.as_str()).collect();
            statement.push_in(" AND i.platform", &names);
        }
        for word in walk.words.iter().filter_map(|at| self.words.get(*at)) {
            word.push_condition(statement, tenant);
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
        let drive = self.drive(state);
        for (side, whom) in self.filter.named() {
            if drive != Drive::Assigned || self.few_assigned != Some(side) {
                push_is_assigned(statement, side, &whom);
            }
        }
        if let Some(changed) = self.changed {
            push_changed(statement, tenant, changed);
        }
        if let (Some(since), Some(told)) = (self.filter.missing_since, self.told(&walk.types)) {
            push_missing_since(statement, told, since);
        }
        self.push_state(statement, &walk.types, state);
    }

    fn push_state(&self, statement: &mut Statement, types: &[String], state: Option<StateFilter>) {
        let (Some(state), Some(told)) = (state, self.told(types)) else { return };
        match state {
            StateFilter::Present => push_seen(statement, told, "<> 0"),
            StateFilter::Missing => push_seen(statement, told, "<> 1"),
            // Of a type of which nothing was read the run saw no item, whatever runs before and after it saw.
            StateFilter::NotRead if types.iter().any(|key| self.was_read(key)) => push_seen(statement, told, "<> 1"),
            StateFilter::NotRead => {}
            // The sum keeps a walk along another index from being given up for the one on changes.
            StateFilter::Changed if self.drive(Some(state)) != Drive::State(state) => {
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

    /// The statements of a walk in the order of names: through the items of one type, of the whole tenant, or through few
    /// of it. What is missing has two: absences that go on lie in the order of the page, and the few others are sorted.
    fn statements(&self, walk: &Walk, state: Option<StateFilter>, after: Option<&Cursor>) -> Vec<Statement> {
        let (behind, order) = self.direction();
        let mut statements = Vec::new();
        let mut of_walk = Statement::new("SELECT i.id, i.name_key AS sort_key");
        match self.drive(state) {
            Drive::State(StateFilter::Missing) => {
                let Some(told) = self.told(&walk.types) else { return statements };
                statements.push(self.absent(walk, told, after));
                push_unseen_otherwise(&mut of_walk, self.view.tenant_id, told);
                of_walk.push_in(" AND i.policy_type", &walk.types);
            }
            _ => self.push_from(&mut of_walk, walk, state),
        }
        if let Some(cursor) = after {
            of_walk.push(&format!(" AND (i.name_key, i.id) {behind} ($1, $2)"), args![cursor.key.clone(), cursor.id]);
        }
        self.push_conditions(&mut of_walk, walk, state);
        of_walk.push(&format!(" ORDER BY i.name_key{order}, i.id{order}"), []);
        // With conditions the best plan depends on what they are compared with.
        if self.is_plain(walk, state) {
            of_walk.push_limit(self.limit as u64);
        } else {
            of_walk.push(" LIMIT $1", args![self.limit as u64]);
        }
        statements.push(of_walk);
        statements
    }

    /// Whether a walk goes along an index with nothing else asked of its items.
    fn is_plain(&self, walk: &Walk, state: Option<StateFilter>) -> bool {
        let filter = self.filter;
        state.is_none()
            && self.drive(state) == Drive::Order
            && self.changed.is_none()
            && walk.words.is_empty()
            && filter.platforms.is_empty()
            && filter.scope_tag.is_none()
            && filter.named().next().is_none()
    }

    /// Items of which an absence goes on, in the order of names. The sum keeps SQLite from the other index on absences, in
    /// which they lie in another order.
    fn absent(&self, walk: &Walk, told: Told, after: Option<&Cursor>) -> Statement {
        let (behind, order) = self.direction();
        let mut statement = Statement::new("SELECT a.item_id AS id, a.name_key AS sort_key");
        statement
            .push(
                &format!(
                    " FROM inventory_absences a
                      CROSS JOIN inventory_items i
                      WHERE a.scope_id = $1 AND a.until_seq = {OPEN} AND a.from_seq + 0 <= $2
                          AND i.id = a.item_id AND i.tenant_id = $3"
                ),
                args![told.scope.0, told.seq, told.tenant],
            )
            .push_in(" AND a.policy_type", &walk.types);
        if let Some(cursor) = after {
            statement
                .push(&format!(" AND (a.name_key, a.item_id) {behind} ($1, $2)"), args![cursor.key.clone(), cursor.id]);
        }
        self.push_conditions(&mut statement, walk, Some(StateFilter::Missing));
        statement.push(&format!(" ORDER BY a.name_key{order}, a.item_id{order} LIMIT $1"), args![self.limit as u64]);
        statement
    }

    /// The statement for a page of these types in the order of names; `None` when there are none.
    fn by_name_statement(
        &self,
        types: &[String],
        state: Option<StateFilter>,
        after: Option<&Cursor>,
    ) -> Option<Statement> {
        let walks = if types.is_empty() { Vec::new() } else { self.walks(types, state) };
        let mut statements: Vec<Statement> =
            walks.iter().flat_map(|walk| self.statements(walk, state, after)).collect();
        if statements.len() <= 1 {
            return statements.pop();
        }
        let mut statement = Statement::new("SELECT id, sort_key FROM (");
        for (index, walk) in statements.into_iter().enumerate() {
            statement
                .push(if index == 0 { "SELECT * FROM (" } else { " UNION SELECT * FROM (" }, [])
                .push_statement(walk)
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
            let groups = if self.is_rare(*state) { self.by_read(&types) } else { each(&types) };
            for walk in groups.into_iter().flat_map(|types| self.split_by_words(types)) {
                statement.push(if walks == 0 { "" } else { " UNION ALL " }, []).push(
                    "SELECT i.id, COALESCE(
                         (SELECT MAX(x.last_seen_at) FROM inventory_sightings x WHERE x.item_id = i.id),
                         i.first_seen_at) AS seen_at",
                    [],
                );
                self.push_from(&mut statement, &walk, Some(*state));
                self.push_conditions(&mut statement, &walk, Some(*state));
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

/// The rows `i` in the order of names: of one type, or of the whole tenant.
fn push_in_order(statement: &mut Statement, tenant: TenantId, walk: &Walk) {
    statement.push(" FROM inventory_items i WHERE i.tenant_id = $1", args![tenant]);
    if let [one] = walk.types.as_slice() {
        statement.push(" AND i.policy_type = $1", args![one.clone()]);
    }
}

#[cfg(test)]
#[path = "search_plans.rs"]
mod plans;
