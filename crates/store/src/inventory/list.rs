//! Lists of items: filtered, sorted, page by page, relative to a scope.
//!
//! Three things keep a page fast however many items a tenant has. Which types can hold a match is known from the
//! numbers of the runs before a row is touched, and the others are left out. Each type (or the whole tenant, when
//! nothing is left out) is walked along an index in the order of the page, from the cursor on. And first only the ids
//! of the page are searched; its rows are read afterwards.

use uuid::Uuid;

use super::item::ItemRow;
use super::query::{Cursor, ItemQuery, MAX_PAGE, Sort};
use super::rows::rows;
use super::search::{Hit, Search};
use super::total::Total;
use super::view::ScopeView;
use crate::StoreError;
use crate::reader::Readable;

/// The items of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPage {
    /// The items in order.
    pub rows: Vec<ItemRow>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
    /// Where the previous page ends; `None` on the first page.
    pub previous: Option<Cursor>,
    /// The order they are in: that by name where there are too many to be sorted otherwise, see [`Sort::is_sorted_whole`].
    pub sort: Sort,
    /// How many items the filter finds, where that became known on the way; otherwise [`super::total`] tells it.
    pub total: Option<Total>,
}

/// A page of the items of a view. A cursor of another order, or of a part of the list that is gone, begins at the
/// beginning; so does a page before a cursor that would not be full.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl Readable, view: &ScopeView, query: &ItemQuery) -> Result<ItemPage, StoreError> {
    let db = db.database();
    let _turn = if query.filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
    let mut search = Search::prepare(db, view, &query.filter, wanted(query) + 1).await?;
    page(&mut search, query).await
}

/// The same page, with how many items the filter finds on all pages. What is searched for is looked up once for both.
///
/// # Errors
/// When the database fails.
pub async fn list_with_total(
    db: &impl Readable,
    view: &ScopeView,
    query: &ItemQuery,
) -> Result<(ItemPage, Total), StoreError> {
    let db = db.database();
    let _turn = if query.filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
    let mut search = Search::prepare(db, view, &query.filter, wanted(query) + 1).await?;
    let page = page(&mut search, query).await?;
    let total = match page.total {
        Some(total) => total,
        None => search.total().await?,
    };
    Ok((page, total))
}

fn wanted(query: &ItemQuery) -> usize {
    query.limit.clamp(1, MAX_PAGE) as usize
}

async fn page(search: &mut Search<'_>, query: &ItemQuery) -> Result<ItemPage, StoreError> {
    let (db, view, wanted) = (search.db, search.view, wanted(query));
    let counted = if query.sort.is_sorted_whole() { Some(search.total().await?) } else { None };
    let sort = if counted.is_some_and(Total::is_large) { Sort::Name } else { query.sort };
    let parts = search.parts(sort);
    let mut backwards = query.before.is_some();
    let mut cursor = query.before.as_ref().or(query.after.as_ref());
    cursor = cursor.filter(|cursor| parts.iter().any(|part| part.name == cursor.part));
    backwards &= cursor.is_some();
    search.descending = query.descending != backwards;
    let mut hits = search.in_order(&parts, cursor).await?;
    if backwards && hits.len() < wanted {
        (backwards, cursor, search.descending) = (false, None, query.descending);
        hits = search.in_order(&parts, None).await?;
    }
    let more = hits.len() > wanted;
    hits.truncate(wanted);
    if backwards {
        hits.reverse();
    }
    let edge = |hit: Option<&(String, Hit)>| {
        hit.map(|(part, hit)| Cursor { part: part.clone(), key: hit.key.clone(), id: hit.id })
    };
    let next = edge(hits.last()).filter(|_| backwards || more);
    let previous = edge(hits.first()).filter(|_| if backwards { more } else { cursor.is_some() });
    let whole = cursor.is_none() && !more;
    let total = counted.or_else(|| whole.then(|| Total::exactly(hits.len() as u64)));
    let ids: Vec<Uuid> = hits.into_iter().map(|(_, hit)| hit.id).collect();
    Ok(ItemPage { rows: rows(db, view, &ids).await?, next, previous, sort, total })
}
