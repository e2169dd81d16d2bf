//! One attempt at reading the catalogue: its collections one after the other, each page written as it comes.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::json;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{
    DEFAULT_MAX_PAGES, GraphClient, GraphError, GraphSession, GraphVersion, Page, PageRequest, PageStream,
};
use tenantatlas_runs::{ITEMS_OBSERVED, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, hold};
use tenantatlas_store::setting_catalog::{self, NewCategory, NewDefinition};
use tenantatlas_store::setting_search;
use tenantatlas_store::{StoreError, Tx, Vault, with_retries};
use tokio::sync::Mutex;

use super::by_itself;
use super::collection::{COLLECTIONS, Collection, Kind, QUERY, category, definition, label_of};
use super::template::{self, Definition, Template, TemplateCategory};
use crate::graph_reads::{SignIn, TypeEnd, bounded, sign_in, whole_list};

/// Of what a collection brought before, the part that it must bring again: fewer are no whole reading.
const FLOOR_PERCENT: u64 = 80;
/// How often a list is begun in one run. Its skip tokens are worth nothing once a page failed with one, so that there is no going on
/// from the middle; what came is kept, and comes again as the same.
const BEGINNINGS: u32 = 2;
/// Categories that are read singly behind one list, at most.
const MOST_ORPHANS: usize = 200;

/// A list that broke off.
struct Broken {
    /// After so many pages; none where beginning again is no use.
    pages: u32,
    end: TypeEnd,
}

pub(super) struct RefreshWork {
    context: Arc<RunContext>,
    session: GraphSession,
    sign_in: SignIn,
    entries: Mutex<u64>,
}

impl RefreshWork {
    pub(super) async fn begin(vault: &Vault, graph: &GraphClient, context: Arc<RunContext>) -> Result<Self, Stop> {
        let (session, sign_in, _) = sign_in(graph, vault, &context).await?;
        Ok(Self { context, session, sign_in, entries: Mutex::default() })
    }

    /// Reads the collections that an earlier attempt has not settled.
    async fn read_all(&self) -> Result<(), Stop> {
        let run = self.context.run();
        let done = run.counters.processed as usize;
        for (position, unit) in run.item_ids.iter().enumerate().skip(done) {
            self.tell(unit).await?;
            let end = match COLLECTIONS.iter().find(|one| one.name == *unit) {
                Some(collection) => self.read(collection).await?,
                None => TypeEnd::skipped(ReasonCode::NotFoundInCloud, "The collection is not known any more."),
            };
            self.settle(position, unit, &end).await?;
        }
        Ok(())
    }

    /// Reads one collection to its end.
    async fn read(&self, collection: &'static Collection) -> Result<TypeEnd, Stop> {
        if let Some(error) = self.sign_in.refused() {
            return Ok(failed(error));
        }
        if collection.kind == Kind::Templates {
            return self.read_templates(collection).await;
        }
        let mut beginnings = 1;
        let came = loop {
            match self.walk(collection).await? {
                Ok(came) => break came,
                Err(Broken { pages, end }) if pages == 0 || beginnings == BEGINNINGS => return Ok(end),
                Err(Broken { .. }) => beginnings += 1,
            }
        };
        let end = self.conclude(collection, came).await?;
        if end.outcome == TypeOutcome::Succeeded && collection.kind == Kind::Definitions {
            self.read_orphans(collection).await?;
        }
        Ok(end)
    }

    /// Walks through a collection from its first page, and answers how many entries came.
    async fn walk(&self, collection: &'static Collection) -> Result<Result<u64, Broken>, Stop> {
        let accepted = self.session.times_accepted();
        let path = format!("deviceManagement/{}", collection.name);
        let request = PageRequest::new(GraphVersion::Beta, path).query(QUERY);
        let mut list = match whole_list(&self.session, request).await {
            Ok(list) => list,
            Err(error) => {
                let end = end_of(collection, &self.judged(error, accepted).await?);
                return Ok(Err(Broken { pages: 0, end }));
            }
        };
        let (mut pages, mut came) = (0, HashSet::new());
        while let Some(page) = list.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = self.judged(error, accepted).await?;
                    let end = end_of(collection, &error);
                    // To begin again is no use where all is refused, nor where Graph wants less to be asked.
                    let in_vain = error.concerns_all() || error.reason == ReasonCode::GraphThrottled;
                    let pages = if in_vain { 0 } else { pages };
                    return Ok(Err(Broken { pages, end }));
                }
            };
            let Ok((definitions, categories)) = entries_of(collection, &page) else {
                return Ok(Err(Broken { pages: 0, end: strange() }));
            };
            self.write(collection, &definitions, &categories).await?;
            let ids = definitions.iter().map(|one| &one.id).chain(categories.iter().map(|one| &one.id));
            let new = ids.filter(|id| came.insert(id.to_ascii_lowercase())).count();
            self.count(collection, new).await?;
            pages += 1;
        }
        Ok(Ok(came.len() as u64))
    }

    /// Reads categories singly that definitions or other categories name and no list holds. What of them cannot be read is asked for
    /// again by the next reading: the definitions have their names without them.
    async fn read_orphans(&self, definitions: &'static Collection) -> Result<(), Stop> {
        let name = definitions.name.replace("Settings", "Categories");
        let Some(collection) = COLLECTIONS.iter().find(|one| one.name == name) else { return Ok(()) };
        let (db, began) = (self.context.db(), self.context.run().created_at);
        let mut asked = HashSet::new();
        while asked.len() < MOST_ORPHANS {
            let of = (definitions.name, collection.name);
            let mut orphans = setting_catalog::orphan_categories(db, of, began, MOST_ORPHANS as u32).await?;
            orphans.retain(|id| !asked.contains(id));
            orphans.truncate(MOST_ORPHANS - asked.len());
            if orphans.is_empty() {
                break;
            }
            let (found, all) = self.read_categories(collection, &orphans).await?;
            asked.extend(orphans);
            self.write(collection, &[], &found).await?;
            self.count(collection, found.len()).await?;
            if !all {
                break;
            }
        }
        Ok(())
    }

    /// Reads categories one by one. Answers those that are there, and whether all were asked for.
    async fn read_categories(
        &self,
        collection: &'static Collection,
        ids: &[String],
    ) -> Result<(Vec<NewCategory>, bool), Stop> {
        let mut found = Vec::new();
        for id in ids {
            let path = format!("deviceManagement/{}/{}", collection.name, path_segment(id));
            match self.session.get(GraphVersion::Beta, &path).await {
                Ok(document) => {
                    found.extend(category(document.raw()).ok().filter(|one| one.id.eq_ignore_ascii_case(id)));
                }
                Err(error) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
                Err(error) if error.status == Some(404) => {}
                Err(error) => {
                    tracing::warn!(%error, "a category of settings could not be read");
                    return Ok((found, false));
                }
            }
        }
        Ok((found, true))
    }

    /// What an error of Graph means, unless it is that nobody wants the reading any more.
    async fn judged(&self, error: GraphError, accepted: u64) -> Result<GraphError, Stop> {
        if error.reason == ReasonCode::Cancelled {
            return Err(Stop::Cancelled);
        }
        Ok(self.sign_in.judge(&self.session, error, accepted).await)
    }

    /// Reads the definitions of all templates, of each definition what the newest template says.
    async fn read_templates(&self, collection: &'static Collection) -> Result<TypeEnd, Stop> {
        let accepted = self.session.times_accepted();
        let list = format!("deviceManagement/{}", collection.name);
        let mut templates: Vec<Template> = match self.rows(PageRequest::new(GraphVersion::Beta, &*list)).await {
            Ok(Some(templates)) => templates,
            Ok(None) => return Ok(strange()),
            Err(error) => return Ok(end_of(collection, &self.judged(error, accepted).await?)),
        };
        template::newest_first(&mut templates);
        let (mut seen, mut came) = (HashSet::new(), 0);
        for template in templates {
            let categories = format!("{list}/{}/categories", path_segment(&template.id));
            let read = match self.categories(&categories).await {
                Ok(Some(read)) => read,
                Ok(None) => return Ok(strange()),
                // Taken away since the list was read: only Graph's own "not there" says so.
                Err(error) if error.absent => continue,
                Err(error) => return Ok(failed(&self.judged(error, accepted).await?)),
            };
            let (mut definitions, mut names) = (Vec::new(), Vec::new());
            for (category, of_category) in read {
                let named = category.named(&of_category);
                let new = named.into_iter().filter(|one| seen.insert(one.id.to_ascii_lowercase()));
                definitions.extend(new);
                names.push(category.category());
            }
            self.write(collection, &definitions, &names).await?;
            // Properties in the values of a definition are no entries of Microsoft's.
            let entries = definitions.iter().filter(|definition| !definition.id.contains('/')).count();
            came += self.count(collection, entries).await?;
        }
        self.conclude(collection, came).await
    }

    /// The categories of a template with their definitions; `None` where they could not be understood.
    async fn categories(&self, path: &str) -> Result<Option<Vec<(TemplateCategory, Vec<Definition>)>>, GraphError> {
        let request = PageRequest::new(GraphVersion::Beta, path).query(template::QUERY);
        let Some(rows) = self.rows::<TemplateCategory>(request).await? else { return Ok(None) };
        let mut read = Vec::with_capacity(rows.len());
        for mut category in rows {
            let (came, next) = (category.setting_definitions.take(), category.next.take());
            let rest = match (&came, next) {
                (_, Some(link)) => self.all(self.session.follow(&link, DEFAULT_MAX_PAGES)).await?,
                (Some(_), None) => Some(Vec::new()),
                (None, None) => {
                    let path = format!("{path}/{}/settingDefinitions", path_segment(&category.id));
                    self.rows(PageRequest::new(GraphVersion::Beta, path)).await?
                }
            };
            let Some(rest) = rest else { return Ok(None) };
            let mut definitions = came.unwrap_or_default();
            definitions.extend(rest);
            read.push((category, definitions));
        }
        Ok(Some(read))
    }

    async fn rows<T: DeserializeOwned>(&self, request: PageRequest) -> Result<Option<Vec<T>>, GraphError> {
        self.all(self.session.pages(request)).await
    }

    /// Every row of a collection; `None` where one could not be understood.
    async fn all<T: DeserializeOwned>(&self, mut pages: PageStream) -> Result<Option<Vec<T>>, GraphError> {
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page?;
            let Ok(read) = page.items().map(serde_json::from_str).collect::<Result<Vec<T>, _>>() else {
                return Ok(None);
            };
            rows.extend(read);
        }
        Ok(Some(rows))
    }

    /// Counts entries that were kept, and tells of them.
    async fn count(&self, collection: &Collection, entries: usize) -> Result<u64, Stop> {
        *self.entries.lock().await += entries as u64;
        self.tell(collection.name).await?;
        Ok(entries as u64)
    }

    /// Keeps what came.
    async fn write(
        &self,
        collection: &Collection,
        definitions: &[NewDefinition],
        categories: &[NewCategory],
    ) -> Result<(), Stop> {
        let written = with_retries(StoreError::is_transient, || async {
            let (mut tx, at) = (self.context.db().write().await?, self.context.now());
            hold(&mut tx, self.context.fence()).await?;
            setting_catalog::record_definitions(&mut tx, collection.name, definitions, at).await?;
            setting_catalog::record_categories(&mut tx, collection.name, categories, at).await?;
            let ids: Vec<String> = definitions.iter().map(|definition| definition.id.clone()).collect();
            setting_search::mark_renamed(&mut tx, &ids, at).await?;
            tx.commit().await
        });
        written.await?;
        Ok(())
    }

    /// A reading that brought far less than the one before was none of the whole: what came stays, and the one before counts.
    async fn conclude(&self, collection: &Collection, came: u64) -> Result<TypeEnd, Stop> {
        let before = setting_catalog::last_reading(self.context.db(), collection.name).await?;
        let floor = before.map_or(1, |before| (before.entries * FLOOR_PERCENT).div_ceil(100).max(1));
        if came < floor && (collection.required || before.is_some()) {
            let expected = before.map_or(floor, |before| before.entries);
            let code = ReasonCode::BodyIncomplete;
            return Ok(TypeEnd::failed(
                code,
                format!("Only {came} of about {expected} entries came: read them again."),
            ));
        }
        let finished = with_retries(StoreError::is_transient, || async {
            let (mut tx, at) = (self.context.db().write().await?, self.context.now());
            hold(&mut tx, self.context.fence()).await?;
            setting_catalog::finish(&mut tx, collection.name, came, at).await?;
            tx.commit().await
        });
        finished.await?;
        Ok(TypeEnd::succeeded())
    }

    async fn progress(&self, unit: Option<&str>) -> Progress {
        let items = *self.entries.lock().await;
        let current = unit.map(|unit| CurrentItem { key: unit.to_owned(), label: label_of(unit), items });
        Progress { items, current: current.into_iter().collect() }
    }

    async fn tell(&self, unit: &str) -> Result<(), Stop> {
        let progress = self.progress(Some(unit)).await;
        let told = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            hold(&mut tx, self.context.fence()).await?;
            self.context.set_progress(&mut tx, &progress).await?;
            tx.commit().await
        });
        told.await?;
        self.context.publish(None, &progress);
        Ok(())
    }

    /// Counts the unit with this index as ended.
    async fn settle(&self, index: usize, unit: &str, end: &TypeEnd) -> Result<(), Stop> {
        let settled = end.settled(unit);
        let progress = self.progress(None).await;
        let run = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let run = self.context.settle_unit(&mut tx, index, settled.clone()).await?;
            tx.commit().await?;
            Ok(run)
        })
        .await?;
        self.context.publish(Some(run), &progress);
        Ok(())
    }
}

/// What a page of a collection holds: definitions, or categories.
fn entries_of(
    collection: &Collection,
    page: &Page,
) -> Result<(Vec<NewDefinition>, Vec<NewCategory>), serde_json::Error> {
    match collection.kind {
        Kind::Categories => Ok((Vec::new(), page.items().map(category).collect::<Result<_, _>>()?)),
        Kind::Definitions | Kind::Templates => {
            Ok((page.items().map(definition).collect::<Result<_, _>>()?, Vec::new()))
        }
    }
}

/// An entry could not be understood.
fn strange() -> TypeEnd {
    TypeEnd::failed(ReasonCode::ParseFailed, ReasonCode::ParseFailed.sentence())
}

fn failed(error: &GraphError) -> TypeEnd {
    TypeEnd::failed(error.reason, bounded(&format!("{} {}", error.reason.sentence(), error.message)))
}

/// What a refused collection means: some are not in every cloud.
fn end_of(collection: &Collection, error: &GraphError) -> TypeEnd {
    let not_there = matches!(error.status, Some(400 | 404)) && !collection.required;
    if not_there || error.reason == ReasonCode::NotFoundInCloud {
        return TypeEnd::skipped(
            ReasonCode::NotFoundInCloud,
            "This collection does not exist in the cloud of this tenant.",
        );
    }
    failed(error)
}

impl Work for RefreshWork {
    fn portions(&self) -> usize {
        1
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn perform(&self, _portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(self.read_all())
    }

    fn finish<'a>(&'a self, tx: &'a mut Tx, end: &'a End, at: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            if end.status == OperationStatus::Completed {
                by_itself::completed(tx, self.context.run().created_at, at).await?;
            }
            let entries = *self.entries.lock().await;
            Ok(Summary::from_iter([(ITEMS_OBSERVED.to_owned(), json!(entries))]))
        })
    }
}
