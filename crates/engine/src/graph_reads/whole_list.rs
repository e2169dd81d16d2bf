//! Lists that some services cut without a word.

use futures::stream::{self, StreamExt as _};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{GraphError, GraphSession, Page, PageRequest, PageStream};

use super::ListQuery;

/// The pages of a list, of which the first was read when this returns. As many rows as were asked for and no next link are no
/// proof of the end (`docs/graph.md`, section Paging): then the list is asked for once more without a page size, and must bring
/// at least as many.
///
/// # Errors
/// Why the first page could not be read.
pub(crate) async fn whole_list(session: &GraphSession, request: PageRequest) -> Result<PageStream, GraphError> {
    let query = ListQuery::parse(&request.query);
    let mut pages = session.pages(request.clone());
    let Some(first) = pages.next().await else { return Ok(pages) };
    let first = first?;
    if query.top() != Some(first.len()) || first.has_next() {
        return Ok(stream::iter([Ok(first)]).chain(pages).boxed());
    }
    Ok(at_least(session.pages(request.query(query.without_top().text())), first.len()))
}

/// The same pages, and an error at their end when they held fewer rows.
fn at_least(pages: PageStream, least: usize) -> PageStream {
    let next = move |state: Option<(PageStream, usize)>| async move {
        let (mut pages, rows) = state?;
        match pages.next().await {
            Some(Ok(page)) => {
                let rows = rows + Page::len(&page);
                Some((Ok(page), Some((pages, rows))))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None if rows < least => {
                let message = format!("the list ended after {rows} objects, and {least} came before in one page");
                Some((Err(GraphError::new(ReasonCode::PageLimit, &message)), None))
            }
            None => None,
        }
    };
    stream::unfold(Some((pages, 0)), next).boxed()
}
