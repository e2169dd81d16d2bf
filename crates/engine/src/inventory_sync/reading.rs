//! Reading the listings of a run: pages in, observed objects out to the writer, one end per type.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tenantatlas_commands::Clock;

use futures::stream::{self, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::normalise::Normaliser;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Listing, PolicyType, Source};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{
    BatchGet, GraphError, GraphSession, GraphVersion, PageRequest, PageStream, RequestCounts, value_size,
};
use tenantatlas_store::Db;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::below;
use super::observed::Observed;
use super::outcome::{TypeEnd, bounded, end_of};
use super::page::{Held, ListingPlan, PageResult, work_through_objects, work_through_page};
use super::query::ListQuery;
use tenantatlas_runs::Stop;

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
    /// Set when the sign-in was refused in mid-run: nothing more is asked then.
    pub sign_in_refused: OnceLock<GraphError>,
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
}

/// The running count of one type.
#[derive(Default)]
struct Tally {
    invalid: u64,
    failure: Option<GraphError>,
}

/// The running counts of one listing.
struct Tallies {
    /// Whether a page of the listing came, so that it is there.
    begun: bool,
    by_type: HashMap<&'static str, Tally>,
    pages: u32,
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
        let plan = ListingPlan { session, listing, wanted: wanted.clone(), left_out: Vec::new() };
        let mut tallies = Tallies {
            by_type: wanted.iter().map(|policy_type| (policy_type.key, Tally::default())).collect(),
            pages: 0,
            begun: false,
        };
        let result = match self.sign_in_refused.get() {
            Some(error) => Err(error.clone()),
            None => self.read_source(plan, &mut tallies).await,
        };
        match &result {
            Err(error) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
            Err(error) if error.reason == ReasonCode::AuthFailed => {
                let _ = self.sign_in_refused.set(error.clone());
            }
            _ => {}
        }
        let (cost, finished_at) = (counter.read(), self.clock.now());
        for policy_type in wanted {
            let tally = tallies.by_type.remove(policy_type.key).unwrap_or_default();
            let record = TypeRecord {
                policy_type,
                end: self.end(policy_type, &tally, tallies.begun, result.as_ref().err()),
                pages: tallies.pages,
                cost,
                finished_at,
            };
            self.tell(ToWriter::Settled(Box::new(record))).await?;
        }
        Ok(())
    }

    fn end(&self, policy_type: &PolicyType, tally: &Tally, begun: bool, listing: Option<&GraphError>) -> TypeEnd {
        let granted = self.granted.as_deref();
        if let Some(error) = &tally.failure {
            let end = end_of(policy_type, error, granted);
            // The list itself was readable, so the type is not "nothing to read".
            let (code, sentence) = end.reason.unwrap_or((error.reason, error.reason.sentence().to_owned()));
            return TypeEnd::failed(code, sentence);
        }
        if let Some(error) = listing {
            let end = end_of(policy_type, error, granted);
            // A listing that had begun is there: whatever ends it in the middle, it was not read to its end.
            if !begun || end.outcome == TypeOutcome::Failed {
                return end;
            }
            let (code, sentence) = end.reason.unwrap_or((error.reason, error.reason.sentence().to_owned()));
            return TypeEnd::failed(code, sentence);
        }
        if tally.invalid > 0 {
            let sentence = format!(
                "Objects that came without an id or could not be read: {}. {}",
                tally.invalid,
                ReasonCode::ContractInvalid.sentence()
            );
            return TypeEnd::failed(ReasonCode::ContractInvalid, bounded(&sentence));
        }
        TypeEnd::succeeded()
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
        let (pages, left_out) = self.open(&plan).await?;
        plan.left_out = left_out;
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
        Ok(())
    }

    /// Opens the listing, leaving out what Graph refuses to expand there. The first page is read when this returns.
    async fn open(&self, plan: &ListingPlan) -> Result<(PageStream, Vec<super::query::Expansion>), GraphError> {
        let fallbacks = ListQuery::parse(&plan.listing.full_query()).fallbacks();
        let last = fallbacks.len() - 1;
        let version = self.version(plan);
        for (way, (query, left_out)) in fallbacks.into_iter().enumerate() {
            let request =
                PageRequest::new(version, plan.listing.path(None)).query(query.text()).max_pages(self.max_pages);
            let mut pages = plan.session.pages(request);
            match pages.next().await {
                Some(Err(error)) if way < last && refuses_query(&error) => {
                    tracing::debug!(path = plan.listing.path(None), "Graph refuses the query, asking for less");
                }
                Some(first) => {
                    first.as_ref().map_err(Clone::clone)?;
                    return Ok((stream::iter([first]).chain(pages).boxed(), left_out));
                }
                None => return Ok((pages, left_out)),
            }
        }
        unreachable!("the last way returns")
    }

    async fn read_singleton(&self, plan: ListingPlan, tallies: &mut Tallies) -> Result<(), GraphError> {
        let (path, query) = (plan.listing.path(None), plan.listing.full_query());
        let address = if query.is_empty() { path } else { format!("{path}?{query}") };
        let document = plan.session.get(self.version(&plan), &address).await?;
        tallies.pages = 1;
        let workbench = plan.session.on_workbench();
        workbench.lay_out(value_size(document.raw())).await?;
        let mut objects = Vec::new();
        match document.json()? {
            Value::Null => {}
            // The beta version gives some single objects as a collection of one.
            body if body.get("value").is_some_and(Value::is_array) => {
                let rows = below::whole_collection(&workbench, body).await?;
                objects.extend(rows.as_array().into_iter().flatten().map(ToString::to_string));
            }
            _ => objects.push(document.raw().to_owned()),
        }
        let plan = Arc::new(plan);
        let result = work_through_objects(self, &plan, &workbench, objects, None).await?;
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
        let mut pages =
            plan.session.pages(PageRequest::new(version, parent_path).query(parent_query).max_pages(self.max_pages));
        while let Some(page) = pages.next().await {
            let page = page?;
            tallies.pages += 1;
            let parents: Vec<String> = page.items().filter_map(parent_id).collect();
            // What lies below a parent without an id cannot be asked for.
            let nameless = (page.len() - parents.len()) as u64;
            for wanted in plan.wanted.iter().filter(|_| nameless > 0) {
                tallies.of(wanted.key).invalid += nameless;
            }
            for chunk in parents.chunks(PARENTS_AT_ONCE) {
                let gets = chunk.iter().map(|parent| {
                    let path = plan.listing.path(Some(parent));
                    let url = if query.is_empty() { path } else { format!("{path}?{query}") };
                    BatchGet { id: parent.clone(), url }
                });
                let workbench = plan.session.on_workbench();
                for answer in workbench.batch(version, gets.collect()).await? {
                    let body = match answer.result {
                        Ok(body) => body,
                        Err(error) if below::offers_none(&error) => continue,
                        Err(error) => return Err(error),
                    };
                    let rows = below::whole_collection(&workbench, body).await?;
                    let objects = rows.as_array().into_iter().flatten().map(ToString::to_string).collect();
                    let result = work_through_objects(self, &plan, &workbench, objects, Some(answer.id)).await?;
                    self.take(result, &plan, tallies).await?;
                }
            }
        }
        Ok(())
    }

    /// Counts what a page gave and hands it to the writer.
    async fn take(&self, result: PageResult, plan: &ListingPlan, tallies: &mut Tallies) -> Result<(), GraphError> {
        let PageResult { observed, invalid, failures, held } = result;
        tallies.begun = true;
        for (key, count) in invalid {
            tallies.of(key).invalid += count;
        }
        for (key, error) in failures {
            tallies.of(key).failure.get_or_insert(error);
        }
        if !observed.is_empty() {
            self.tell(ToWriter::Items { observed, held }).await.map_err(|_| GraphError::cancelled())?;
        }
        // Where every type of the listing has failed, reading on would only cost quota.
        let failures = plan.wanted.iter().map(|wanted| tallies.by_type.get(wanted.key)?.failure.as_ref());
        match failures.collect::<Option<Vec<_>>>() {
            Some(all) => all.first().map_or(Ok(()), |error| Err((*error).clone())),
            None => Ok(()),
        }
    }

    pub(crate) async fn tell(&self, message: ToWriter) -> Result<(), Stop> {
        self.to_writer.send(message).await.map_err(|_| Stop::Cancelled)
    }

    fn version(&self, plan: &ListingPlan) -> GraphVersion {
        plan.wanted.first().map_or(GraphVersion::Beta, |policy_type| below::version(policy_type))
    }
}

impl Tallies {
    fn of(&mut self, key: &'static str) -> &mut Tally {
        self.by_type.entry(key).or_default()
    }
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

/// Whether a refusal is about how the listing was asked for.
pub(crate) fn refuses_query(error: &GraphError) -> bool {
    matches!(error.status, Some(400 | 501))
        && matches!(error.reason, ReasonCode::ContractInvalid | ReasonCode::NotFoundInCloud)
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
