//! The objects of the types of one listing: which are read, from the list or singly, and what becomes of them.
//!
//! Where a list tells an object as whole as its single read does, a capture of all of a type reads the list, page by page, and
//! singly only what did not come with it. What is picked, or found changed, is read singly.

use std::collections::HashMap;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::registry::{Listing, PolicyType};
use tenantatlas_domain::sanitise::external_id_of;
use tenantatlas_graph::{GraphError, GraphSession, Page, PageRequest, value_size};
use tenantatlas_runs::Stop;
use tenantatlas_store::StoreError;
use tenantatlas_store::inventory::find_many;
use tenantatlas_store::policies::{self, CountedItems};

use super::known::{Known, is_vouched_for};
use super::parents::{Parents, parents, unplaced};
use super::reading::{self, is_too_much};
use super::target::{State, Target, Wanted};
use super::work::{CaptureWork, Captured};
use crate::graph_reads::below::expansions;
use crate::graph_reads::{Failures, TypeEnd, end_of, refuses_query, version};

/// Objects that are read together: a batch.
const OBJECTS_AT_ONCE: usize = 20;
/// Such groups that are under way at the same time.
const GROUPS_AT_ONCE: usize = 4;
/// Types of a listing whose objects are read singly at the same time.
const TYPES_AT_ONCE: usize = 4;
/// Objects of the inventory that are looked at in one go.
const ITEMS_AT_ONCE: usize = 500;

/// Why the reading of a listing ended before its end.
pub(super) enum Trouble {
    Graph(GraphError),
    Stop(Stop),
}

impl From<GraphError> for Trouble {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Stop(error.into())
    }
}

/// How the objects of one type were read.
#[derive(Default)]
pub(super) struct Tally {
    asked: u64,
    failures: Option<Failures>,
}

impl Tally {
    fn add(&mut self, asked: u64, failed: Vec<GraphError>) {
        self.asked += asked;
        for error in failed {
            match &mut self.failures {
                Some(failures) => failures.count += 1,
                none => *none = Some(Failures { first: error, count: 1 }),
            }
        }
    }

    fn is_refused(&self) -> bool {
        self.failures.as_ref().is_some_and(Failures::are_of_the_type)
    }

    /// How the type ended. Where every object met the same, it says something about the type, as a refused list does.
    pub(super) fn end(&self, policy_type: &PolicyType, granted: Option<&[String]>) -> TypeEnd {
        match &self.failures {
            None => TypeEnd::succeeded(),
            Some(failures) if failures.count == self.asked => end_of(policy_type, &failures.first, granted),
            Some(failures) => failures.end(policy_type, granted),
        }
    }
}

/// The same of all types of a listing.
#[derive(Default)]
pub(super) struct Tallies(HashMap<&'static str, Tally>);

impl Tallies {
    pub(super) fn of(&mut self, policy_type: &'static PolicyType) -> &mut Tally {
        self.0.entry(policy_type.key).or_default()
    }
}

/// What reading some objects gave: of which type, how many were asked for, and what failed.
type Read = (&'static PolicyType, u64, Vec<GraphError>);

impl CaptureWork {
    /// Reads the objects of the types of a listing.
    pub(super) async fn read_types(
        &self,
        session: &GraphSession,
        listing: &Listing,
        types: &[Captured],
        tallies: &mut Tallies,
    ) -> Result<(), Trouble> {
        let mut known = Known::default();
        let mut left = 0;
        for one in types {
            left += self.spare(*one, &mut known).await?;
        }
        // The list is worth reading where it tells all of the objects, and more are left than one batch.
        let is_told = types.iter().all(|one| one.recipe.is_told_by_list(one.policy_type));
        if self.reads_all() && is_told && left > OBJECTS_AT_ONCE {
            self.read_list(session, listing, types, tallies, &mut known).await?;
        }
        let known = &known;
        let singly = types.iter().map(|one| {
            let mut tally = std::mem::take(tallies.of(one.policy_type));
            let read = async move {
                self.read_singly(session, *one, &mut tally, known).await?;
                Ok::<_, Trouble>((one.policy_type, tally))
            };
            read.boxed()
        });
        let singly: Vec<_> = singly.collect();
        let mut read = stream::iter(singly).buffer_unordered(TYPES_AT_ONCE);
        while let Some((policy_type, tally)) = read.try_next().await? {
            *tallies.of(policy_type) = tally;
        }
        Ok(())
    }

    /// Whether all objects of the types are captured, and not some that were picked, have changed or are left of another capture.
    fn reads_all(&self) -> bool {
        self.payload.items.is_none() && !self.payload.changed && self.payload.continues.is_none()
    }

    /// Notes the objects of a type that need not be read, where all of it is captured, and counts them as unchanged. Answers how
    /// many others the inventory knows.
    async fn spare(&self, one: Captured, known: &mut Known) -> Result<usize, StoreError> {
        let ids = self.items_of(one.policy_type).await?;
        if !self.reads_all() {
            return Ok(ids.len());
        }
        let db = &self.sources.db;
        let when = (self.context.now(), self.context.run().follows.is_some());
        let mut spared = 0;
        for page in ids.chunks(ITEMS_AT_ONCE) {
            let rows = find_many(db, &self.view, page).await?;
            let names: Vec<String> = rows.iter().map(|row| row.item.external_id.clone()).collect();
            let heads = policies::heads(db, self.tenant(), one.policy_type.key, &names).await?;
            for row in rows {
                if heads
                    .get(&row.item.external_id)
                    .is_some_and(|head| is_vouched_for((one.policy_type, one.recipe), &row, head, when))
                {
                    known.note(one.policy_type, &row.item.external_id);
                    spared += 1;
                }
            }
        }
        if spared > 0 {
            let counted = CountedItems { unchanged: spared as u64, ..CountedItems::default() };
            self.versions.count(one.policy_type, &counted).await?;
        }
        Ok(ids.len() - spared)
    }

    /// Reads the list, and what is below its objects. Where Graph refuses the list as it is asked for, nothing came.
    async fn read_list(
        &self,
        session: &GraphSession,
        listing: &Listing,
        types: &[Captured],
        tallies: &mut Tallies,
        known: &mut Known,
    ) -> Result<(), Trouble> {
        let Some(first) = types.first() else { return Ok(()) };
        let request = PageRequest::new(version(first.policy_type), listing.path(None)).query(listing.full_query());
        let mut pages = session.pages(request);
        let mut next = pages.next().await;
        while let Some(page) = next {
            let page = match page {
                Err(error) if refuses_query(&error) => return Ok(()),
                page => page?,
            };
            // The page that follows comes meanwhile. It waits for memory of pages alone, of which what is read of this one takes none.
            let following = async { Ok(pages.next().await) };
            let read = self.read_page(session, listing, types, &page, tallies, known);
            ((), next) = futures::future::try_join(read, following).await?;
            if types.iter().all(|one| tallies.of(one.policy_type).is_refused()) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn read_page(
        &self,
        session: &GraphSession,
        listing: &Listing,
        types: &[Captured],
        page: &Page,
        tallies: &mut Tallies,
        known: &mut Known,
    ) -> Result<(), Trouble> {
        let mut came = Vec::new();
        {
            let known: &Known = known;
            let groups = (0..page.len()).step_by(OBJECTS_AT_ONCE).map(|first| (listing, types, page, first));
            let groups: Vec<_> = groups.map(|group| Box::pin(self.read_rows(session, group, known))).collect();
            let mut read = stream::iter(groups).buffer_unordered(GROUPS_AT_ONCE);
            while let Some((ids, read)) = read.try_next().await? {
                came.extend(ids);
                for (policy_type, asked, failed) in read {
                    tallies.of(policy_type).add(asked, failed);
                }
            }
        }
        for (policy_type, id) in came {
            known.note(policy_type, &id);
        }
        Ok(())
    }

    /// Makes objects of some rows of a page, as far as they are wanted, reads what is below them, and keeps what they became. What
    /// cannot be read as a row is read singly, like what did not come.
    async fn read_rows(
        &self,
        session: &GraphSession,
        (listing, types, page, first): (&Listing, &[Captured], &Page, usize),
        known: &Known,
    ) -> Result<(Vec<(&'static PolicyType, String)>, Vec<Read>), Trouble> {
        let read_at = self.context.now();
        let workbench = session.on_workbench();
        let texts = || page.items().skip(first).take(OBJECTS_AT_ONCE);
        workbench.lay_out(texts().map(value_size).sum()).await?;
        let mut rows: HashMap<&'static str, HashMap<String, Value>> = HashMap::new();
        for text in texts() {
            let Ok(object) = serde_json::from_str::<Value>(text) else { continue };
            let Some(policy_type) = listing.classify(&object).filter(|_| object.is_object()) else { continue };
            let Some(id) = external_id_of(policy_type, &object).map(str::to_owned) else { continue };
            if known.has(policy_type, &id) {
                continue;
            }
            rows.entry(policy_type.key).or_default().insert(id, object);
        }
        let (mut came, mut read) = (Vec::new(), Vec::new());
        for one in types {
            let Some(mut rows) = rows.remove(one.policy_type.key) else { continue };
            let ids: Vec<String> = rows.keys().cloned().collect();
            let items = policies::items_by_id(&self.sources.db, self.tenant(), one.policy_type.key, &ids).await?;
            let mut targets = Vec::with_capacity(items.len());
            for wanted in self.wanted(one.policy_type, &items).await? {
                let mut target = Target::new(one.policy_type, one.recipe, wanted);
                let row = rows.remove(&target.wanted.external_id).unwrap_or_default();
                if target.take(row).is_ok() {
                    came.push((one.policy_type, target.wanted.external_id.clone()));
                    targets.push(target);
                }
            }
            reading::complete(&workbench, &mut targets, &expansions(one.policy_type.query)).await?;
            let asked = targets.len() as u64;
            read.push((one.policy_type, asked, self.keep(one.policy_type, targets, read_at).await?));
        }
        Ok((came, read))
    }

    /// Reads the objects of a type singly, but for those that are known already.
    async fn read_singly(
        &self,
        session: &GraphSession,
        one: Captured,
        tally: &mut Tally,
        known: &Known,
    ) -> Result<(), Trouble> {
        let ids = self.items_of(one.policy_type).await?;
        let mut found: Option<Parents> = None;
        for page in ids.chunks(ITEMS_AT_ONCE) {
            if tally.is_refused() {
                return Ok(());
            }
            let mut wanted = self.wanted(one.policy_type, page).await?;
            wanted.retain(|wanted| !known.has(one.policy_type, &wanted.external_id));
            if wanted.is_empty() {
                continue;
            }
            let found = match &mut found {
                Some(found) => found,
                none => none.insert(parents(session, one.policy_type).await?),
            };
            for wanted in &mut wanted {
                found.place(&self.sources.db, self.tenant(), one.policy_type, wanted).await?;
            }
            let groups: Vec<Vec<Wanted>> = wanted.chunks(OBJECTS_AT_ONCE).map(<[Wanted]>::to_vec).collect();
            let read = |group| async move { self.read_group(session, one, group).await };
            let mut read = stream::iter(groups).map(read).buffer_unordered(GROUPS_AT_ONCE);
            while let Some((asked, failures)) = read.try_next().await? {
                tally.add(asked, failures);
                if tally.is_refused() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn items_of(&self, policy_type: &'static PolicyType) -> Result<Vec<ItemId>, StoreError> {
        let (db, tenant) = (&self.sources.db, self.tenant());
        match &self.payload.items {
            None => policies::items_of_type(db, tenant, policy_type.key).await,
            Some(picked) => match picked.get(policy_type.key) {
                Some(ids) => policies::items_by_id(db, tenant, policy_type.key, ids).await,
                None => Ok(Vec::new()),
            },
        }
    }

    /// Those of the objects that are to be read: not those that are missing, nor what is not wanted again.
    async fn wanted(&self, policy_type: &'static PolicyType, ids: &[ItemId]) -> Result<Vec<Wanted>, StoreError> {
        let db = &self.sources.db;
        let picked = self.payload.items.is_some();
        let rows = find_many(db, &self.view, ids).await?;
        let there = rows.into_iter().filter(|row| picked || !matches!(row.presence, Presence::Missing { .. }));
        let mut wanted: Vec<Wanted> = there.map(|row| Wanted::from(row.item)).collect();
        let continues = self.payload.continues;
        if self.payload.changed || continues.is_some() {
            let ids: Vec<String> = wanted.iter().map(|one| one.external_id.clone()).collect();
            let heads = policies::heads(db, self.tenant(), policy_type.key, &ids).await?;
            wanted.retain(|one| {
                heads.get(&one.external_id).is_none_or(|head| {
                    let same = (head.item_hash, head.item_normaliser) == one.item;
                    !(self.payload.changed && same) && continues != Some(head.capture_id)
                })
            });
        }
        Ok(wanted)
    }

    /// Reads some objects on a workbench, and keeps what they became. Answers how many were asked for and what failed.
    async fn read_group(
        &self,
        session: &GraphSession,
        one: Captured,
        group: Vec<Wanted>,
    ) -> Result<(u64, Vec<GraphError>), Trouble> {
        let read_at = self.context.now();
        let target = |wanted| Target::new(one.policy_type, one.recipe, wanted);
        let mut targets: Vec<Target> = group.into_iter().map(target).collect();
        targets.iter_mut().for_each(unplaced);
        let workbench = session.on_workbench();
        reading::read(&workbench, &mut targets).await?;
        let too_much = |target: &Target| matches!(&target.state, State::Failed(error) if is_too_much(error));
        let (again, targets): (Vec<Target>, Vec<Target>) = targets.into_iter().partition(too_much);
        let mut asked = targets.len() as u64;
        // The workbench is kept until what lies on it is written.
        let mut failures = self.keep(one.policy_type, targets, read_at).await?;
        drop(workbench);
        for target in again {
            // What did not fit beside others may fit alone.
            let mut alone = vec![Target::new(one.policy_type, one.recipe, target.wanted)];
            let workbench = session.on_workbench();
            reading::read(&workbench, &mut alone).await?;
            failures.extend(self.keep(one.policy_type, alone, read_at).await?);
            asked += 1;
        }
        Ok((asked, failures))
    }

    /// Keeps what objects became, and answers why those failed that could not be read.
    async fn keep(
        &self,
        policy_type: &'static PolicyType,
        targets: Vec<Target>,
        read_at: tenantatlas_domain::time::Timestamp,
    ) -> Result<Vec<GraphError>, Trouble> {
        let failed = targets.iter().filter_map(|target| match &target.state {
            State::Failed(error) => Some(error.clone()),
            State::Read | State::Gone => None,
        });
        let failed: Vec<GraphError> = failed.collect();
        if let Some(error) = failed.iter().find(|error| error.concerns_all()) {
            return Err(Trouble::Graph(error.clone()));
        }
        let counted = self.versions.keep(policy_type, targets, read_at).await?;
        self.tell(policy_type, counted.captured).await?;
        Ok(failed)
    }
}
