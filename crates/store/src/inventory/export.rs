//! Everything that a filter shows, as a stream.

use futures::stream::{self, Stream, TryStreamExt as _};

use super::item::ItemRow;
use super::list::list;
use super::query::{ItemQuery, MAX_PAGE};
use super::view::ScopeView;
use crate::{Reader, StoreError};

/// The items of a view in the order of the query, from its cursor to the end, whatever its limit. They are read page by
/// page: memory stays flat, and no transaction is held open while a slow reader takes its time.
pub fn export(
    db: impl Into<Reader>,
    view: ScopeView,
    mut query: ItemQuery,
) -> impl Stream<Item = Result<ItemRow, StoreError>> + Send + 'static {
    query.limit = MAX_PAGE;
    let pages = stream::try_unfold(Some((db.into(), view, query)), |state| async move {
        let Some((db, view, mut query)) = state else { return Ok(None) };
        let page = list(&db, &view, &query).await?;
        let rows = stream::iter(page.rows.into_iter().map(Ok));
        query.after = page.next;
        let next = query.after.is_some().then_some((db, view, query));
        Ok::<_, StoreError>(Some((rows, next)))
    });
    pages.try_flatten()
}
