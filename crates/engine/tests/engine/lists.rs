//! Lists that are cut without a word or never end, whoever reads them, and objects that stand below others.

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_engine::Actor;
use tenantatlas_graph_sim::{Fault, FaultKind, Within};
use tenantatlas_store::operation_runs::{self, OperationRun};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::support::World;

const PROFILE: &str = "appleEnrollmentProfile";
const TOKENS: &str = "depOnboardingSettings?";

/// A page of so many objects that are nowhere else, and no next link.
fn page_of(count: usize) -> FaultKind {
    let rows: Vec<String> =
        (0..count).map(|number| format!(r#"{{"id":"00000000-0000-4000-8000-{number:012}"}}"#)).collect();
    let body = format!(r##"{{"@odata.context":"$metadata#x","value":[{}]}}"##, rows.join(","));
    FaultKind::Raw { status: 200, content_type: "application/json".to_owned(), body }
}

async fn world(objects: u64) -> World {
    World::new(TestDatabase::sqlite().await, objects).await
}

impl World {
    fn faults(&self, faults: Vec<Fault>) {
        self.simulator.control().set_faults(faults);
        self.simulator.control().reset_counts();
    }

    async fn run_of(&self, id: tenantatlas_domain::ids::OperationRunId) -> OperationRun {
        self.ended(id).await;
        operation_runs::get(&self.database.db, self.tenant, id).await.unwrap().unwrap()
    }

    async fn logs_read(&self) -> OperationRun {
        let dispatched = self.engine.read_audit_events(&Actor::command_line(), self.tenant).await.unwrap();
        self.run_of(dispatched.state.id).await
    }

    async fn catalogue_read(&self) -> OperationRun {
        let dispatched = self.engine.refresh_setting_catalog(&Actor::command_line(), self.tenant).await.unwrap();
        self.run_of(dispatched.state.id).await
    }
}

fn why(run: &OperationRun, unit: &str) -> Option<ReasonCode> {
    let of_unit = run.failures.iter().find(|failure| failure.item_id.as_deref() == Some(unit));
    of_unit.map(|failure| failure.reason_code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_as_many_parents_as_were_asked_for_are_never_taken_for_all_of_them() {
    let world = world(2_000).await;
    let selection = World::some(&[PROFILE]);
    world.sync(&selection).await;
    world.faults(vec![Fault::always("depOnboardingSettings?$top=100", page_of(100))]);
    let synced = world.sync(&selection).await;
    let one = &synced.types[PROFILE];
    assert_eq!((one.outcome, one.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::PageLimit)));
    let captured = world.capture_all().await;
    let one = &captured.types[PROFILE];
    assert_eq!((one.outcome, one.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::PageLimit)));
    assert_eq!(one.gone, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_cut_at_its_page_never_counts_as_read() {
    let world = world(200).await;
    world.faults(vec![Fault::always("$top=1000", page_of(1_000))]);
    let run = world.logs_read().await;
    assert_eq!(run.counters.succeeded, 0, "{:?}", run.failures);
    assert!(run.failures.iter().any(|failure| failure.reason_code == ReasonCode::PageLimit), "{:?}", run.failures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_bring_nothing_new_end_soon_whoever_reads_them() {
    let world = world(2_000).await;
    world.sync(&World::some(&[PROFILE])).await;
    for path in ["auditEvents", "directoryAudits"] {
        world.simulator.control().evolve(&world.simulated.tenant_id, 1);
        world.faults(vec![Fault::always(path, FaultKind::EndlessPages)]);
        let run = world.logs_read().await;
        assert!(
            run.failures.iter().any(|one| one.reason_code == ReasonCode::NextlinkLoop),
            "{path}: {:?}",
            run.failures
        );
    }
    world.faults(vec![Fault::always("configurationSettings", FaultKind::EndlessPages)]);
    assert_eq!(why(&world.catalogue_read().await, "configurationSettings"), Some(ReasonCode::NextlinkLoop));
    world.faults(vec![Fault::always("categories?$expand=settingDefinitions", FaultKind::EndlessPages)]);
    assert_eq!(why(&world.catalogue_read().await, "templates"), Some(ReasonCode::NextlinkLoop));
    world.faults(vec![Fault::always(TOKENS, FaultKind::EndlessPages)]);
    let captured = world.capture_all().await;
    assert_eq!(captured.types[PROFILE].reason_code, Some(ReasonCode::NextlinkLoop), "{:?}", captured.troubles());
}

on_both_engines! {
    async fn one_parent_below_which_nothing_can_be_listed_costs_the_objects_of_no_other(test: TestDatabase) {
        let world = World::new(test, 2_000).await;
        let synced = world.sync(&World::some(&[PROFILE])).await;
        let all = synced.types[PROFILE].items;
        let token = world.expected()["appleEnrollmentToken"].first().unwrap().clone();
        world.faults(vec![Fault::always(&format!("{token}/enrollmentProfiles"), FaultKind::ServerError)]);
        let captured = world.capture_all().await;
        let one = &captured.types[PROFILE];
        assert_eq!((one.outcome, one.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::GraphUnavailable)));
        assert_eq!((one.captured, one.failed, one.gone), (all - 2, 2, 0), "{:?}", captured.troubles());
        assert!(all > 2 && captured.operation.status != OperationStatus::Completed);
    }

    async fn an_object_of_which_only_the_list_of_parents_says_nothing_is_never_gone(test: TestDatabase) {
        let world = World::new(test, 2_000).await;
        let synced = world.sync(&World::some(&[PROFILE])).await;
        let all = synced.types[PROFILE].items;
        let token = world.expected()["appleEnrollmentToken"].first().unwrap().clone();
        let left_out = || Fault::always(TOKENS, FaultKind::WithoutObject { id: token.clone() });
        world.faults(vec![left_out().only_within(Within::Requests)]);
        let captured = world.capture_all().await;
        let one = &captured.types[PROFILE];
        assert_eq!((one.captured, one.failed, one.gone), (all, 0, 0), "{:?}", captured.troubles());
        assert_eq!(captured.capture.status, SyncRunStatus::Success);
        // Only what Graph says of the object itself makes it gone.
        let status = |status: u16, code: &str| FaultKind::Status {
            status,
            code: code.to_owned(),
            message: "Not there.".to_owned(),
        };
        let below = format!("{token}/enrollmentProfiles/");
        world.faults(vec![left_out(), Fault::always(&below, status(404, "ResourceNotFound"))]);
        let captured = world.capture(&tenantatlas_engine::CaptureOf::Types(Vec::new()), false).await;
        let one = &captured.types[PROFILE];
        assert_eq!((one.failed, one.gone), (0, 2), "{:?}", captured.troubles());
    }
}
