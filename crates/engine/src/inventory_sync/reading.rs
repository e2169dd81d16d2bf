//! Reading the listings of a run: pages in, observed objects out to the writer, one end per type.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use futures::stream::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tenantatlas_commands::Clock;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::normalise::Normaliser;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Listing, PolicyType, Source};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{
    BatchGet, GraphError, GraphSession, GraphVersion, PageRequest, PageStream, RequestCounts, value_size,
};
use tenantatlas_runs::Stop;
use tenantatlas_store::Db;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::observed::Observed;
use super::page::{Held, ListingPlan, PageResult, work_through_objects, work_through_page};
use super::tally::Tallies;
use super::vanished::Doubtful;
use crate::graph_reads::below::whole_collection;
use crate::graph_reads::{Expansion, ListQuery, SignIn, TypeEnd, refuses_query, version, whole_list};

/// Pages of one listing that are computed at the same time.
const PAGES_AT_ONCE: usize = 2;
/// Parents whose children are asked for in one go.
const PARENTS_AT_ONCE: usize = 20;

/// What the readers of one run share.
pub(crate) struct Reading {
    pub session: GraphSession,
    pub normaliser: Normaliser,
    pub db: Db,
    pub tenant: TenantId,
    /// The application permissions of the token, where it shows them.
    pub granted: Option<Vec<String>>,
    pub to_writer: mpsc::Sender<ToWriter>,
    pub max_pages: u32,
    pub clock: Arc<dyn Clock>,
    /// Kibibytes of pages read and not yet processed.
    pub in_flight: Arc<Semaphore>,
    pub in_flight_limit: u32,
    /// Computing tasks of the process.
    pub processors: Arc<Semaphore>,
    /// Whether the sign-in was refused in mid-run: nothing more is asked then.
    pub sign_in: SignIn,
}

/// What readers tell the writer, in the order in which it must be recorded.
pub(crate) enum ToWriter {
    /// These types are being read now.
    Begun(Vec<&'static PolicyType>),
    /// Objects of a page.
    Items {
        observed: Vec<Observed>,
        /// Held until the objects are written, so that memory stays bounded by bytes.
        held: Held,
    },
    /// A type came to its end.
    Settled(Box<TypeRecord>),
    /// Nothing follows.
    End,
}

/// The end of one type, with what it cost.
#[derive(Debug, Clone)]
pub(crate) struct TypeRecord {
    pub policy_type: &'static PolicyType,
    pub end: TypeEnd,
    pub pages: u32,
    pub cost: RequestCounts,
    pub finished_at: Timestamp,
    /// Whether an id came twice while the list was read, so that another may not have come.
    pub unsteady: bool,
}

impl Reading {
    /// Waits until the bytes of a page fit into what may be in flight.
    pub(crate) async fn admit(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kibibytes = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(self.in_flight_limit);
        Arc::clone(&self.in_flight).acquire_many_owned(kibibytes).await.ok()
    }

    /// Runs a computation away from the threads that wait for the network.
    ///
    /// # Panics
    /// When the computation does: a bug of ours must not look like an empty page.
    pub(crate) async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _processor = self.processors.acquire().await;
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down; this task goes with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Reads one listing to its end and settles the types wanted of it.
    ///
    /// # Errors
    /// [`Stop::Cancelled`] when the run is stopped from outside; then nothing is settled.
    pub(crate) async fn read_listing(&self, listing: Listing, wanted: Vec<&'static PolicyType>) -> Result<(), Stop> {
        let counter = self.session.counter().child();
        let session = self.session.with_counter(counter.clone());
        self.tell(ToWriter::Begun(wanted.clone())).await?;
        let plan = ListingPlan::new(session, listing, wanted.clone());
        let mut tallies = Tallies::of_types(&wanted);
        let accepted = self.session.times_accepted();
        let mut result = match self.sign_in.refused() {
            Some(error) => Err(error.clone()),
            None => self.read_source(plan, &mut tallies).await,
        };
        if let Err(error) = result {
            result = Err(self.sign_in.judge(&self.session, error, accepted).await);
        }
        if result.as_ref().is_err_and(|error| error.reason == ReasonCode::Cancelled) {
            return Err(Stop::Cancelled);
        }
        let (cost, finished_at) = (counter.read(), self.clock.now());
        for policy_type in wanted {
            let record = TypeRecord {
                policy_type,
                end: tallies.end(policy_type, result.as_ref().err(), self.granted.as_deref()),
                pages: tallies.pages,
                cost,
                finished_at,
                unsteady: tallies.unsteady,
            };
            self.tell(ToWriter::Settled(Box::new(record))).await?;
        }
        Ok(())
    }

    async fn read_source(&self, plan: ListingPlan, tallies: &mut Tallies) -> Result<(), GraphError> {
        match plan.listing.source {
            Source::Collection { .. } => self.read_collection(plan, tallies).await,
            Source::Singleton { .. } => self.read_singleton(plan, tallies).await,
            Source::ChildrenOf { parent_path, parent_query, .. } => {
                self.read_children(plan, parent_path, parent_query, tallies).await
            }
        }
    }

    async fn read_collection(&self, mut plan: ListingPlan, tallies: &mut Tallies) -> Result<(), GraphError> {
        let Opened { pages, left_out } = self.open(&plan).await?;
        plan.leave_out(left_out);
        let plan = Arc::new(plan);
        // Two pages may be computed at once while the client fetches the next; order is kept, so that an error comes
        // after everything that was read before it.
        let mut results = pages
            .map(|page| {
                let plan = Arc::clone(&plan);
                async move { work_through_page(self, &plan, page?).await }
            })
            .buffered(PAGES_AT_ONCE);
        while let Some(result) = results.next().await {
            let result = result?;
            tallies.pages += 1;
            self.take(result, &plan, tallies).await?;
        }
        let doubtful = tallies.take_doubtful();
        if doubtful.is_empty() {
            return Ok(());
        }
        let seen = match self.open(&plan).await {
            Ok(opened) => self.still_listed(opened.pages, &doubtful).await,
            Err(error) => Err(error),
        };
        settle(doubtful, seen, tallies)
    }

    /// Opens the listing, leaving out what Graph refuses to expand there. The first page is read when this returns.
    async fn open(&self, plan: &ListingPlan) -> Result<Opened, GraphError> {
        let fallbacks = ListQuery::parse(&plan.listing.full_query()).fallbacks();
        let last = fallbacks.len() - 1;
        let version = self.version(plan);
        for (way, (query, left_out)) in fallbacks.into_iter().enumerate() {
            let request =
                PageRequest::new(version, plan.listing.path(None)).query(query.text()).max_pages(self.max_pages);
            match whole_list(&plan.session, request).await {
                Err(error) if way < last && refuses_query(&error) => {
                    tracing::debug!(path = plan.listing.path(None), "Graph refuses the query, asking for less");
                }
                pages => return Ok(Opened { pages: pages?, left_out }),
            }
        }
        unreachable!("the last way returns")
    }

    async fn read_singleton(&self, plan: ListingPlan, tallies: &mut Tallies) -> Result<(), GraphError> {
        let (path, query) = (plan.listing.path(None), plan.listing.full_query());
        let address = if query.is_empty() { path } else { format!("{path}?{query}") };
        let document = plan.session.get(self.version(&plan), &address).await?;
        let workbench = plan.session.on_workbench();
        workbench.lay_out(value_size(document.raw())).await?;
        let mut objects = Vec::new();
        match document.json()? {
            // The beta version gives some single objects as a collection of one.
            body if body.get("value").is_some_and(Value::is_array) => {
                let rows = whole_collection(&workbench, body).await?;
                objects.extend(rows.as_array().into_iter().flatten().map(ToString::to_string));
            }
            _ => objects.push(document.raw().to_owned()),
        }
        if objects.is_empty() {
            // A single object that does not exist is a 404, and never an answer without it.
            return Err(GraphError::new(ReasonCode::ContractInvalid, "the answer does not hold the single object"));
        }
        let plan = Arc::new(plan);
        let result = work_through_objects(self, &plan, &workbench, objects, None).await?;
        tallies.pages += 1;
        self.take(result, &plan, tallies).await
    }

    async fn read_children(
        &self,
        plan: ListingPlan,
        parent_path: &str,
        parent_query: &str,
        tallies: &mut Tallies,
    ) -> Result<(), GraphError> {
        let version = self.version(&plan);
        let plan = Arc::new(plan);
        let query = plan.listing.full_query();
        let request = PageRequest::new(version, parent_path).query(parent_query).max_pages(self.max_pages);
        let mut pages = whole_list(&plan.session, request.clone()).await?;
        while let Some(page) = pages.next().await {
            let page = page?;
            let parents: Vec<String> = page.items().filter_map(parent_id).collect();
            // What lies below a parent without an id cannot be asked for.
            let nameless = (page.len() - parents.len()) as u64;
            for wanted in plan.wanted.iter().filter(|_| nameless > 0) {
                tallies.of(wanted.key).invalid += nameless;
            }
            let came: Vec<u64> = parents.iter().map(|id| plan.hasher.hash_one(("parent", id))).collect();
            tallies.note(&came);
            tallies.pages += 1;
            for chunk in parents.chunks(PARENTS_AT_ONCE) {
                self.read_below_parents(&plan, chunk, &query, tallies).await?;
            }
        }
        let doubtful = tallies.take_doubtful();
        if doubtful.is_empty() {
            return Ok(());
        }
        let seen = match whole_list(&plan.session, request).await {
            Ok(pages) => self.still_listed(pages, &doubtful).await,
            Err(error) => Err(error),
        };
        settle(doubtful, seen, tallies)
    }

    /// Reads what lies below some parents. One below which it cannot be read costs no other.
    async fn read_below_parents(
        &self,
        plan: &Arc<ListingPlan>,
        parents: &[String],
        query: &str,
        tallies: &mut Tallies,
    ) -> Result<(), GraphError> {
        let gets = parents.iter().map(|parent| {
            let path = plan.listing.path(Some(parent));
            let url = if query.is_empty() { path } else { format!("{path}?{query}") };
            BatchGet { id: parent.clone(), url }
        });
        let workbench = plan.session.on_workbench();
        for answer in workbench.batch(self.version(plan), gets.collect()).await? {
            let rows = match answer.result {
                Ok(body) => whole_collection(&workbench, body).await,
                Err(error) => Err(error),
            };
            match rows {
                Ok(rows) => {
                    let objects = rows.as_array().into_iter().flatten().map(ToString::to_string).collect();
                    let result = work_through_objects(self, plan, &workbench, objects, Some(answer.id)).await?;
                    self.take(result, plan, tallies).await?;
                }
                Err(error) if error.concerns_all() && !error.by_graph => return Err(error),
                Err(error) => {
                    let none = |wanted: &&&PolicyType| wanted.absent_is_empty && error.absent;
                    tallies.begun = true;
                    let types = plan.wanted.iter().filter(|wanted| !none(wanted)).map(|wanted| wanted.key).collect();
                    let absent = error.absent;
                    let parent = Doubtful { id: answer.id, id_property: "id", types, error };
                    if absent {
                        tallies.doubt(vec![parent]);
                    } else {
                        tallies.is_there(parent);
                    }
                    if let Some(error) = tallies.given_up(&plan.wanted) {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Which of these objects a list still shows, by their positions. It is read until all were seen, or to its end.
    async fn still_listed(&self, mut pages: PageStream, sought: &[Doubtful]) -> Result<HashSet<usize>, GraphError> {
        let mut seen = HashSet::new();
        while let Some(page) = pages.next().await {
            let (page, copies) = (page?, sought.to_vec());
            let work = move || {
                let on_page = copies.iter().enumerate().filter(|(_, object)| object.is_on(&page));
                on_page.map(|(position, _)| position).collect::<Vec<_>>()
            };
            seen.extend(self.compute(work).await);
            if seen.len() == sought.len() {
                break;
            }
        }
        Ok(seen)
    }

    /// Counts what a page gave and hands it to the writer.
    async fn take(&self, result: PageResult, plan: &ListingPlan, tallies: &mut Tallies) -> Result<(), GraphError> {
        let PageResult { observed, came, invalid, failures, doubtful, held } = result;
        tallies.begun = true;
        tallies.note(&came);
        for (key, count) in invalid {
            tallies.of(key).invalid += count;
        }
        for (key, failures) in failures {
            tallies.fail(key, failures);
        }
        tallies.doubt(doubtful);
        if !observed.is_empty() {
            self.tell(ToWriter::Items { observed, held }).await.map_err(|_| GraphError::cancelled())?;
        }
        match tallies.given_up(&plan.wanted) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub(crate) async fn tell(&self, message: ToWriter) -> Result<(), Stop> {
        self.to_writer.send(message).await.map_err(|_| Stop::Cancelled)
    }

    fn version(&self, plan: &ListingPlan) -> GraphVersion {
        plan.wanted.first().map_or(GraphVersion::Beta, |policy_type| version(policy_type))
    }
}

/// Tells the objects that are gone from those that are there and could not be read below. Where the list cannot say it, all
/// are taken to be there.
fn settle(
    doubtful: Vec<Doubtful>,
    seen: Result<HashSet<usize>, GraphError>,
    tallies: &mut Tallies,
) -> Result<(), GraphError> {
    let (seen, failed) = match seen {
        Ok(seen) => (Some(seen), None),
        Err(error) => (None, Some(error)),
    };
    for (position, object) in doubtful.into_iter().enumerate() {
        if seen.as_ref().is_none_or(|seen| seen.contains(&position)) {
            tallies.is_there(object);
        } else {
            tracing::info!(types = ?object.types, "an object was deleted while its list was read");
            tallies.is_gone();
        }
    }
    failed.filter(GraphError::concerns_all).map_or(Ok(()), Err)
}

/// A listing of which the first page was read.
struct Opened {
    pages: PageStream,
    /// What Graph refused to expand.
    left_out: Vec<Expansion>,
}

/// The id of an object. Nothing else of it becomes a value: a whole page of parents is looked at before anything is read
/// below one.
fn parent_id(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Parent {
        id: String,
    }
    let parent: Parent = serde_json::from_str(text).ok().filter(|_| text.starts_with('{'))?;
    Some(parent.id).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_an_id_is_a_parent() {
        assert_eq!(parent_id(r#"{"name":[{"a":0}],"id":"one"}"#).as_deref(), Some("one"));
        for text in [r#"{"id":""}"#, r#"{"id":1}"#, r#"{"name":"x"}"#, r#"["one"]"#, r#""one""#, "{"] {
            assert_eq!(parent_id(text), None, "{text}");
        }
    }
}
