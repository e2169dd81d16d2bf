//! What drifted between two runs: every story of false drift by the name of what it prevents, what becomes of what was
//! accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tenantatlas_domain::drift::{ChangeKind, FindingStatus, GapCode, Reopened, Severity};
use tenantatlas_domain::ids::{FindingId, OperationRunId, SyncRunId};
use tenantatlas_domain::normalise::{NORMALISER_VERSION, Normaliser, observation_hash};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sanitise::{display_name_of, meta_for};
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome, conclude_sync};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, EngineError};
use tenantatlas_graph_sim::{Fault, FaultKind};
use tenantatlas_store::findings::{self, ComparisonRecord, Finding, FindingFilter, Source};
use tenantatlas_store::inventory::{ObservedItem, write_batch};
use tenantatlas_store::operation_runs::{self, Claim, End, Filter, KindLimits, Limits, Rest};
use tenantatlas_store::scopes;
use tenantatlas_store::sync_runs::{self, NewSyncRun, Started, SyncEnd, SyncRun, TypeEnd};
use tenantatlas_store::tenants::AfterSync;
use tenantatlas_store::testing::on_both_engines;
use uuid::Uuid;

use crate::support::World;

const CONFIGURATION: &str = "deviceConfiguration";
const CATALOGUE: &str = "settingsCatalogPolicy";

/// What a run reads of a type.
pub enum Reading {
    /// All of it, to the end.
    Whole(Vec<Value>),
    /// All of it, to the end, while the list changed.
    Unsteady(Vec<Value>),
    /// Some of it, and then it failed.
    Broken(Vec<Value>),
}

use Reading::{Broken, Unsteady, Whole};

fn policy(id: &str, name: &str, x: u32) -> Value {
    json!({"@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "id": id, "displayName": name, "x": x})
}

fn observed(key: &str, object: &Value) -> ObservedItem {
    let policy_type = registry().get(key).unwrap();
    let (content_hash, parts) = Normaliser::new(&[7; 32]).content_in_parts(policy_type, object);
    ObservedItem {
        meta: meta_for(policy_type, object),
        content_hash,
        normaliser_version: NORMALISER_VERSION,
        settings_digest: Some(parts.settings),
        assignments_digest: Some(parts.assignments),
        observation_hash: observation_hash(object.to_string().as_bytes()),
        ..ObservedItem::example(object["id"].as_str().unwrap(), &display_name_of(policy_type, object))
    }
}

impl World {
    /// A run of the scope of these types that reads this.
    pub async fn reads(&self, types: &[(&str, Reading)]) -> SyncRun {
        let db = &self.database.db;
        let keys: Vec<&str> = types.iter().map(|(key, _)| *key).collect();
        let selection = Self::some(&keys);
        let mut tx = db.write().await.unwrap();
        operation_runs::create(&mut tx, &self.raw_run("test", "read", 1), self.engine.now()).await.unwrap();
        let limits = Limits { global: 9, per_tenant: 9 };
        let limits = [KindLimits { resource: "test", action: "read", limits }];
        let claim = Claim { owner: "test", lease: Duration::from_secs(60), limits: &limits };
        let run = operation_runs::claim(&mut tx, &claim, self.engine.now()).await.unwrap().unwrap();
        let fence = run.fence().unwrap();
        let new = NewSyncRun {
            id: SyncRunId::from_uuid(Uuid::now_v7()),
            tenant_id: self.tenant,
            user_id: None,
            selection_hash: selection.hash(),
            selection,
            correlation_id: Uuid::now_v7().into(),
            continuation: None,
        };
        let at = self.engine.now();
        let Started::New(sync) = sync_runs::start(&mut tx, &fence, &new, at).await.unwrap() else { panic!() };
        for (key, reading) in types {
            let (objects, outcome, unsteady) = match reading {
                Whole(objects) => (objects, TypeOutcome::Succeeded, false),
                Unsteady(objects) => (objects, TypeOutcome::Succeeded, true),
                Broken(objects) => (objects, TypeOutcome::Failed, false),
            };
            let items: Vec<ObservedItem> = objects.iter().map(|object| observed(key, object)).collect();
            let row = sync_runs::begin_type(&mut tx, &fence, &sync, key, at).await.unwrap();
            write_batch(&mut tx, &fence, &sync, &row, &items, at).await.unwrap();
            let failed = outcome == TypeOutcome::Failed;
            let end = TypeEnd {
                outcome,
                reason_code: failed.then_some(ReasonCode::GraphThrottled),
                message: None,
                pages: 1,
                requests: 1,
                retries: 0,
                throttled: 0,
                bytes: 1,
                unsteady,
            };
            sync_runs::finish_type(&mut tx, &fence, &sync, key, &end, at).await.unwrap();
        }
        let rows = sync_runs::list_types(&mut tx, self.tenant, sync.id).await.unwrap();
        let status: SyncRunStatus = conclude_sync(rows.iter().filter_map(|row| row.outcome));
        let end = SyncEnd { status, error_codes: Vec::new(), error_context: json!({}), stopped: None };
        let sync = sync_runs::finish(&mut tx, &fence, &sync, &end, at).await.unwrap();
        let status = tenantatlas_domain::operation::OperationStatus::Completed;
        let end = End { status, reason_code: None, reason: String::new(), rest: Rest::Skipped };
        operation_runs::finish(&mut tx, &fence, &end, at).await.unwrap();
        tx.commit().await.unwrap();
        sync
    }

    pub async fn compare_with(&self, baseline: Option<SyncRunId>) -> Compared {
        let command_line = Actor::command_line();
        let dispatched = self.engine.dispatch_drift(&command_line, self.tenant, None, baseline).await.unwrap();
        self.compared(dispatched.state.id).await
    }

    pub async fn compared(&self, run: OperationRunId) -> Compared {
        let state = self.ended(run).await;
        let db = &self.database.db;
        let record = findings::of_run(db, self.tenant, run).await.unwrap();
        let record = record.unwrap_or_else(|| panic!("it came to its end: {state:?}"));
        Compared { open: self.findings(&record.scope_key, false).await, record }
    }

    pub async fn compare(&self) -> Compared {
        self.compare_with(None).await
    }

    async fn findings(&self, scope_key: &str, resolved: bool) -> Vec<Finding> {
        let filter = FindingFilter { resolved, ..FindingFilter::default() };
        let (db, now) = (&self.database.db, self.engine.now());
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = findings::list(db, self.tenant, scope_key, &filter, (after, 50), now).await.unwrap();
            found.extend(page.findings);
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    async fn accept(&self, ids: &[FindingId], until: Option<Timestamp>) -> Result<u64, EngineError> {
        self.engine.accept_findings(&Actor::command_line(), self.tenant, ids, "as agreed", until, "").await
    }
}

pub struct Compared {
    pub record: ComparisonRecord,
    pub open: Vec<Finding>,
}

impl Compared {
    /// The open findings, as kind and id.
    pub fn told(&self) -> Vec<(ChangeKind, &str)> {
        let mut told: Vec<_> = self.open.iter().map(|one| (one.kind, one.subject_external_id.as_str())).collect();
        told.sort_unstable();
        told
    }

    pub fn gaps(&self) -> Vec<(&str, GapCode)> {
        self.record.not_comparable.iter().map(|gap| (gap.policy_type.as_str(), gap.code)).collect()
    }

    fn one(&self) -> &Finding {
        assert_eq!(self.open.len(), 1, "{:?}", self.told());
        &self.open[0]
    }
}

/// Two observations of one object that are the same policy: nothing drifted.
pub async fn no_drift(world: &World, key: &str, pairs: &[(Value, Value)]) {
    let objects = |take: fn(&(Value, Value)) -> &Value| -> Vec<Value> {
        let named = pairs.iter().enumerate().map(|(index, pair)| {
            let mut object = take(pair).clone();
            object["id"] = json!(format!("id-{index}"));
            object
        });
        named.collect()
    };
    world.reads(&[(key, Whole(objects(|pair| &pair.0)))]).await;
    world.reads(&[(key, Whole(objects(|pair| &pair.1)))]).await;
    let compared = world.compare().await;
    assert_eq!(compared.told(), [], "{:?}", compared.open);
    assert_eq!(compared.gaps(), []);
}

on_both_engines! {
    async fn each_kind_of_change_is_told_once_and_again_as_the_same_finding(test: TestDatabase) {
        use ChangeKind::{Added, Migrated, Modified, Reassigned, Removed, Renamed};
        let world = World::new(test, 20).await;
        let assigned = |object: Value, group: &str| {
            let mut object = object;
            object["assignments"] = json!([{"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget",
                "groupId": group}}]);
            object
        };
        let before = world.reads(&[
            (CONFIGURATION, Whole(vec![
                policy("same", "Same", 1), policy("set", "Set", 1), policy("called", "Called", 1),
                assigned(policy("given", "Given", 1), "g"), policy("gone", "Gone", 1), policy("both", "Both", 1),
                policy("moved", "BitLocker", 1),
            ])),
            (CATALOGUE, Whole(vec![json!({"id": "there", "name": "There"})])),
        ]).await;
        let first = world.compare().await;
        assert_eq!((first.told(), first.record.baseline_run_id), (vec![], None));
        assert_eq!(first.gaps(), [(CONFIGURATION, GapCode::NoBaseline), (CATALOGUE, GapCode::NoBaseline)]);
        let now = world.reads(&[
            (CONFIGURATION, Whole(vec![
                policy("same", "Same", 1), policy("set", "Set", 2), policy("called", "Other", 1),
                assigned(policy("given", "Given", 1), "h"), policy("both", "Both of it", 2), policy("new", "New", 1),
            ])),
            (CATALOGUE, Whole(vec![json!({"id": "there", "name": "There"}), json!({"id": "here", "name": "BitLocker"})])),
        ]).await;
        let wanted = vec![
            (Added, "new"), (Removed, "gone"), (Modified, "both"), (Modified, "set"), (Reassigned, "given"),
            (Renamed, "both"), (Renamed, "called"), (Migrated, "here"),
        ];
        let second = world.compare().await;
        assert_eq!((second.told(), second.gaps()), (wanted.clone(), vec![]));
        assert_eq!((second.record.baseline_run_id, second.record.current_run_id), (Some(before.id), now.id));
        assert_eq!((second.record.counts.found, second.record.counts.unchanged), (8, 0));
        let moved = second.open.iter().find(|one| one.kind == Migrated).unwrap();
        assert_eq!(moved.evidence.from_external_id.as_deref(), Some("moved"));
        // The same again is the same.
        let again = world.compare().await;
        assert_eq!((again.told(), again.record.counts.unchanged, again.record.counts.found), (wanted, 8, 0));
        let ids = |compared: &Compared| compared.open.iter().map(|one| one.id).collect::<BTreeSet<_>>();
        assert_eq!(ids(&again), ids(&second));
    }

    async fn a_comparison_looks_at_what_changed_and_not_at_all_that_the_baseline_found(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let many = |x: u32| -> Vec<Value> { (0..9).map(|nth| policy(&format!("p{nth}"), "A", if nth < 2 { x } else { 1 })).collect() };
        world.reads(&[(CONFIGURATION, Whole(many(1)))]).await;
        let now = world.reads(&[(CONFIGURATION, Whole(many(2)))]).await;
        let db = &world.database.db;
        let scope = scopes::find(db, world.tenant, &now.selection_hash).await.unwrap().unwrap();
        let plan = findings::plan(db, world.tenant, &scope, None).await.unwrap();
        let run = OperationRunId::from_uuid(Uuid::now_v7());
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = findings::candidates(db, &plan, &plan.groups[0], Source::Changed, run, after.as_ref(), 1).await.unwrap();
            let Some(last) = page.into_iter().last() else { break };
            seen.push(last.item());
            after = Some(last);
        }
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 2, "page by page, each once: {seen:?}");
        for source in Source::ALL.into_iter().filter(|source| *source != Source::Changed) {
            let others = findings::candidates(db, &plan, &plan.groups[0], source, run, None, 10).await.unwrap();
            assert_eq!(others, [], "{source:?}");
        }
    }

    async fn lists_that_come_in_another_order_are_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let settings = |order: [u32; 2]| json!({"name": "a", "settings": order.map(|number| json!({"id": number,
            "settingInstance": {"settingDefinitionId": format!("definition-{number}"), "value": number}}))});
        no_drift(&world, CATALOGUE, &[
            (settings([1, 2]), settings([2, 1])),
            (json!({"name": "b", "roleScopeTagIds": ["0", "1"]}), json!({"name": "b", "roleScopeTagIds": ["1", "0"]})),
        ]).await;
    }

    async fn null_empty_and_absent_are_no_drift_and_zero_and_false_are(test: TestDatabase) {
        let world = World::new(test, 20).await;
        no_drift(&world, CONFIGURATION, &[
            (json!({"displayName": "a", "x": null}), json!({"displayName": "a"})),
            (json!({"displayName": "b", "x": ""}), json!({"displayName": "b", "x": []})),
            (json!({"displayName": "c"}), json!({"displayName": "c", "assignments": []})),
        ]).await;
        let other = |x: Value| json!({"id": "id-0", "displayName": "a", "x": x});
        world.reads(&[(CONFIGURATION, Whole(vec![other(json!(0))]))]).await;
        let told = world.compare().await;
        assert!(told.told().contains(&(ChangeKind::Modified, "id-0")), "{:?}", told.told());
    }

    async fn no_filter_written_in_three_ways_is_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let with = |name: &str, id: Value, kind: Value| json!({"displayName": name, "assignments": [{"target": {
            "@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "g",
            "deviceAndAppManagementAssignmentFilterId": id, "deviceAndAppManagementAssignmentFilterType": kind}}]});
        let zero = || json!("00000000-0000-0000-0000-000000000000");
        no_drift(&world, CONFIGURATION, &[
            (with("a", json!(null), json!("none")), with("a", zero(), json!("none"))),
            (with("b", json!(null), json!(null)), with("b", json!(""), json!("none"))),
        ]).await;
    }

    async fn clocks_counters_and_new_references_of_masked_secrets_are_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let at = |stamp: &str, reference: &str| json!({"displayName": "a", "lastModifiedDateTime": stamp, "version": stamp.len(),
            "omaSettings": [{"@odata.type": "#microsoft.graph.omaSettingString", "omaUri": "./x", "isEncrypted": true,
                "secretReferenceValueId": reference, "value": "****"}]});
        no_drift(&world, CONFIGURATION, &[(at("2026-01-01T00:00:00Z", "r1"), at("2026-02-02T00:00:00.5Z", "r2"))]).await;
    }

    async fn a_type_that_was_not_read_is_not_comparable_and_nothing_of_it_is_removed(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let both = || vec![policy("a", "A", 1), policy("b", "B", 1)];
        world.reads(&[(CONFIGURATION, Whole(both()))]).await;
        world.reads(&[(CONFIGURATION, Broken(vec![policy("a", "A", 2)]))]).await;
        let compared = world.compare().await;
        assert_eq!((compared.told(), compared.gaps()), (vec![], vec![(CONFIGURATION, GapCode::NotRead)]));
        assert_eq!(compared.record.not_comparable[0].reason_code(), "graph_throttled");
        // The next one that reads it is compared with the one before the failure.
        world.reads(&[(CONFIGURATION, Whole(vec![policy("a", "A", 2), policy("b", "B", 1)]))]).await;
        assert_eq!(world.compare().await.told(), [(ChangeKind::Modified, "a")]);
    }

    async fn what_a_list_that_changed_while_it_was_read_did_not_show_is_not_removed(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let all = || vec![policy("a", "A", 1), policy("b", "B", 1)];
        world.reads(&[(CONFIGURATION, Whole(all()))]).await;
        world.reads(&[(CONFIGURATION, Unsteady(vec![policy("a", "A", 2)]))]).await;
        let compared = world.compare().await;
        assert_eq!(compared.told(), [(ChangeKind::Modified, "a")]);
        assert_eq!(compared.gaps(), [(CONFIGURATION, GapCode::Unsteady)]);
        // A steady read settles it, compared with the last steady one.
        world.reads(&[(CONFIGURATION, Whole(vec![policy("a", "A", 2)]))]).await;
        assert_eq!(world.compare().await.told(), [(ChangeKind::Removed, "b"), (ChangeKind::Modified, "a")]);
    }

    async fn a_drift_that_goes_on_stays_and_one_that_is_undone_resolves_itself(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let state = |x: u32| vec![(CONFIGURATION, Whole(vec![policy("a", "A", x)]))];
        world.reads(&state(1)).await;
        world.reads(&state(2)).await;
        let id = world.compare().await.one().id;
        world.reads(&state(2)).await;
        assert_eq!(world.compare().await.one().id, id, "nobody has accepted it, and it is still so");
        world.reads(&state(3)).await;
        let again = world.compare().await;
        assert_eq!((again.one().id, again.record.counts.unchanged), (id, 1));
        world.reads(&state(1)).await;
        let undone = world.compare().await;
        assert_eq!((undone.told(), undone.record.counts.resolved), (vec![], 1));
        assert_eq!(world.findings(&undone.record.scope_key, true).await.len(), 1);
    }

    async fn acceptance_stays_with_its_value_through_absence_and_return_and_another_value_reopens(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let state = |x: u32| vec![(CONFIGURATION, Whole(vec![policy("a", "A", x)]))];
        world.reads(&state(1)).await;
        world.reads(&state(2)).await;
        let id = world.compare().await.one().id;
        assert_eq!(world.accept(&[id], None).await.unwrap(), 1);
        world.reads(&state(2)).await;
        assert_eq!(world.compare().await.one().status, FindingStatus::Acknowledged);
        world.reads(&state(1)).await;
        assert_eq!(world.compare().await.told(), []);
        world.reads(&state(2)).await;
        let back = world.compare().await;
        assert_eq!((back.one().id, back.one().status), (id, FindingStatus::Acknowledged));
        assert_eq!((back.record.counts.found, back.record.counts.reopened), (0, 0), "that is no news");
        world.reads(&state(3)).await;
        let other = world.compare().await;
        let finding = other.one();
        assert_eq!((finding.status, finding.reopened), (FindingStatus::New, Some(Reopened::OtherValue)));
        assert_eq!(other.record.counts.reopened, 1);
        let (accepted, now) = (finding.accepted_evidence.as_ref().unwrap(), &finding.evidence);
        assert_ne!(accepted.content_now, now.content_now, "it says what was accepted and what is there");
        assert_eq!(finding.acknowledged_reason.as_deref(), Some("as agreed"));
        world.reads(&state(2)).await;
        assert_eq!(world.compare().await.one().status, FindingStatus::Acknowledged);
    }

    async fn an_accepted_removal_stays_accepted_and_what_comes_back_is_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let with = |there: bool| {
            let mut objects = vec![policy("a", "A", 1)];
            objects.extend(there.then(|| policy("b", "B", 1)));
            vec![(CONFIGURATION, Whole(objects))]
        };
        world.reads(&with(true)).await;
        world.reads(&with(false)).await;
        let id = world.compare().await.one().id;
        world.accept(&[id], None).await.unwrap();
        world.reads(&with(false)).await;
        assert_eq!(world.compare().await.one().status, FindingStatus::Acknowledged);
        world.reads(&with(true)).await;
        assert_eq!(world.compare().await.told(), [], "it is as it was");
        world.reads(&with(false)).await;
        assert_eq!(world.compare().await.one().status, FindingStatus::Acknowledged);
    }

    async fn an_acceptance_that_has_ended_or_was_taken_back_is_none(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let state = |x: u32| vec![(CONFIGURATION, Whole(vec![policy("a", "A", x)]))];
        world.reads(&state(1)).await;
        world.reads(&state(2)).await;
        let id = world.compare().await.one().id;
        let soon = Timestamp::from_millis(world.engine.now().as_millis() + 400);
        world.accept(&[id], Some(soon)).await.unwrap();
        let now = world.engine.now();
        assert!(world.accept(&[id], Some(now)).await.unwrap_err().to_string().contains("future"));
        while world.engine.now() < soon {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let over = world.compare().await;
        assert_eq!((over.one().status, over.one().reopened), (FindingStatus::New, Some(Reopened::Expired)));
        world.accept(&[id], None).await.unwrap();
        let actor = Actor::command_line();
        assert_eq!(world.engine.reopen_findings(&actor, world.tenant, &[id]).await.unwrap(), 1);
        let taken = world.compare().await;
        assert_eq!((taken.one().status, taken.one().reopened), (FindingStatus::New, Some(Reopened::ByHand)));
        assert!(world.engine.reopen_findings(&actor, world.tenant, &[id]).await.is_err(), "nothing is accepted any more");
    }

    async fn a_baseline_that_a_person_chose_is_compared_with_whatever_was_found_before(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let state = |x: u32| vec![(CONFIGURATION, Whole(vec![policy("a", "A", x), policy("b", "B", x)]))];
        let first = world.reads(&state(1)).await;
        world.reads(&state(2)).await;
        let third = world.reads(&state(1)).await;
        assert_eq!(world.compare().await.told().len(), 2);
        assert_eq!(world.compare_with(Some(first.id)).await.told(), [], "they are as in that run");
        let actor = Actor::command_line();
        for wrong in [third.id, SyncRunId::from_uuid(Uuid::now_v7())] {
            let refused = world.engine.dispatch_drift(&actor, world.tenant, None, Some(wrong)).await.unwrap_err();
            assert!(refused.to_string().contains("baseline"), "{refused}");
        }
    }

    async fn many_findings_at_once_are_accepted_only_by_whoever_types_how_many(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let state = |x: u32| {
            let objects = (0..120).map(|number| policy(&format!("id-{number}"), &format!("Policy {number}"), x));
            vec![(CONFIGURATION, Whole(objects.collect()))]
        };
        world.reads(&state(1)).await;
        world.reads(&state(2)).await;
        let ids: Vec<FindingId> = world.compare().await.open.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), 120);
        assert!(world.accept(&ids, None).await.unwrap_err().to_string().contains("120"));
        let (engine, actor) = (&world.engine, Actor::command_line());
        assert!(engine.accept_findings(&actor, world.tenant, &ids[..1], " ", None, "").await.is_err());
        assert_eq!(engine.accept_findings(&actor, world.tenant, &ids, "all", None, " 120 ").await.unwrap(), 120);
        let open = world.compare().await.open;
        assert!(open.iter().all(|one| one.status == FindingStatus::Acknowledged));
    }

    async fn a_sync_is_followed_by_a_comparison_where_the_tenant_wants_it_and_there_is_a_run_before(test: TestDatabase) {
        let world = World::new(test, 200).await;
        let selection = World::some(&[CONFIGURATION, CATALOGUE]);
        let follower = async |sync: OperationRunId| {
            let filter = Filter { tenant_id: Some(world.tenant), follows: Some(sync), limit: 1, ..Filter::default() };
            operation_runs::list(&world.database.db, &filter).await.unwrap().pop()
        };
        let first = world.sync(&selection).await;
        assert!(follower(first.operation.id).await.is_none(), "there is nothing to compare with");
        world.simulator.control().evolve(&world.simulated.tenant_id, 1);
        let second = world.sync(&selection).await;
        let run = follower(second.operation.id).await.expect("a comparison follows");
        assert_eq!((run.resource.as_str(), run.action.as_str()), ("drift", "generate"));
        assert!(!world.compared(run.id).await.open.is_empty());
        let forbidden = FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message: "no".to_owned() };
        world.simulator.control().set_faults(vec![Fault::always("deviceConfigurations", forbidden)]);
        let partial = world.sync(&selection).await;
        let run = follower(partial.operation.id).await.expect("what was read is compared");
        assert_eq!(world.compared(run.id).await.gaps(), [(CONFIGURATION, GapCode::NotRead)]);
        let nothing = AfterSync { drift: false, capture: false, audit_events: false };
        world.engine.set_after_sync(&Actor::command_line(), world.tenant, nothing).await.unwrap();
        let third = world.sync(&selection).await;
        assert!(follower(third.operation.id).await.is_none(), "nobody wants it");
    }

    async fn severity_follows_the_type_and_the_most_severe_come_first(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let entrance = |state: &str| json!({"id": "ca", "displayName": "MFA", "state": state});
        world.reads(&[
            (CONFIGURATION, Whole(vec![policy("a", "A", 1)])),
            ("conditionalAccessPolicy", Whole(vec![entrance("enabled")])),
        ]).await;
        world.reads(&[
            (CONFIGURATION, Whole(vec![policy("a", "A", 2)])),
            ("conditionalAccessPolicy", Whole(vec![entrance("disabled")])),
        ]).await;
        let compared = world.compare().await;
        let severities: Vec<Severity> = compared.open.iter().map(|one| one.severity).collect();
        assert_eq!(severities, [Severity::Critical, Severity::Medium]);
        let fact = &compared.open[0].evidence.facts[0];
        assert_eq!((fact.name.as_str(), &fact.old, &fact.new), ("state", &json!("enabled"), &json!("disabled")));
    }
}
