//! One page: from its text to observed objects, with the reads below single items where the type needs them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use serde_json::Value;
use tenantatlas_domain::normalise::{NORMALISER_VERSION, observation_hash};
use tenantatlas_domain::registry::{Listing, MetaKind, PolicyType, attach_parent};
use tenantatlas_domain::sanitise::{self, external_id_of};
use tenantatlas_graph::{GraphError, GraphSession, HeldBytes, Page, has_partial_collection, value_size};
use tenantatlas_store::inventory::{self, ObservedItem};
use tokio::sync::OwnedSemaphorePermit;

use super::observed::{Observed, Row, observe, revision_key};
use super::reading::Reading;
use super::vanished::Doubtful;
use crate::graph_reads::{Expansion, Failures, below};

/// Items whose bodies are held at the same time while something is read below them: five full batches.
const ROWS_AT_ONCE: usize = 100;
/// Bytes that their values take in memory, unless those of a single one take more.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;
/// Bytes of the text of an object whose values are made without memory being reserved for them. They take a hundred times as
/// much at the very most, one object at a time for each processor.
const SMALL: usize = 64 * 1024;

/// What all pages of one listing share.
pub(crate) struct ListingPlan {
    /// Counts into the listing's own counter.
    pub session: GraphSession,
    pub listing: Listing,
    /// The types that the run wants of it.
    pub wanted: Vec<&'static PolicyType>,
    /// Expansions that Graph refused on the list.
    pub left_out: Vec<Expansion>,
    /// Expansions that come with each object of the list.
    expanded: Vec<Expansion>,
    /// For the ids that came.
    pub hasher: RandomState,
}

impl ListingPlan {
    pub(crate) fn new(session: GraphSession, listing: Listing, wanted: Vec<&'static PolicyType>) -> Self {
        let expanded = below::expansions(&listing.full_query());
        Self { session, listing, wanted, left_out: Vec::new(), expanded, hasher: RandomState::new() }
    }

    /// Notes what Graph refused to expand.
    pub(crate) fn leave_out(&mut self, left_out: Vec<Expansion>) {
        self.expanded.retain(|expansion| !left_out.contains(expansion));
        self.left_out = left_out;
    }

    /// The expansions that were asked for and did not come, or not whole: they are read below the object.
    fn lacking(&self, object: &Value) -> Vec<Expansion> {
        below::lacking(&self.expanded, object)
    }

    /// Whether something has to be read below single items.
    fn reads_below(&self) -> bool {
        !self.left_out.is_empty()
            || self.wanted.iter().any(|wanted| below::reads_children(wanted) || !wanted.details.is_empty())
    }

    fn wants(&self, policy_type: &PolicyType) -> bool {
        self.wanted.iter().any(|wanted| std::ptr::eq(*wanted, policy_type))
    }
}

/// Texts of objects: a page, or what was read below a parent.
enum Texts {
    /// A page as it came.
    Page(Page),
    /// Objects that came one by one.
    Objects(Vec<String>),
}

impl Texts {
    fn get(&self) -> Vec<&str> {
        match self {
            Self::Page(page) => page.items().collect(),
            Self::Objects(objects) => objects.iter().map(String::as_str).collect(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Page(page) => page.len(),
            Self::Objects(objects) => objects.len(),
        }
    }
}

/// What is held for objects until they are written, so that memory stays bounded by bytes: the place among what the run
/// has in flight, and the memory reserved of what the process may hold of answers.
pub(crate) type Held = (Option<OwnedSemaphorePermit>, Option<HeldBytes>);

/// What a page gave.
#[derive(Default)]
pub(crate) struct PageResult {
    pub observed: Vec<Observed>,
    /// The objects that came, wanted or not, each by the hash of its id, or of its text where it has none.
    pub came: Vec<u64>,
    /// Objects without an id, per type key.
    pub invalid: HashMap<&'static str, u64>,
    /// Per type, what could not be read below an item.
    pub failures: HashMap<&'static str, Failures>,
    /// Listed objects that were not found below themselves.
    pub doubtful: Vec<Doubtful>,
    /// Gives everything back when the result has been taken over.
    pub held: Held,
}

impl PageResult {
    /// Notes that something could not be read below a row: as a failure of its type, or as a doubt whether it is still there.
    fn failed(&mut self, row: &Row, error: GraphError) {
        match Doubtful::of(row, error) {
            Ok(doubtful) => self.doubtful.push(doubtful),
            Err(error) => Failures::count(&mut self.failures, row.policy_type.key, error),
        }
    }
}

/// Works through one page.
///
/// # Errors
/// Only what concerns the whole run or the whole listing: sign-in refused, cancelled, more than there is memory for.
pub(crate) async fn work_through_page(
    reading: &Reading,
    plan: &Arc<ListingPlan>,
    page: Page,
) -> Result<PageResult, GraphError> {
    let held = (reading.admit(page.bytes()).await, page.held());
    let work = PageWork { reading, plan, texts: Arc::new(Texts::Page(page)), parent_id: None, workbench: None };
    work.through(held).await
}

/// Works through objects that were read one by one, or below a parent, on a workbench.
///
/// # Errors
/// As [`work_through_page`].
pub(crate) async fn work_through_objects(
    reading: &Reading,
    plan: &Arc<ListingPlan>,
    workbench: &GraphSession,
    objects: Vec<String>,
    parent_id: Option<String>,
) -> Result<PageResult, GraphError> {
    // Nothing in flight is waited for here: who is in flight may wait for a workbench.
    let held = (None, workbench.workbench());
    let texts = Arc::new(Texts::Objects(objects));
    PageWork { reading, plan, texts, parent_id, workbench: Some(workbench) }.through(held).await
}

/// Texts on their way to observed objects.
struct PageWork<'a> {
    reading: &'a Reading,
    plan: &'a Arc<ListingPlan>,
    texts: Arc<Texts>,
    parent_id: Option<String>,
    /// Where the texts lie already; a page takes one for each piece.
    workbench: Option<&'a GraphSession>,
}

impl PageWork<'_> {
    async fn through(self, held: Held) -> Result<PageResult, GraphError> {
        let mut result = if self.plan.reads_below() {
            let all = (0..self.texts.len()).collect();
            self.piece_by_piece(PageResult::default(), all).await?
        } else {
            let (result, others) = self.straight().await;
            self.piece_by_piece(result, others).await?
        };
        result.held = held;
        Ok(result)
    }

    /// The fast way: everything is in the page, and one object after the other is parsed and dropped. Answers with the
    /// positions of the rare items that take the other: with an expansion that was cut short, or so large that their values
    /// need memory reserved.
    async fn straight(&self) -> (PageResult, Vec<usize>) {
        let (plan, texts, parent) = (Arc::clone(self.plan), Arc::clone(&self.texts), self.parent_id.clone());
        let normaliser = self.reading.normaliser.clone();
        let work = move || {
            let mut result = PageResult { observed: Vec::with_capacity(texts.len()), ..PageResult::default() };
            let mut others = Vec::new();
            for (position, text) in texts.get().into_iter().enumerate() {
                if has_partial_collection(text) || text.len() > SMALL {
                    others.push(position);
                } else if let Some(row) = row_of(&plan, text, parent.as_deref(), &mut result) {
                    if plan.lacking(&row.object).is_empty() {
                        result.observed.push(observe(&normaliser, row, None));
                    } else {
                        // It is looked at again there, and counted then.
                        result.came.pop();
                        others.push(position);
                    }
                }
            }
            (result, others)
        };
        self.reading.compute(work).await
    }

    /// With reads below the items: so many at a time as a workbench holds.
    async fn piece_by_piece(&self, mut result: PageResult, positions: Vec<usize>) -> Result<PageResult, GraphError> {
        let (positions, sizes) = self.sizes(positions).await;
        let (mut rest, mut sizes) = (positions.as_slice(), sizes.as_slice());
        while !rest.is_empty() {
            let (count, bytes) = piece(sizes);
            let (piece, later) = rest.split_at(count);
            (rest, sizes) = (later, &sizes[count..]);
            let own;
            let workbench = match self.workbench {
                Some(workbench) => workbench,
                None => {
                    own = self.plan.session.on_workbench();
                    &own
                }
            };
            workbench.lay_out(bytes).await?;
            let (plan, texts, parent) = (Arc::clone(self.plan), Arc::clone(&self.texts), self.parent_id.clone());
            let (piece, mut parsed) = (piece.to_vec(), std::mem::take(&mut result));
            let (parsed, rows) = self
                .reading
                .compute(move || {
                    let texts = texts.get();
                    let row = |position: usize| row_of(&plan, texts[position], parent.as_deref(), &mut parsed);
                    let rows: Vec<Row> = piece.into_iter().filter_map(row).collect();
                    (parsed, rows)
                })
                .await;
            result = parsed;
            finish_rows(self.reading, self.plan, workbench, rows, &mut result).await?;
        }
        Ok(result)
    }

    /// Positions of objects, with the bytes that the values of each take.
    async fn sizes(&self, positions: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
        let texts = Arc::clone(&self.texts);
        let work = move || {
            let texts = texts.get();
            let sizes = positions.iter().map(|position| value_size(texts[*position])).collect();
            (positions, sizes)
        };
        self.reading.compute(work).await
    }
}

/// How many objects of these sizes are worked on together, and the bytes of all their values.
fn piece(sizes: &[usize]) -> (usize, usize) {
    let mut bytes = 0;
    for (count, more) in sizes.iter().take(ROWS_AT_ONCE).enumerate() {
        if count > 0 && bytes + more > BYTES_AT_ONCE {
            return (count, bytes);
        }
        bytes += more;
    }
    (sizes.len().min(ROWS_AT_ONCE), bytes)
}

/// An object of a wanted type, parsed; what has no id is counted instead. What cannot be read might be of any type of the
/// listing, so none of them was read to its end.
fn row_of(plan: &ListingPlan, text: &str, parent_id: Option<&str>, result: &mut PageResult) -> Option<Row> {
    let Some(mut object) = serde_json::from_str(text).ok().filter(Value::is_object) else {
        result.came.push(plan.hasher.hash_one(text));
        for wanted in &plan.wanted {
            *result.invalid.entry(wanted.key).or_default() += 1;
        }
        return None;
    };
    let policy_type = plan.listing.classify(&object);
    let id = policy_type.and_then(|policy_type| external_id_of(policy_type, &object)).filter(|id| !id.is_empty());
    let wanted = policy_type.filter(|policy_type| plan.wants(policy_type));
    // What has no id is known by its text.
    result.came.push(plan.hasher.hash_one((parent_id, id.unwrap_or(text))));
    let Some(policy_type) = wanted else {
        if policy_type.is_none() {
            tracing::debug!("an object of a shared collection belongs to no known type");
        }
        return None;
    };
    let Some(external_id) = id.map(str::to_owned) else {
        *result.invalid.entry(policy_type.key).or_default() += 1;
        return None;
    };
    if let Some(parent_id) = parent_id {
        attach_parent(&mut object, parent_id);
    }
    let (parent_id, observation_hash) = (parent_id.map(str::to_owned), observation_hash(text.as_bytes()));
    Some(Row { policy_type, external_id, parent_id, observation_hash, object })
}

/// Completes rows, reads what is below them on the workbench, and observes them. A row below which something could not be
/// read is left out, and its type was not read to the end; the others are kept.
async fn finish_rows(
    reading: &Reading,
    plan: &ListingPlan,
    workbench: &GraphSession,
    mut rows: Vec<Row>,
    result: &mut PageResult,
) -> Result<(), GraphError> {
    make_whole(plan, workbench, &mut rows, result).await?;

    let detailed: Vec<usize> = (0..rows.len()).filter(|index| !rows[*index].policy_type.details.is_empty()).collect();
    let mut failed: HashSet<usize> = HashSet::new();
    let mut revisions: HashMap<usize, String> = HashMap::new();
    let mut unchanged: HashMap<usize, ObservedItem> = HashMap::new();
    if !detailed.is_empty() {
        let (normaliser, wanted, now) = (reading.normaliser.clone(), detailed.clone(), reading.clock.now());
        (rows, revisions) = reading
            .compute(move || {
                let keys =
                    wanted.iter().filter_map(|index| Some((*index, revision_key(&normaliser, &rows[*index], now)?)));
                let keys = keys.collect();
                (rows, keys)
            })
            .await;
        unchanged = stored_with_same_revision(reading, &rows, &revisions).await;
        let unread: Vec<usize> = detailed.into_iter().filter(|index| !unchanged.contains_key(index)).collect();
        let mut failures = below::by_row(below::read_details(workbench, &mut rows, &unread).await?);
        for index in unread {
            if let Some(error) = below::too_few_settings(&rows[index].object) {
                failures.entry(index).or_insert(error);
            }
        }
        for (index, error) in failures {
            result.failed(&rows[index], error);
            failed.insert(index);
        }
    }

    let normaliser = reading.normaliser.clone();
    let mut observed = reading
        .compute(move || {
            let rows = rows.into_iter().enumerate().filter(|(index, _)| !failed.contains(index));
            rows.map(|(index, row)| match unchanged.remove(&index) {
                Some(item) => Observed { policy_type: row.policy_type, item },
                None => observe(&normaliser, row, revisions.remove(&index)),
            })
            .collect::<Vec<_>>()
        })
        .await;
    result.observed.append(&mut observed);
    Ok(())
}

/// Reads what the list left out of rows: the rest of expansions, and what it was read without. Leaves out the rows of which
/// something could not be read.
async fn make_whole(
    plan: &ListingPlan,
    workbench: &GraphSession,
    rows: &mut Vec<Row>,
    result: &mut PageResult,
) -> Result<(), GraphError> {
    let mut failures = HashMap::new();
    for (index, row) in rows.iter_mut().enumerate() {
        // Completing asks nothing of an item that has no open links.
        match workbench.complete(&mut row.object).await {
            Ok(_) => {}
            Err(error) if error.concerns_all() => return Err(error),
            Err(error) => {
                failures.insert(index, error);
            }
        }
    }
    let lacking: Vec<Vec<Expansion>> = rows.iter().map(|row| plan.lacking(&row.object)).collect();
    let mut wanted = |index: usize| plan.left_out.iter().chain(&lacking[index]).cloned().collect();
    failures.extend(below::by_row(below::read_children(workbench, rows, &mut wanted).await?));
    let too_few = |(index, row): (usize, &Row)| Some((index, below::too_few_settings(&row.object)?));
    failures.extend(rows.iter().enumerate().filter_map(too_few));
    drop_failed(rows, failures, result);
    Ok(())
}

/// Leaves out the rows that failed: half an object must not look whole.
fn drop_failed(rows: &mut Vec<Row>, mut failures: HashMap<usize, GraphError>, result: &mut PageResult) {
    let mut index = 0;
    rows.retain(|row| {
        let failure = failures.remove(&index);
        index += 1;
        let kept = failure.is_none();
        if let Some(error) = failure {
            result.failed(row, error);
        }
        kept
    });
}

/// Of the rows whose details may be known, those that are stored with the same revision, as they are stored. Their
/// details need not be read again. A look-up that fails only costs requests.
async fn stored_with_same_revision(
    reading: &Reading,
    rows: &[Row],
    revisions: &HashMap<usize, String>,
) -> HashMap<usize, ObservedItem> {
    let mut types: Vec<&'static PolicyType> = revisions.keys().map(|index| rows[*index].policy_type).collect();
    types.sort_by_key(|policy_type| policy_type.key);
    types.dedup_by_key(|policy_type| policy_type.key);
    let mut unchanged = HashMap::new();
    for policy_type in types {
        let of_type = || revisions.iter().filter(|(index, _)| std::ptr::eq(rows[**index].policy_type, policy_type));
        let ids: Vec<String> = of_type().map(|(index, _)| rows[*index].external_id.clone()).collect();
        let mut stored = match inventory::stored(&reading.db, reading.tenant, policy_type, &ids).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "stored items could not be looked up; their details are read again");
                continue;
            }
        };
        for (index, revision) in of_type() {
            let row = &rows[*index];
            let Some(mut item) = stored.remove(&row.external_id) else { continue };
            let whole = item.normaliser_version == NORMALISER_VERSION && item.settings_digest.is_some();
            if whole && item.revision.as_ref() == Some(revision) {
                item.observation_hash = row.observation_hash;
                // What changes without counting as a change, such as licences in use, is in the row. Counts are not:
                // the row may hold an empty array for what is read below it.
                let counted = |key: &str| {
                    sanitise::meta_fields(policy_type).any(|field| field.key == key && field.kind == MetaKind::Count)
                };
                let fresh = sanitise::meta_for(policy_type, &row.object);
                item.meta.extend(fresh.into_iter().filter(|(key, _)| !counted(key)));
                unchanged.insert(*index, item);
            }
        }
    }
    unchanged
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use tenantatlas_domain::registry::registry;
    use tenantatlas_graph::{CloudEndpoints, Connection, Credential, GraphClient, GraphClientOptions, RequestCounter};
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// A listing of one collection that holds several types.
    fn plan(keys: &[&str]) -> ListingPlan {
        let wanted: Vec<&'static PolicyType> = keys.iter().map(|key| registry().get(key).unwrap()).collect();
        let mut listings = registry().listings_for(&wanted);
        assert_eq!(listings.len(), 1, "{keys:?} are listed together");
        let connection = Connection {
            endpoints: CloudEndpoints::global(),
            tenant: "tenant".to_owned(),
            client_id: "client".to_owned(),
            credential: Credential::ClientSecret(SecretString::from("secret")),
        };
        let client = GraphClient::new(GraphClientOptions::default());
        let session = client.session(connection, RequestCounter::new(), CancellationToken::new());
        ListingPlan::new(session, listings.remove(0), wanted)
    }

    #[test]
    fn what_is_worked_on_together_is_bounded_by_number_and_by_memory() {
        assert_eq!(piece(&[1; 250]), (ROWS_AT_ONCE, ROWS_AT_ONCE));
        assert_eq!(piece(&[BYTES_AT_ONCE / 2, BYTES_AT_ONCE / 2, 1]), (2, BYTES_AT_ONCE));
        assert_eq!(piece(&[3 * BYTES_AT_ONCE, 1]), (1, 3 * BYTES_AT_ONCE), "one that is larger stands alone");
        assert_eq!(piece(&[1, 3 * BYTES_AT_ONCE]), (1, 1));
    }

    #[tokio::test]
    async fn what_cannot_be_read_fails_every_type_it_might_have_been() {
        let keys = ["settingsCatalogPolicy", "endpointSecurityPolicy"];
        let plan = plan(&keys);
        let mut result = PageResult::default();
        // A text that was cut within a character, as a listing passes it on; and what is no object at all.
        for text in [r#"{"id":"1","description":"cut \ud83d"}"#, "null", r#""text""#] {
            assert!(row_of(&plan, text, None, &mut result).is_none(), "{text}");
        }
        assert_eq!(keys.map(|key| result.invalid.get(key).copied()), [Some(3), Some(3)]);
        assert!(row_of(&plan, r#"{"id":"1","name":"One"}"#, None, &mut result).is_some());
        assert_eq!(result.invalid.values().sum::<u64>(), 6);
    }
}
