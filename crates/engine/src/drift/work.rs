//! One attempt at a comparison. It is made anew from the beginning by each attempt: what was found is found again as the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;
use tenantatlas_domain::drift::{Gap, GapCode, Moved, Severity, pair};
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::news::{FindingNews, News};
use tenantatlas_domain::operation::ItemOutcome;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::{ITEMS_OBSERVED, QUIET, RunContext, Stop, Summary, Work};
use tenantatlas_store::findings::{
    self, ComparedType, ComparisonRecord, DriftCounts, Group, Plan, PlanError, Source, Subject, candidates,
};
use tenantatlas_store::operation_runs::{End, Settled, UnitTime, keep_times, set_news};
use tenantatlas_store::{StoreError, Tx, scopes, with_retries};
use tokio::time::Instant;

use super::judged::{Frame, Judged, Predecessor};
use super::{DriftPayload, object};
use crate::endpoints::events;

/// Objects that are compared in one transaction.
const PAGE: u32 = 256;
/// How often progress is persisted and published at most.
const TELL_INTERVAL: Duration = Duration::from_millis(250);
/// Names that a notification tells.
const TOP: usize = 3;

pub(super) struct DriftWork {
    context: Arc<RunContext>,
    plan: Plan,
    severities: BTreeMap<String, Severity>,
    state: Mutex<State>,
}

/// What an attempt has found so far. Of objects that were added or removed as little as it takes to find those that moved.
struct State {
    looked_at: u64,
    told: Instant,
    counts: DriftCounts,
    top: Vec<(Severity, String)>,
    gaps: BTreeMap<(String, GapCode), u64>,
    added: Vec<Moved>,
    removed: Vec<Moved>,
}

impl DriftWork {
    pub(super) async fn begin(context: Arc<RunContext>, payload: &DriftPayload) -> Result<Self, Stop> {
        let (db, tenant) = (context.db(), context.run().tenant_id);
        let scope = match &payload.selection_hash {
            Some(hash) => scopes::find(db, tenant, hash).await?,
            None => scopes::main_of(db, tenant).await?,
        };
        let nothing = || Stop::failed(ReasonCode::Internal, PlanError::NothingRead.to_string());
        let plan = match findings::plan(db, tenant, &scope.ok_or_else(nothing)?, payload.baseline).await {
            Ok(plan) => plan,
            Err(PlanError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(Stop::failed(ReasonCode::Internal, error.to_string())),
        };
        let state = State {
            looked_at: 0,
            told: Instant::now(),
            counts: DriftCounts::default(),
            top: Vec::new(),
            gaps: BTreeMap::new(),
            added: Vec::new(),
            removed: Vec::new(),
        };
        let severities = findings::severities(db, tenant).await?;
        Ok(Self { context, plan, severities, state: Mutex::new(state) })
    }

    async fn compare(&self) -> Result<(), Stop> {
        for (place, group) in self.plan.groups.iter().enumerate() {
            let began = self.context.now();
            for source in Source::ALL {
                self.walk(place, group, source).await?;
            }
            self.keep_times_of(group, began).await?;
        }
        self.settle_moved().await?;
        let run = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let settled = Settled { outcome: ItemOutcome::Succeeded, failure: None };
            let run = self.context.settle_unit(&mut tx, 0, settled).await?;
            tx.commit().await?;
            Ok(run)
        });
        let run = run.await?;
        self.context.publish(Some(run), &self.progress());
        Ok(())
    }

    /// Keeps when the types of a group were compared, which is together, as soon as they are: a comparison that ends at a later
    /// group tells of those before it.
    async fn keep_times_of(&self, group: &Group, began: Timestamp) -> Result<(), Stop> {
        let ended = self.context.now();
        let of = |one: &ComparedType| UnitTime { unit: one.policy_type.clone(), started_at: began, finished_at: ended };
        let times: Vec<UnitTime> = group.types.iter().map(of).collect();
        let kept = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            keep_times(&mut tx, self.context.fence(), &times).await?;
            tx.commit().await
        });
        Ok(kept.await?)
    }

    async fn walk(&self, place: usize, group: &Group, source: Source) -> Result<(), Stop> {
        let run = self.context.run().id;
        let mut after = None;
        loop {
            self.go_on()?;
            let db = self.context.db();
            let page = candidates(db, &self.plan, group, source, run, after.as_ref(), PAGE).await?;
            let ids: Vec<ItemId> = page.iter().map(findings::Cursor::item).collect();
            if !ids.is_empty() {
                self.compare_page(place, group, &ids, source).await?;
            }
            if page.len() < PAGE as usize {
                return Ok(());
            }
            after = page.into_iter().last();
        }
    }

    fn go_on(&self) -> Result<(), Stop> {
        match self.context.cancellation().is_cancelled() {
            true => Err(self.context.stopped().unwrap_or(Stop::Cancelled)),
            false => Ok(()),
        }
    }

    async fn compare_page(&self, place: usize, group: &Group, ids: &[ItemId], source: Source) -> Result<(), Stop> {
        let compared = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let mut subjects = findings::load(&mut tx, &self.plan, group, ids).await?;
            subjects.retain(|subject| is_given_by(source, group, subject));
            let mut judged = Judged::default();
            let frame = self.frame(group);
            for (index, subject) in subjects.iter().enumerate() {
                judged.add(&frame, index, subject, true);
            }
            self.keep(tx, &judged).await?;
            Ok((subjects, judged))
        });
        let (subjects, judged) = compared.await?;
        self.account(place, ids.len(), &subjects, judged);
        self.tell(&group.types[0].policy_type).await
    }

    fn frame<'a>(&'a self, group: &'a Group) -> Frame<'a> {
        Frame {
            plan: &self.plan,
            group,
            run: self.context.run().id,
            severities: &self.severities,
            at: self.context.now(),
        }
    }

    /// Writes what was found, and ends the transaction.
    async fn keep(&self, mut tx: Tx, judged: &Judged) -> Result<(), StoreError> {
        let (fence, run) = (self.context.fence(), (self.context.run().id, self.plan.current.id));
        if judged.findings.is_empty() && judged.gone.is_empty() {
            return tx.rollback().await;
        }
        if !judged.findings.is_empty() {
            findings::record(&mut tx, fence, &judged.findings).await?;
        }
        findings::resolve(&mut tx, fence, self.plan.tenant_id, &judged.gone, run, self.context.now()).await?;
        tx.commit().await
    }

    fn account(&self, place: usize, looked_at: usize, subjects: &[Subject], judged: Judged) {
        let mut state = self.lock();
        state.looked_at += looked_at as u64;
        let moved = |index: &usize| {
            let subject = &subjects[*index];
            let group = &self.plan.groups[place];
            let before: usize = self.plan.groups[..place].iter().map(|group| group.types.len()).sum();
            let position = group.types.iter().position(|one| one.policy_type == subject.policy_type);
            let number = u16::try_from(before + position.unwrap_or_default()).unwrap_or(u16::MAX);
            Moved::new(&subject.display_name, number, subject.item)
        };
        state.added.extend(judged.added.iter().map(moved));
        state.removed.extend(judged.removed.iter().map(moved));
        for (index, code) in &judged.gaps {
            *state.gaps.entry((subjects[*index].policy_type.clone(), *code)).or_default() += 1;
        }
        state.take(judged);
    }

    /// Tells what moved from one type to another from what was added and removed, and keeps all of it.
    async fn settle_moved(&self) -> Result<(), Stop> {
        let (removed, added) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.removed), std::mem::take(&mut state.added))
        };
        let pairing = pair(removed, added);
        for chunk in pairing.migrated.chunks(PAGE as usize) {
            self.go_on()?;
            self.settle_migrated(chunk).await?;
        }
        for moved in [pairing.removed, pairing.added] {
            for (place, group) in self.plan.groups.iter().enumerate() {
                let of_group: Vec<ItemId> =
                    moved.iter().filter(|one| self.group_of(one) == Some(place)).map(|one| one.item).collect();
                for ids in of_group.chunks(PAGE as usize) {
                    self.go_on()?;
                    self.settle_page(group, ids).await?;
                }
            }
        }
        Ok(())
    }

    /// The place of the group of the type of an object.
    fn group_of(&self, moved: &Moved) -> Option<usize> {
        let mut left = usize::from(moved.policy_type);
        for (place, group) in self.plan.groups.iter().enumerate() {
            if left < group.types.len() {
                return Some(place);
            }
            left -= group.types.len();
        }
        None
    }

    async fn settle_page(&self, group: &Group, ids: &[ItemId]) -> Result<(), Stop> {
        let judged = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let subjects = findings::load(&mut tx, &self.plan, group, ids).await?;
            let mut judged = Judged::default();
            let frame = self.frame(group);
            for (index, subject) in subjects.iter().enumerate() {
                judged.add(&frame, index, subject, false);
            }
            self.keep(tx, &judged).await?;
            Ok(judged)
        });
        let judged = judged.await?;
        self.lock().take(judged);
        self.tell(&group.types[0].policy_type).await
    }

    async fn settle_migrated(&self, pairs: &[(Moved, Moved)]) -> Result<(), Stop> {
        let judged = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let mut gone: BTreeMap<ItemId, Predecessor> = BTreeMap::new();
            let mut judged = Judged::default();
            for group in &self.plan.groups {
                let ids: Vec<ItemId> = pairs.iter().map(|(old, _)| old.item).collect();
                for old in findings::load(&mut tx, &self.plan, group, &ids).await? {
                    let from = Predecessor {
                        item: old.item,
                        policy_type: old.policy_type.clone(),
                        external_id: old.external_id.clone(),
                    };
                    gone.insert(old.item, from);
                }
            }
            for group in &self.plan.groups {
                let ids: Vec<ItemId> = pairs.iter().map(|(_, new)| new.item).collect();
                for new in findings::load(&mut tx, &self.plan, group, &ids).await? {
                    let old = pairs.iter().find(|(_, one)| one.item == new.item).map(|(old, _)| old.item);
                    if let Some(from) = old.and_then(|old| gone.get(&old)) {
                        judged.add_migrated(&self.frame(group), &new, from);
                    }
                }
            }
            self.keep(tx, &judged).await?;
            Ok(judged)
        });
        let judged = judged.await?;
        self.lock().take(judged);
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress { items: self.lock().looked_at, current: Vec::new() }
    }

    /// Persists and publishes how far it is, when that was last done a while ago.
    async fn tell(&self, policy_type: &str) -> Result<(), Stop> {
        {
            let mut state = self.lock();
            if state.told.elapsed() < TELL_INTERVAL {
                return Ok(());
            }
            state.told = Instant::now();
        }
        let label = tenantatlas_domain::registry::registry()
            .get(policy_type)
            .map_or_else(|| policy_type.to_owned(), |known| known.label.to_owned());
        let mut progress = self.progress();
        progress.current.push(CurrentItem { key: policy_type.to_owned(), label, items: progress.items });
        let stored = async {
            let mut tx = self.context.db().write().await?;
            self.context.set_progress(&mut tx, &progress).await?;
            tx.commit().await
        };
        match stored.await {
            Ok(()) => self.context.publish(None, &progress),
            // How far it is is told again soon.
            Err(error) if error.is_transient() => tracing::warn!(%error, "the progress could not be stored"),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an object is to be looked at where this source gives it: each is by one of them. What is not there is given by its
/// absence, and what came back with another content by that.
fn is_given_by(source: Source, group: &Group, subject: &Subject) -> bool {
    match source {
        Source::Changed | Source::ChangedMeanwhile => subject.sides.now.is_some(),
        Source::Returned => {
            let baseline = group.baseline();
            subject.changed_seq < baseline.floor_seq || subject.changed_seq == baseline.seq
        }
        Source::Gone | Source::GoneForAWhile | Source::WithFindings => true,
    }
}

impl State {
    fn take(&mut self, judged: Judged) {
        self.counts.found += judged.counts.found;
        self.counts.reopened += judged.counts.reopened;
        self.counts.resolved += judged.counts.resolved;
        self.counts.unchanged += judged.counts.unchanged;
        self.top.extend(judged.news);
        self.top.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        self.top.dedup_by(|one, other| one.1 == other.1);
        self.top.truncate(TOP);
    }
}

impl Work for DriftWork {
    fn portions(&self) -> usize {
        1
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn perform(&self, _portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(self.compare())
    }

    fn finish<'a>(&'a self, tx: &'a mut Tx, end: &'a End, at: Timestamp) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let run = self.context.run();
            let (counts, looked_at, top, found) = {
                let state = self.lock();
                let top: Vec<String> = state.top.iter().map(|(_, name)| name.clone()).collect();
                (state.counts, state.looked_at, top, state.gaps.clone())
            };
            if end.reason_code.is_some() {
                return Ok(object(json!({ "baseline_run_id": self.plan.baseline.as_ref().map(|run| run.id) })));
            }
            let partly = found.into_iter().map(|((policy_type, code), items)| Gap {
                policy_type,
                code,
                reason: None,
                message: None,
                items: Some(items),
            });
            let record = ComparisonRecord {
                operation_run_id: run.id,
                tenant_id: run.tenant_id,
                scope_key: self.plan.scope.selection_hash.to_string(),
                baseline_run_id: self.plan.baseline.as_ref().map(|run| run.id),
                current_run_id: self.plan.current.id,
                pinned: self.plan.pinned,
                not_comparable: self.plan.gaps.iter().cloned().chain(partly).collect(),
                counts,
                finished_at: at,
            };
            findings::record_comparison(tx, &record).await?;
            let findings = FindingNews { new: counts.found + counts.reopened, gone: counts.resolved };
            let news = News { findings: Some(findings), ..News::default() };
            set_news(tx, self.context.fence(), &news).await?;
            events::tell_findings(tx, run.tenant_id, run.id, counts.found, counts.reopened, at).await?;
            Ok(object(json!({
                "baseline_run_id": record.baseline_run_id,
                "current_run_id": record.current_run_id,
                ITEMS_OBSERVED: looked_at,
                "found": counts.found,
                "reopened": counts.reopened,
                "resolved": counts.resolved,
                "not_comparable": record.not_comparable.len(),
                "top": top,
                QUIET: counts.found + counts.reopened == 0,
            })))
        })
    }
}
