//! What is known of findings beside their evidence: the settings that changed and who changed them; and what people choose about
//! comparisons.

use std::collections::BTreeSet;

use tenantatlas_domain::audit_event::{Attribution, Lack};
use tenantatlas_domain::drift::{ChangeKind, Severity, default_severity};
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, CaptureOf, EngineError, Explained, SettingsTold};
use tenantatlas_graph_sim::{Verb, What, Who};
use tenantatlas_store::findings::{self, Finding, FindingFilter};
use tenantatlas_store::operation_runs::{self, Filter};
use tenantatlas_store::tenants::AfterSync;
use tenantatlas_store::testing::on_both_engines;

use crate::support::World;

const NOTHING: AfterSync = AfterSync { drift: false, capture: false, audit_events: false };
const CATALOGUE: &str = "settingsCatalogPolicy";

impl World {
    async fn choose(&self, wanted: AfterSync) {
        self.engine.set_after_sync(&Actor::command_line(), self.tenant, wanted).await.unwrap();
    }

    async fn explained(&self, actor: &Actor, found: &[Finding]) -> Vec<Explained> {
        self.engine.explain_findings(actor, self.tenant, found).await.unwrap().of
    }

    async fn follower(&self, of: OperationRunId) -> Option<OperationRunId> {
        let filter = Filter { tenant_id: Some(self.tenant), follows: Some(of), limit: 1, ..Filter::default() };
        let next = operation_runs::list(&self.database.db, &filter).await.unwrap().pop()?;
        self.ended(next.id).await;
        Some(next.id)
    }

    async fn kind_of(&self, run: OperationRunId) -> String {
        let run = operation_runs::get(&self.database.db, self.tenant, run).await.unwrap().unwrap();
        format!("{}.{}", run.resource, run.action)
    }

    /// Whom the cloud knows to have changed an object.
    fn changed_by(&self, id: &str, since: Timestamp) -> BTreeSet<String> {
        let events = self.simulator.control().audit_events(&self.simulated.tenant_id);
        let of = events.iter().filter(|event| !event.failed && event.verb != Verb::Get);
        let of = of.filter(|event| event.at_ms as i64 > since.as_millis());
        let of = of.filter(|event| matches!(&event.what, What::Object { id: of, .. } if of == id));
        of.map(|event| match event.who {
            Who::Person(number) => ["alex", "kim", "sam"][number].to_owned(),
            Who::Application => "automation".to_owned(),
        })
        .collect()
    }
}

fn named(by: &Attribution) -> Option<BTreeSet<String>> {
    let Attribution::Found { actors, .. } = by else { return None };
    let name = |name: &Option<String>| match name {
        Some(name) => name.split('@').next().unwrap().to_owned(),
        None => "automation".to_owned(),
    };
    Some(actors.iter().map(|one| name(&one.actor.user_name)).collect())
}

on_both_engines! {
    async fn a_finding_names_the_settings_and_who_changed_them_once_both_are_kept(test: TestDatabase) {
        let world = World::new(test, 500).await;
        world.choose(NOTHING).await;
        let since = world.sync(&World::everything()).await.run.started_at;
        world.capture_all().await;
        world.simulator.control().evolve(&world.simulated.tenant_id, 2);
        world.sync(&World::everything()).await;
        let found = world.compare_with(None).await.open;
        let root = Actor::command_line();
        let early = world.explained(&root, &found).await;
        let about: Vec<usize> = (0..found.len())
            .filter(|at| matches!(found[*at].kind, ChangeKind::Modified | ChangeKind::Reassigned))
            .collect();
        assert!(about.len() > 10, "{}", about.len());
        for at in &about {
            assert_eq!(early[*at].settings, SettingsTold::NotKept { before: true, now: false }, "{:?}", found[*at]);
        }
        assert!(early.iter().all(|one| match &one.changed_by {
            Attribution::NotRead { lack } => matches!(lack, Lack::NeverRead | Lack::NoLog),
            _ => false,
        }));
        world.capture(&CaptureOf::Types(Vec::new()), true).await;
        let logs = world.engine.read_audit_events(&root, world.tenant).await.unwrap().state.id;
        world.ended(logs).await;
        let known = world.explained(&root, &found).await;
        let (mut settings, mut assignments) = (0, 0);
        for at in about {
            let (finding, known) = (&found[at], &known[at]);
            let SettingsTold::Told { from, to, rows, assignments: moved, .. } = &known.settings else {
                panic!("{finding:?} {known:?}")
            };
            assert!(from < to, "{finding:?}");
            match finding.kind {
                ChangeKind::Reassigned => assert!(!moved.is_empty(), "{finding:?}"),
                _ => assert!(!rows.is_empty(), "{finding:?} {known:?}"),
            }
            settings += rows.len();
            assignments += moved.len();
            if let Some(whom) = named(&known.changed_by) {
                assert_eq!(whom, world.changed_by(&finding.subject_external_id, since), "{finding:?}");
            } else {
                assert!(matches!(&known.changed_by, Attribution::NotRead { lack: Lack::NoLog }), "{finding:?} {known:?}");
            }
        }
        assert!(settings > 10 && assignments > 0, "{settings} {assignments}");
        // Who may not see bodies sees names alone.
        let password = secrecy::SecretString::from("correct horse battery");
        let uma = world.engine.create_user(&root, "uma@example.com", "Uma", false, password).await.unwrap();
        world.engine.set_member(&root, world.tenant, uma, Role::Readonly).await.unwrap();
        let uma = Actor::person(uma, "Uma", "uma@example.com");
        let seen = world.explained(&uma, &found).await;
        let rows = seen.iter().flat_map(|one| match &one.settings {
            SettingsTold::Told { rows, .. } => rows.clone(),
            _ => Vec::new(),
        });
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), settings);
        assert!(rows.iter().all(|row| row.old.is_none() && row.new.is_none() && !row.title.is_empty()));
    }

    async fn a_capture_that_came_after_the_next_change_is_not_taken_for_the_baseline(test: TestDatabase) {
        let world = World::new(test, 300).await;
        world.choose(NOTHING).await;
        let catalogue = World::some(&[CATALOGUE]);
        world.sync(&catalogue).await;
        world.simulator.control().evolve(&world.simulated.tenant_id, 2);
        // The cloud has moved on: what is captured now is not what the sync saw.
        world.capture(&CaptureOf::Types(vec![CATALOGUE.to_owned()]), false).await;
        world.sync(&catalogue).await;
        world.capture(&CaptureOf::Types(vec![CATALOGUE.to_owned()]), true).await;
        let found = world.compare_with(None).await.open;
        let known = world.explained(&Actor::command_line(), &found).await;
        let modified: Vec<_> =
            found.iter().zip(&known).filter(|(finding, _)| finding.kind == ChangeKind::Modified).collect();
        assert!(!modified.is_empty());
        for (finding, known) in modified {
            assert!(matches!(known.settings, SettingsTold::Same { .. }), "{finding:?} {known:?}");
        }
    }

    async fn what_a_tenant_wants_follows_each_sync_one_after_the_other(test: TestDatabase) {
        let world = World::new(test, 200).await;
        world.choose(AfterSync { drift: true, capture: true, audit_events: true }).await;
        let catalogue = World::some(&[CATALOGUE]);
        let mut followed = Vec::new();
        for _ in 0..2 {
            let mut last = world.sync(&catalogue).await.operation.id;
            let mut kinds = Vec::new();
            while let Some(next) = world.follower(last).await {
                kinds.push(world.kind_of(next).await);
                last = next;
            }
            followed.push(kinds);
        }
        assert_eq!(followed[0], ["policies.capture", "audit_events.read"], "the first has nothing to be compared with");
        assert_eq!(followed[1], ["drift.generate", "policies.capture", "audit_events.read"]);
    }

    async fn a_tenant_says_how_much_a_change_of_a_type_matters_also_of_what_was_found(test: TestDatabase) {
        let world = World::new(test, 300).await;
        world.choose(NOTHING).await;
        let catalogue = World::some(&[CATALOGUE]);
        let (root, usual) = (Actor::command_line(), default_severity(registry().get(CATALOGUE).unwrap()));
        world.sync(&catalogue).await;
        world.simulator.control().evolve(&world.simulated.tenant_id, 2);
        world.sync(&catalogue).await;
        let before = world.compare_with(None).await.open;
        assert!(before.iter().all(|one| one.severity == usual) && usual != Severity::Critical);
        let (key, filter, now) = (&before[0].scope_key, FindingFilter::default(), world.engine.now());
        for limit in [2, 1_000] {
            let count = findings::count(&world.database.db, world.tenant, key, &filter, limit, now).await.unwrap();
            assert_eq!(count, before.len().min(limit as usize) as u64);
        }
        let set = async |severity| {
            world.engine.set_drift_severity(&root, world.tenant, CATALOGUE, severity).await.unwrap();
        };
        set(Some(Severity::Critical)).await;
        let again = world.compare_with(None).await.open;
        assert_eq!(again.len(), before.len());
        assert!(again.iter().all(|one| one.severity == Severity::Critical));
        set(None).await;
        assert!(world.compare_with(None).await.open.iter().all(|one| one.severity == usual));
        let refused = world.engine.set_drift_severity(&root, world.tenant, "nonsense", None).await;
        assert!(matches!(refused, Err(EngineError::Invalid { .. })), "{refused:?}");
    }

    async fn a_pinned_baseline_is_compared_with_until_it_is_taken_back(test: TestDatabase) {
        let world = World::new(test, 300).await;
        world.choose(NOTHING).await;
        let catalogue = World::some(&[CATALOGUE]);
        let root = Actor::command_line();
        let first = world.sync(&catalogue).await.run.id;
        for _ in 0..2 {
            world.simulator.control().evolve(&world.simulated.tenant_id, 1);
            world.sync(&catalogue).await;
        }
        let usual = world.compare_with(None).await;
        assert_ne!(usual.record.baseline_run_id, Some(first));
        world.engine.pin_drift_baseline(&root, world.tenant, Some(first)).await.unwrap();
        let pinned = world.compare_with(None).await;
        assert_eq!((pinned.record.baseline_run_id, pinned.record.pinned), (Some(first), true));
        world.engine.pin_drift_baseline(&root, world.tenant, None).await.unwrap();
        assert_eq!(world.compare_with(None).await.record.baseline_run_id, usual.record.baseline_run_id);
    }
}
