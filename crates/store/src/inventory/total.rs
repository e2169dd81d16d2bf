//! How many items a filter finds.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::query::{ItemFilter, StateFilter};
use super::search::Search;
use super::view::{ScopeView, TypeState};
use crate::StoreError;
use crate::database::Run as _;
use crate::reader::Readable;
use crate::sql::{Statement, args};

/// Up to so many items are counted one by one, and sorted without an index; of more it is said that there are more. What
/// runs noted in numbers is told exactly, however much it is.
pub const MAX_COUNTED: u64 = 10_000;

/// How many items a filter finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// So many.
    pub items: u64,
    /// Whether there are no more than that.
    pub exact: bool,
}

impl Total {
    pub(super) const fn exactly(items: u64) -> Self {
        Self { items, exact: true }
    }

    /// Of a count that stops one beyond [`MAX_COUNTED`].
    const fn counted(found: u64) -> Self {
        if found > MAX_COUNTED { Self { items: MAX_COUNTED, exact: false } } else { Self::exactly(found) }
    }

    /// Whether there are more than are counted or sorted one by one.
    #[must_use]
    pub const fn is_large(self) -> bool {
        !self.exact || self.items > MAX_COUNTED
    }
}

/// How many items a filter finds. It costs at most what a search costs that finds nothing.
///
/// # Errors
/// When the database fails.
pub async fn total(db: &impl Readable, view: &ScopeView, filter: &ItemFilter) -> Result<Total, StoreError> {
    let db = db.database();
    let _turn = if filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
    Search::prepare(db, view, filter, 0).await?.total().await
}

/// How many items of each type a filter finds, by key; `None` when there are more than are counted.
///
/// # Errors
/// When the database fails.
pub async fn total_by_type(
    db: &impl Readable,
    view: &ScopeView,
    filter: &ItemFilter,
) -> Result<Option<BTreeMap<String, u64>>, StoreError> {
    let db = db.database();
    let _turn = if filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
    Search::prepare(db, view, filter, 0).await?.total_by_type().await
}

#[derive(FromRow)]
struct OfType {
    policy_type: String,
    #[sqlx(try_from = "i64")]
    items: u64,
}

impl Search<'_> {
    pub(super) async fn total(&self) -> Result<Total, StoreError> {
        if let Some(numbers) = self.noted() {
            return Ok(Total::exactly(numbers.values().sum()));
        }
        let Some(found) = self.all("1 AS one") else { return Ok(Total::exactly(0)) };
        let mut statement = Statement::new("SELECT COUNT(*) FROM (");
        statement.push_statement(found).push(") AS found", []);
        let mut on = self.db;
        let counted: Vec<(i64,)> = on.query(&statement).await?;
        let counted = counted.first().map_or(0, |(count,)| count.unsigned_abs());
        Ok(Total::counted(counted))
    }

    async fn total_by_type(&self) -> Result<Option<BTreeMap<String, u64>>, StoreError> {
        if let Some(numbers) = self.noted() {
            return Ok(Some(numbers));
        }
        let Some(found) = self.all("i.policy_type") else { return Ok(Some(BTreeMap::new())) };
        let mut statement = Statement::new("SELECT policy_type, COUNT(*) AS items FROM (");
        statement.push_statement(found).push(") AS found GROUP BY policy_type", []);
        let mut on = self.db;
        let rows: Vec<OfType> = on.query(&statement).await?;
        let types: BTreeMap<String, u64> = rows.into_iter().map(|row| (row.policy_type, row.items)).collect();
        let counted = types.values().sum::<u64>();
        Ok((counted <= MAX_COUNTED).then_some(types))
    }

    /// The numbers that the runs noted, by type, where they say what the filter asks. They do not know of names, of what
    /// items point to, nor of states by platform; and what a run changed later ones may have changed again.
    fn noted(&self) -> Option<BTreeMap<String, u64>> {
        let ItemFilter {
            policy_types: _,
            categories: _,
            platforms,
            search: _,
            state,
            scope_tag,
            assigned,
            excluded,
            changed_since: _,
            missing_since,
        } = self.filter;
        let by_links = scope_tag.is_some() || assigned.is_some() || excluded.is_some();
        if self.filter.searched_text().is_some() || by_links || self.changed.is_some() || missing_since.is_some() {
            return None;
        }
        let of_type: fn(&TypeState) -> u64 = match state {
            None => |state| state.known.items,
            _ if !platforms.is_empty() => return None,
            Some(StateFilter::Present) => TypeState::present,
            Some(StateFilter::Missing | StateFilter::NotRead) => TypeState::unseen,
            Some(StateFilter::Changed) => return None,
        };
        let on_platforms = |state: &TypeState| {
            let on = |one: &tenantatlas_domain::registry::Platform| state.known.platforms.get(one.as_str());
            platforms.iter().filter_map(on).sum::<u64>()
        };
        let number = |key: String| {
            let state = self.view.types.get(&key)?;
            let items = if platforms.is_empty() { of_type(state) } else { on_platforms(state) };
            Some((key, items))
        };
        Some(self.types(*state).into_iter().filter_map(number).collect())
    }

    /// Everything that the filter finds, up to one more than is counted, in no order; `None` when nothing can be found.
    fn all(&self, columns: &str) -> Option<Statement> {
        let state = self.filter.state;
        let types = self.types(state);
        if types.is_empty() {
            return None;
        }
        let mut statement = Statement::default();
        self.push_walks(&mut statement, &self.walks(&types, state), state, columns);
        statement.push(" LIMIT $1", args![MAX_COUNTED + 1]);
        Some(statement)
    }
}
