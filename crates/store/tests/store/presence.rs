//! Presence against a naive model: random histories of overlapping runs of several selections, some of them stopped, some
//! that continue others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::presence::{Presence, TypeReading, derive_presence};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome, conclude_sync};
use tenantatlas_store::inventory::{
    Item, ItemFilter, ItemQuery, ItemRow, ObservedItem, RunReading, ScopeView, Sort, StateFilter, find, find_external,
    find_objects, list, runs_that_saw, total,
};
use tenantatlas_store::scopes::ScopeId;
use tenantatlas_store::sync_runs::{self, SyncRun};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, scopes};

use crate::world::{Sync, at, item, selection, tenant};

const TYPES: [&str; 3] = ["alpha", "beta", "gamma"];
const SELECTIONS: [&[&str]; 3] = [&["alpha", "beta", "gamma"], &["alpha"], &["beta", "gamma"]];

/// A small deterministic generator: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }
}

#[derive(Default)]
struct ModelRun {
    run: Option<SyncRun>,
    seq: i64,
    /// Stopped by a person in the middle: it came to no end of its own.
    stopped: bool,
    status: Option<SyncRunStatus>,
    had_errors: bool,
    types: BTreeMap<&'static str, ModelType>,
}

#[derive(Clone, Default)]
struct ModelType {
    outcome: Option<TypeOutcome>,
    seen: BTreeSet<String>,
    /// Read by an earlier run, which this one continues.
    carried: bool,
}

struct Underway {
    sync: Sync,
    model: ModelRun,
    todo: Vec<&'static str>,
}

#[derive(Default)]
struct Model {
    /// What exists in the tenant: type and id, with its content.
    world: BTreeMap<(&'static str, String), u64>,
    /// What any run ever saw.
    known: BTreeSet<(&'static str, String)>,
    /// Runs per selection, in order.
    runs: BTreeMap<usize, Vec<ModelRun>>,
}

/// Begins a run of a selection: a new one, or one that continues any of those before it.
async fn begin(db: &Db, tenant: TenantId, selection: usize, model: &Model, random: &mut Random) -> Underway {
    let types = SELECTIONS[selection];
    let runs = model.runs.get(&selection).map_or(&[][..], Vec::as_slice);
    if !runs.is_empty() && random.one_in(2) {
        let since = &runs[random.below(runs.len())..];
        let newest = |key: &str| since.iter().rev().find_map(|run| run.types.get(key));
        let read = |key: &str| newest(key).is_some_and(|one| one.outcome != Some(TypeOutcome::Failed));
        let (carried, todo): (Vec<_>, Vec<_>) = types.iter().copied().partition(|key| read(key));
        let run = since[0].run.as_ref().unwrap();
        let all = types.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(sync_runs::unread_since(db, run, all).await.unwrap(), todo);
        if !todo.is_empty() {
            let sync = Sync::go_on(db, run, &todo, at(0)).await;
            let types = carried.iter().map(|key| (*key, ModelType { carried: true, ..newest(key).unwrap().clone() }));
            return Underway { sync, model: ModelRun { types: types.collect(), ..ModelRun::default() }, todo };
        }
    }
    let sync = Sync::start(db, tenant, types, at(0)).await;
    Underway { sync, model: ModelRun::default(), todo: types.to_vec() }
}

async fn read_some(underway: &mut Underway, model: &mut Model, random: &mut Random) {
    let key = underway.todo.pop().unwrap();
    let type_run = underway.sync.begin(key, at(0)).await;
    let entry = underway.model.types.entry(key).or_default();
    let mut found: Vec<ObservedItem> = model
        .world
        .iter()
        .filter(|((policy_type, _), _)| *policy_type == key)
        .map(|((_, id), content)| item(id, &format!("Name {id}"), &content.to_string()))
        .collect();
    let outcome = match random.below(6) {
        0 => TypeOutcome::Failed,
        1 => TypeOutcome::Skipped,
        _ => TypeOutcome::Succeeded,
    };
    if outcome != TypeOutcome::Succeeded {
        found.truncate(random.below(found.len() + 1));
    }
    let half = random.below(found.len() + 1);
    for part in [&found[..half], &found[half / 2..]] {
        underway.sync.write(&type_run, part, at(0)).await.unwrap();
        entry.seen.extend(part.iter().map(|item| item.external_id.clone()));
        model.known.extend(part.iter().map(|item| (key, item.external_id.clone())));
    }
    if random.one_in(12) {
        // The run stops in the middle of the type.
        underway.todo.clear();
        entry.outcome = Some(TypeOutcome::Failed);
        underway.model.stopped = true;
        return;
    }
    underway.sync.end(key, outcome, at(0)).await;
    entry.outcome = Some(outcome);
}

async fn finish(mut underway: Underway, selection: usize, model: &mut Model) {
    let cancelled = underway.model.stopped;
    let outcomes = underway.model.types.values().map(|one| one.outcome.unwrap());
    let status = if cancelled { SyncRunStatus::Failed } else { conclude_sync(outcomes.clone()) };
    underway.model.had_errors = cancelled || outcomes.into_iter().any(|outcome| outcome == TypeOutcome::Failed);
    underway.model.status = Some(status);
    let codes = if cancelled { vec![ReasonCode::Cancelled] } else { Vec::new() };
    let run = underway.sync.finish_as(status, codes, at(0)).await;
    assert_eq!(run.had_errors, underway.model.had_errors);
    underway.model.seq = run.seq;
    underway.model.run = Some(run);
    model.runs.entry(selection).or_default().push(underway.model);
}

/// What each run of a selection says of an item.
async fn check_readings(db: &Db, tenant: TenantId, scope: ScopeId, item: &Item, runs: &[ModelRun]) {
    let (key, id) = (item.policy_type.as_str(), &item.external_id);
    for run in runs_that_saw(db, tenant, scope, item.id).await.unwrap() {
        let Some(model_run) = runs.iter().find(|one| one.seq == run.seq) else { continue };
        let one = &model_run.types[key];
        assert!(!one.carried, "{key} {id}: run {} did not read it", run.seq);
        let wanted = match (one.seen.contains(id), one.outcome) {
            (true, _) => RunReading::Seen,
            (false, Some(TypeOutcome::Succeeded)) => RunReading::NotThere,
            _ => RunReading::NotRead,
        };
        assert_eq!(run.reading, wanted, "{key} {id}, as of run {}", run.seq);
    }
}

async fn check(db: &Db, tenant: TenantId, model: &Model) {
    for (index, runs) in &model.runs {
        let scope = scopes::find(db, tenant, &selection(SELECTIONS[*index]).hash()).await.unwrap().unwrap();
        let view = ScopeView::load(db, tenant, Some(scope.id)).await.unwrap();
        let Some(last) = runs.iter().rposition(|run| !run.stopped) else {
            assert_eq!(view.seq(), None, "a run that was stopped tells of nothing");
            continue;
        };
        let latest = &runs[last];
        assert_eq!(view.seq(), Some(latest.seq));
        let query = ItemQuery { limit: 500, ..ItemQuery::default() };
        let page = list(db, &view, &query).await.unwrap();
        assert_eq!(page.rows.len(), model.known.len());
        let mut expected: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for row in &page.rows {
            let key = row.item.policy_type.as_str();
            let id = &row.item.external_id;
            let in_latest = latest.types.get(key);
            let reading = TypeReading {
                run_status: latest.status.unwrap(),
                had_errors: latest.had_errors,
                outcome: in_latest.and_then(|one| one.outcome),
                reason: None,
                unsteady: false,
            };
            let seen = in_latest.is_some_and(|one| one.seen.contains(id));
            let full = runs[..=last].iter().rev().find_map(|run| {
                let one = run.types.get(key)?;
                (one.outcome == Some(TypeOutcome::Succeeded)).then(|| (run.seq, one.seen.contains(id)))
            });
            let wanted = derive_presence(&reading, seen, None);
            let context = format!("{key} {id} in selection {index}, run {}", latest.seq);
            assert_eq!(row.presence.as_str(), wanted.as_str(), "{context}");
            match (row.presence, wanted) {
                (Presence::NotRead { last_full_read, .. }, _) => {
                    assert_eq!(last_full_read.map(|read| read.seen), full.map(|(_, seen)| seen), "{context}");
                }
                (presence, wanted) => assert_eq!(presence, wanted, "{context}"),
            }
            expected.entry(wanted.as_str()).or_default().insert(format!("{key} {id}"));
            check_readings(db, tenant, scope.id, &row.item, runs).await;
        }
        let counts = view.counts(&[]);
        for (state, name, counted) in [
            (StateFilter::Present, "present", counts.present),
            (StateFilter::Missing, "missing", counts.missing),
            (StateFilter::NotRead, "not_read", counts.not_read),
        ] {
            let wanted = expected.remove(name).unwrap_or_default();
            for sort in Sort::ALL.iter().copied() {
                let filter = ItemFilter { state: Some(state), ..ItemFilter::default() };
                let total = total(db, &view, &filter).await.unwrap();
                assert_eq!(total.items, wanted.len() as u64, "{name} in selection {index} in all");
                let query = ItemQuery { filter, sort, limit: 500, ..ItemQuery::default() };
                let rows = list(db, &view, &query).await.unwrap().rows;
                let found: BTreeSet<String> =
                    rows.iter().map(|row| format!("{} {}", row.item.policy_type, row.item.external_id)).collect();
                assert_eq!(found.len(), rows.len());
                assert_eq!(found, wanted, "{name} in selection {index} by {sort:?}");
            }
            assert_eq!(counted, wanted.len() as u64, "{name} counted in selection {index}");
        }
    }
}

/// Objects of several tenants, which have the same ids, are told at once as the view of each tenant tells them.
async fn check_objects(db: &Db, tenants: &[TenantId]) {
    let (mut wanted, mut expected) = (BTreeSet::new(), HashMap::new());
    for tenant in tenants {
        let view = ScopeView::load(db, *tenant, None).await.unwrap();
        for (key, number) in TYPES.into_iter().flat_map(|key| (0..6).map(move |number| (key, number))) {
            let object = (*tenant, key.to_owned(), format!("id-{number}"));
            if let Some(id) = find_external(db, *tenant, key, &object.2).await.unwrap() {
                let row = find(db, &view, id).await.unwrap().unwrap();
                // What another selection has read since is told of rows of a list alone.
                expected.insert(object.clone(), ItemRow { seen_since: None, ..row });
            }
            wanted.insert(object);
        }
    }
    assert!(expected.len() > tenants.len() && expected.len() < wanted.len());
    let before = db.reads();
    assert_eq!(find_objects(db, &wanted).await.unwrap(), expected);
    let asked = db.reads() - before;
    assert!(asked <= 9, "{asked} statements for {} objects of {} tenants", wanted.len(), tenants.len());
}

async fn history(db: &Db, seed: u64, steps: usize) -> TenantId {
    let mut random = Random(seed);
    let tenant = tenant(db, &format!("Tenant {seed}")).await;
    let mut model = Model::default();
    let mut underway: BTreeMap<usize, Underway> = BTreeMap::new();
    for _ in 0..steps {
        match random.below(4) {
            0 => {
                let key = (TYPES[random.below(3)], format!("id-{}", random.below(5)));
                if model.world.remove(&key).is_none() {
                    model.world.insert(key, random.below(3) as u64);
                }
            }
            _ => {
                let index = random.below(SELECTIONS.len());
                match underway.remove(&index) {
                    None => {
                        underway.insert(index, begin(db, tenant, index, &model, &mut random).await);
                    }
                    Some(mut one) if !one.todo.is_empty() => {
                        read_some(&mut one, &mut model, &mut random).await;
                        underway.insert(index, one);
                    }
                    Some(one) => {
                        finish(one, index, &mut model).await;
                        check(db, tenant, &model).await;
                    }
                }
            }
        }
    }
    check(db, tenant, &model).await;
    tenant
}

on_both_engines! {
    async fn presence_is_as_the_rules_derive_it_whatever_runs_overlap(test: TestDatabase) {
        let mut tenants = Vec::new();
        for seed in 1..=10 {
            tenants.push(history(&test.db, seed, 80).await);
        }
        check_objects(&test.db, &tenants).await;
        tenants.push(tenant(&test.db, "Nothing was read").await);
        check_objects(&test.db, &tenants).await;
    }
}
