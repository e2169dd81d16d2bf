//! What is read from the audit logs of Microsoft, what is kept of it, and who is told to have changed something.

use std::collections::{BTreeMap, BTreeSet};

use tenantatlas_domain::audit_event::{
    Attribution, AuditFacts, AuditSource, Certainty, Coverage, Lack, Span, Subject, who_changed,
};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Cancelled, CaptureOf, Engine};
use tenantatlas_graph_sim::{Fault, FaultKind, Log, SECRET_MARK, SimTenant, Verb, What, Who, all_permissions};
use tenantatlas_store::audit_events::{self, EventFilter, SourceRead, SourceState};
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::support::{World, graph, quick};

const INTUNE: &str = "deviceManagement/auditEvents";
const ENTRA: &str = "auditLogs/directoryAudits";
const DAY: i64 = 86_400_000;

/// A tenant whose logs give few events at once, so that every list has pages.
fn paged() -> SimTenant {
    SimTenant { audit_page: 7, ..SimTenant::new("Contoso", 7, 300) }
}

struct Done {
    run: OperationRun,
    reads: BTreeMap<AuditSource, SourceRead>,
}

impl Done {
    fn ends(&self) -> Vec<(TypeOutcome, Option<ReasonCode>)> {
        self.reads.values().map(|read| (read.outcome.unwrap(), read.reason_code)).collect()
    }
}

impl World {
    async fn read_logs(&self) -> Done {
        let dispatched = self.engine.read_audit_events(&Actor::command_line(), self.tenant).await.unwrap();
        self.logs_of(dispatched.state.id).await
    }

    /// The end of a run that reads the logs.
    async fn logs_of(&self, id: tenantatlas_domain::ids::OperationRunId) -> Done {
        self.ended(id).await;
        let db = &self.database.db;
        let run = operation_runs::get(db, self.tenant, id).await.unwrap().unwrap();
        let reads = audit_events::reads_of(db, self.tenant, id).await.unwrap();
        Done { run, reads: reads.into_iter().map(|read| (read.source, read)).collect() }
    }

    async fn kept_events(&self) -> Vec<AuditFacts> {
        let filter = EventFilter { limit: 1_000, ..EventFilter::default() };
        audit_events::list(&self.database.db, self.tenant, &filter).await.unwrap()
    }

    async fn log(&self, source: AuditSource) -> Option<SourceState> {
        audit_events::source(&self.database.db, self.tenant, source).await.unwrap()
    }

    /// The ids of the events that changed something that the inventory could hold.
    fn changes(&self) -> BTreeSet<String> {
        let events = self.simulator.control().audit_events(&self.simulated.tenant_id);
        let changes = events.into_iter().filter(|event| {
            let person = event.log == Log::Entra && matches!(event.what, What::Other(_));
            !event.failed && event.verb != Verb::Get && !person
        });
        changes.map(|event| event.id).collect()
    }

    fn evolve(&self) {
        self.simulator.control().evolve(&self.simulated.tenant_id, 1);
    }
}

fn ids(events: &[AuditFacts]) -> BTreeSet<String> {
    events.iter().map(|event| event.event_id.clone()).collect()
}

on_both_engines! {
    async fn every_change_of_both_logs_is_kept_once_however_often_it_is_read(test: TestDatabase) {
        let world = World::with(test, paged(), quick()).await;
        world.evolve();
        let began = world.engine.now();
        let first = world.read_logs().await;
        assert_eq!(first.ends(), [(TypeOutcome::Succeeded, None); 2]);
        assert_eq!(first.run.status, OperationStatus::Completed);
        let kept = world.kept_events().await;
        assert_eq!(ids(&kept), world.changes());
        assert!(kept.len() > 60, "{}", kept.len());
        assert!(first.reads.values().all(|read| read.requests > 5 && read.events > read.kept), "{:?}", first.reads);
        let told = serde_json::to_string(&kept).unwrap();
        assert!(!told.contains(SECRET_MARK) && !told.contains("203.0.113.9"));
        // Intune surely keeps a month; of Entra it is known as far as it shows events.
        let (intune, entra) = (world.log(AuditSource::Intune).await.unwrap(), world.log(AuditSource::Entra).await.unwrap());
        assert!(intune.read_from.unwrap() < Timestamp::from_millis(began.as_millis() - 29 * DAY));
        let entra_days = (began.as_millis() - entra.read_from.unwrap().as_millis()) / DAY;
        assert!((10..=20).contains(&entra_days), "{entra_days}");
        assert!(intune.read_to.unwrap() >= began && entra.read_to.unwrap() >= began);
        let second = world.read_logs().await;
        assert!(second.reads.values().all(|read| read.kept == 0), "{:?}", second.reads);
        assert!(second.reads[&AuditSource::Intune].events > 0, "the readings overlap");
        assert_eq!(world.kept_events().await, kept);
        world.evolve();
        let third = world.read_logs().await;
        assert!(third.reads[&AuditSource::Intune].kept > 0);
        assert_eq!(ids(&world.kept_events().await), world.changes());
    }

    async fn an_event_that_comes_late_is_found_by_a_later_reading(test: TestDatabase) {
        let world = World::with(test, paged(), quick()).await;
        let control = world.simulator.control();
        control.withhold_audit_events(&world.simulated.tenant_id, true);
        world.evolve();
        world.read_logs().await;
        let early = ids(&world.kept_events().await);
        assert!(early.len() < world.changes().len());
        control.withhold_audit_events(&world.simulated.tenant_id, false);
        world.read_logs().await;
        assert_eq!(ids(&world.kept_events().await), world.changes());
    }

    async fn a_log_that_is_throttled_or_broken_for_a_while_is_read_all_the_same(test: TestDatabase) {
        let world = World::with(test, paged(), quick()).await;
        let control = world.simulator.control();
        let throttled = FaultKind::Throttled { retry_after: Some("0".to_owned()) };
        control.add_fault(Fault::times(INTUNE, 2, throttled).after(2));
        control.add_fault(Fault::times(ENTRA, 1, FaultKind::CutBody).after(1));
        control.add_fault(Fault::times(ENTRA, 1, FaultKind::TruncatedJson).after(3));
        let done = world.read_logs().await;
        assert_eq!(done.ends(), [(TypeOutcome::Succeeded, None); 2]);
        assert!(done.reads.values().all(|read| read.retries > 0), "{:?}", done.reads);
        assert_eq!(ids(&world.kept_events().await), world.changes());
    }

    async fn a_log_whose_pages_break_off_fails_alone_and_is_not_taken_for_read(test: TestDatabase) {
        let world = World::with(test, paged(), quick()).await;
        let control = world.simulator.control();
        control.add_fault(Fault::always(ENTRA, FaultKind::Unavailable).after(1));
        let began = world.engine.now();
        let done = world.read_logs().await;
        let failed = (TypeOutcome::Failed, Some(ReasonCode::GraphUnavailable));
        assert_eq!(done.ends(), [(TypeOutcome::Succeeded, None), failed]);
        assert_eq!(done.run.status, OperationStatus::CompletedWithErrors);
        let entra = world.log(AuditSource::Entra).await.unwrap();
        assert_eq!(entra.reason_code, Some(ReasonCode::GraphUnavailable));
        assert!(entra.read_to.is_none_or(|to| to < began), "{entra:?}");
        control.set_faults(Vec::new());
        assert_eq!(world.read_logs().await.ends(), [(TypeOutcome::Succeeded, None); 2]);
        assert_eq!(ids(&world.kept_events().await), world.changes());
        assert_eq!(world.log(AuditSource::Entra).await.unwrap().reason_code, None);
    }

    async fn what_a_version_differs_by_was_done_by_whom_the_log_names(test: TestDatabase) {
        let world = World::new(test, 500).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        world.evolve();
        world.sync(&World::everything()).await;
        let everything = CaptureOf::Types(Vec::new());
        world.capture(&everything, true).await;
        world.read_logs().await;
        let events = world.simulator.control().audit_events(&world.simulated.tenant_id);
        let (mut one, mut several) = (0, 0);
        for (key, stored) in world.stored().await {
            for id in stored {
                let [version, before] = &world.versions(&key, &id).await[..] else { continue };
                let span = Span { from: before.read_at, to: version.read_at };
                let within = |at: u64| span.holds(Timestamp::from_millis(at.try_into().unwrap()));
                let whom: BTreeSet<String> = events
                    .iter()
                    .filter(|event| !event.failed && event.verb != Verb::Get && within(event.at_ms))
                    .filter(|event| matches!(&event.what, What::Object { id: of, .. } if *of == id))
                    .map(|event| match event.who {
                        Who::Person(number) => ["alex", "kim", "sam"][number].to_owned(),
                        Who::Application => "automation".to_owned(),
                    })
                    .collect();
                let Attribution::Found { actors, certainty } = world.asked(&key, &id, span).await else {
                    panic!("{key} {id} was changed by {whom:?}")
                };
                let named = actors.iter().map(|found| match &found.actor.user_name {
                    Some(name) => name.split('@').next().unwrap().to_owned(),
                    None => "automation".to_owned(),
                });
                assert_eq!(named.collect::<BTreeSet<_>>(), whom, "{key} {id}");
                match certainty {
                    Certainty::OneActor => one += 1,
                    Certainty::SeveralActors => several += 1,
                    Certainty::PartlyRead => panic!("{key} {id}"),
                }
            }
        }
        assert!(one > 10 && several > 0, "{one} {several}");
    }
}

impl World {
    /// Who changed an object, asked as a page asks it.
    async fn asked(&self, key: &str, id: &str, span: Span) -> Attribution {
        let source = AuditSource::of(registry().get(key).unwrap());
        let coverage = match source {
            Some(source) => self.log(source).await.map(|known| known.coverage()).unwrap_or_default(),
            None => Coverage::default(),
        };
        let events = audit_events::of_object(&self.database.db, self.tenant, id, span).await.unwrap();
        let own_application = self.simulated.client_id.as_str();
        who_changed(Subject { external_id: id, source, own_application }, span, &events, &coverage)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_or_a_licence_that_is_lacking_is_said_and_never_no_event() {
    let roles = all_permissions().into_iter().filter(|role| role != "AuditLog.Read.All").collect();
    let simulated = SimTenant { roles: Some(roles), ..paged() };
    let world = World::with(TestDatabase::sqlite().await, simulated, quick()).await;
    let span = Span { from: Timestamp::from_millis(world.engine.now().as_millis() - DAY), to: world.engine.now() };
    let lack = async |key: &str| match world.asked(key, "an-object", span).await {
        Attribution::NotRead { lack } => lack,
        other => panic!("{other:?}"),
    };
    assert_eq!(lack("conditionalAccessPolicy").await, Lack::NeverRead);
    let done = world.read_logs().await;
    let refused = (TypeOutcome::Failed, Some(ReasonCode::PermissionMissing));
    assert_eq!(done.ends(), [(TypeOutcome::Succeeded, None), refused]);
    assert_eq!(done.run.status, OperationStatus::CompletedWithErrors);
    let Lack::Refused { code, sentence } = lack("conditionalAccessPolicy").await else { panic!() };
    assert!(code == ReasonCode::PermissionMissing && sentence.starts_with("AuditLog.Read.All"), "{sentence}");
    let none = world.asked("settingsCatalogPolicy", "an-object", span).await;
    assert_eq!(none, Attribution::NoneFound { span, may_still_come: true });
    assert_eq!(lack("cloudPcProvisioningPolicy").await, Lack::NoLog);

    let world = World::with(TestDatabase::sqlite().await, SimTenant { intune: false, ..paged() }, quick()).await;
    let done = world.read_logs().await;
    assert_eq!(done.ends()[0], (TypeOutcome::Skipped, Some(ReasonCode::LicenseMissing)));
    assert_eq!(done.run.status, OperationStatus::Completed);
    assert_eq!(world.log(AuditSource::Intune).await.unwrap().read_to, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_premium_licence_entra_counts_as_read_for_a_week() {
    let world = World::with(TestDatabase::sqlite().await, SimTenant { entra_premium: false, ..paged() }, quick()).await;
    world.read_logs().await;
    let read_from = world.log(AuditSource::Entra).await.unwrap().read_from.unwrap();
    let hours = (world.engine.now().as_millis() - read_from.as_millis()) / 3_600_000;
    assert!((160..=168).contains(&hours), "{hours}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_can_be_cancelled_and_one_whose_process_ends_is_gone_on_with() {
    let mut world = World::with(TestDatabase::sqlite().await, paged(), quick()).await;
    world.simulator.control().hold(ENTRA);
    let actor = Actor::command_line();
    let run = world.engine.read_audit_events(&actor, world.tenant).await.unwrap().state.id;
    world.in_the_middle(run).await;
    let again = world.engine.read_audit_events(&actor, world.tenant).await.unwrap();
    assert!(again.already_running && again.state.id == run);
    let cancelled = world.engine.runs().cancel(&actor, world.tenant, run).await.unwrap();
    assert_ne!(cancelled, Cancelled::AlreadyEnded);
    world.release();
    assert_eq!(world.ended(run).await.status, OperationStatus::Aborted);

    world.simulator.control().hold(ENTRA);
    let run = world.engine.read_audit_events(&actor, world.tenant).await.unwrap().state.id;
    world.in_the_middle(run).await;
    world.engine.shutdown().await;
    world.release();
    let engine = Engine::start(quick(), world.database.db.clone(), world.vault.clone(), graph());
    world.engine = engine;
    let done = world.logs_of(run).await;
    assert_eq!(done.ends(), [(TypeOutcome::Succeeded, None); 2]);
    assert_eq!(ids(&world.kept_events().await), world.changes());
}
