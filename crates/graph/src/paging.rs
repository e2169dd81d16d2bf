//! Collections, page by page.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;

use futures::{Stream, stream};
use tenantatlas_domain::reason::ReasonCode;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, info};
use url::Url;

use crate::course::Course;
use crate::endpoints::GraphVersion;
use crate::error::GraphError;
use crate::exchange::Call;
use crate::page::Page;
use crate::session::GraphSession;

/// Pages of one collection before something must be wrong: more than a million objects at the smallest default page.
pub const DEFAULT_MAX_PAGES: u32 = 50_000;

/// Pages in order. After an error the stream ends; the pages before it are good. Dropping it abandons the request
/// under way.
pub type PageStream = Pin<Box<dyn Stream<Item = Result<Page, GraphError>> + Send>>;

/// A collection to read to its end.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// API version.
    pub version: GraphVersion,
    /// Path below the version, like `deviceManagement/configurationPolicies`.
    pub path: String,
    /// Query without the question mark, like `$top=100&$expand=assignments`; may be empty.
    pub query: String,
    /// More pages than this end the stream with [`ReasonCode::PageLimit`].
    pub max_pages: u32,
    /// Send `ConsistencyLevel: eventual` with every page, for advanced queries of directory objects.
    pub eventual: bool,
}

impl PageRequest {
    /// The whole collection at a path, in pages of the cloud's own size.
    #[must_use]
    pub fn new(version: GraphVersion, path: impl Into<String>) -> Self {
        let (path, query) = (path.into(), String::new());
        Self { version, path, query, max_pages: DEFAULT_MAX_PAGES, eventual: false }
    }

    /// With a query.
    #[must_use]
    pub fn query(self, query: impl Into<String>) -> Self {
        Self { query: query.into(), ..self }
    }

    /// With another limit of pages.
    #[must_use]
    pub fn max_pages(self, max_pages: u32) -> Self {
        Self { max_pages, ..self }
    }
}

impl GraphSession {
    /// Reads a collection. Nothing is asked before the stream is polled; from then on the next page is fetched while
    /// the caller works on the current one, and never more than that. A collection whose pages keep coming and bring nothing new
    /// ends with [`ReasonCode::NextlinkLoop`].
    #[must_use]
    pub fn pages(&self, request: PageRequest) -> PageStream {
        let PageRequest { version, mut path, query, max_pages, eventual } = request;
        if !query.is_empty() {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&query);
        }
        Walk::begin(self.clone(), self.resource(version, &path), max_pages, eventual)
    }

    /// Reads on from a next link that an earlier answer carried: of a batch item, or `<property>@odata.nextLink` of
    /// an expanded property. The link is checked like every other before anything is sent to it.
    #[must_use]
    pub fn follow(&self, next_link: &str, max_pages: u32) -> PageStream {
        let base = self.endpoints().graph();
        let start = self.endpoints().next_link(base, next_link).ok_or_else(|| foreign(base, next_link));
        Walk::begin(self.clone(), start, max_pages, false)
    }
}

/// The state of a stream of pages.
struct Walk {
    session: GraphSession,
    max_pages: u32,
    eventual: bool,
    /// Hashes of the links that were asked for. Eight bytes each, keyed at random: a false alarm is less likely than a
    /// broken memory cell.
    asked: HashSet<u64>,
    hasher: RandomState,
    course: Course,
    pages: u32,
    step: Step,
}

enum Step {
    Ask(Url),
    Await(Url, AbortOnDropHandle<Result<Page, GraphError>>),
    Fail(GraphError),
    End,
}

impl Walk {
    fn begin(session: GraphSession, start: Result<Url, GraphError>, max_pages: u32, eventual: bool) -> PageStream {
        let (asked, hasher, course) = Default::default();
        let step = start.map_or_else(Step::Fail, Step::Ask);
        let walk = Self { session, max_pages, eventual, asked, hasher, course, pages: 0, step };
        Box::pin(stream::unfold(walk, Self::advance))
    }

    async fn advance(mut self) -> Option<(Result<Page, GraphError>, Self)> {
        let (url, task) = match std::mem::replace(&mut self.step, Step::End) {
            Step::Ask(url) => self.ask(url),
            Step::Await(url, task) => (url, task),
            Step::Fail(error) => return Some((Err(error), self)),
            Step::End => return None,
        };
        let page = task.await.unwrap_or_else(|_| Err(GraphError::new(ReasonCode::Internal, "reading was interrupted")));
        if let Ok(page) = &page {
            self.pages += 1;
            self.step = self.after(&url, page);
        }
        Some((page, self))
    }

    /// What follows a page. Its request starts now, before the caller has even seen the page.
    fn after(&mut self, url: &Url, page: &Page) -> Step {
        let Some(link) = page.next_link() else { return Step::End };
        let Some(next) = self.session.endpoints().next_link(url, link) else {
            return Step::Fail(foreign(url, link));
        };
        if next == *url || self.asked.contains(&self.hasher.hash_one(&next)) {
            let message = format!("page {} leads back to a page that was read before", page.number());
            return Step::Fail(GraphError::new(ReasonCode::NextlinkLoop, &message).at(url));
        }
        if !self.course.goes_on(page) {
            let message = format!("the collection goes on after page {} and brings nothing new", page.number());
            return Step::Fail(GraphError::new(ReasonCode::NextlinkLoop, &message).at(url));
        }
        if self.pages >= self.max_pages {
            let message = format!("the collection goes on after page {}", self.max_pages);
            return Step::Fail(GraphError::new(ReasonCode::PageLimit, &message).at(url));
        }
        let (url, task) = self.ask(next);
        Step::Await(url, task)
    }

    fn ask(&mut self, url: Url) -> (Url, AbortOnDropHandle<Result<Page, GraphError>>) {
        self.asked.insert(self.hasher.hash_one(&url));
        let (session, number) = (self.session.clone(), self.pages + 1);
        let call = Call { eventual: self.eventual, ..Call::get(url.clone()) };
        let fetch = async move { session.exchange(&call, |answer| Page::parse(answer, number)).await };
        (url, AbortOnDropHandle::new(tokio::spawn(fetch.in_current_span())))
    }
}

fn foreign(page: &Url, link: &str) -> GraphError {
    let target = page.join(link).ok();
    let message = match &target {
        Some(url) => {
            info!(host = url.host_str(), "a next link leads out of its Graph");
            "a next link leads out of this Graph and was not followed"
        }
        None => "a next link is no address and was not followed",
    };
    GraphError::new(ReasonCode::NextlinkForeignHost, message).at(page)
}
