//! Names of settings are read without anybody asking for it, and no more often than there is a reason.

use std::sync::Arc;

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::settings::SettingValue;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, CaptureOf, Engine, SearchRequest};
use tenantatlas_graph_sim::{Fault, FaultKind};
use tenantatlas_store::operation_runs::{self, Filter, OperationRun};
use tenantatlas_store::setting_catalog;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::signing_in::Hands;
use crate::support::{World, graph, idle, quick};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A world whose nodes have one clock, which stands.
struct Watched {
    world: World,
    clock: Hands,
    node: Engine,
}

impl Watched {
    async fn new(test: TestDatabase) -> Self {
        let mut world = World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 200), idle()).await;
        let clock = Hands::at(Timestamp::from_millis(world.engine.now().as_millis() + 60_000));
        let node = Self::node_of(&world, &clock);
        world.engine = node.clone();
        Self { world, clock, node }
    }

    fn node_of(world: &World, clock: &Hands) -> Engine {
        let (db, vault) = (world.database.db.clone(), world.vault.clone());
        Engine::start_with_clock(quick(), db, vault, graph(), Arc::new(clock.clone()))
    }

    /// Lets a node look at what is due, and waits for what it started.
    async fn look(&self) {
        self.node.start_due().await.unwrap();
        for run in self.readings().await {
            self.world.ended(run.id).await;
        }
    }

    /// The readings of names, newest first.
    async fn readings(&self) -> Vec<OperationRun> {
        let filter = Filter { limit: 200, ..Filter::default() };
        let runs = operation_runs::list(&self.world.database.db, &filter).await.unwrap();
        runs.into_iter().filter(|run| run.resource == "setting_catalog").collect()
    }

    async fn capture_all_again(&self) {
        self.clock.forward(60);
        self.world.capture(&CaptureOf::Types(vec!["settingsCatalogPolicy".to_owned()]), false).await;
    }

    fn break_definitions(&self, kind: FaultKind) {
        self.world.simulator.control().set_faults(vec![Fault::always("deviceManagement/configurationSettings", kind)]);
    }
}

/// One definition and no more, as if Microsoft published none of what the policies of a tenant have.
fn one_definition() -> FaultKind {
    FaultKind::Raw {
        status: 200,
        content_type: "application/json".to_owned(),
        body: r#"{"value":[{"id":"of_nobody","displayName":"Of nobody"}]}"#.to_owned(),
    }
}

on_both_engines! {
    async fn a_new_tenant_has_names_after_its_first_capture_without_anybody_asking(test: TestDatabase) {
        let watched = Watched::new(test).await;
        let world = &watched.world;
        watched.look().await;
        world.sync(&World::everything()).await;
        watched.look().await;
        assert!(watched.readings().await.is_empty(), "nothing was captured yet");
        world.capture_all().await;
        // Two nodes look at the same moment.
        let other = Watched::node_of(world, &watched.clock);
        let (one, two) = tokio::join!(watched.node.start_due(), other.start_due());
        one.unwrap();
        two.unwrap();
        watched.look().await;
        let readings = watched.readings().await;
        assert_eq!(readings.len(), 1, "{readings:?}");
        assert_eq!((readings[0].status, readings[0].user_id, readings[0].schedule_id), (OperationStatus::Completed, None, None));
        let request = SearchRequest { query: "type:settingsCatalogPolicy".to_owned(), limit: 50, ..SearchRequest::default() };
        let found = world.engine.search_settings(&Actor::command_line(), &request).await.unwrap();
        let settings = found.policies.iter().flat_map(|policy| &policy.settings);
        let choices: Vec<_> = settings.filter(|one| matches!(one.setting.value, Some(SettingValue::Choice { .. }))).collect();
        assert!(!choices.is_empty() && choices.iter().all(|one| !one.setting.is_unnamed()), "{choices:?}");
        assert!(!setting_catalog::has_unknown(&world.database.db).await.unwrap());
    }

    async fn definitions_that_microsoft_does_not_publish_do_not_make_it_read_again_and_again(test: TestDatabase) {
        let watched = Watched::new(test).await;
        let world = &watched.world;
        world.sync(&World::everything()).await;
        watched.break_definitions(one_definition());
        world.capture_all().await;
        watched.look().await;
        assert_eq!(watched.readings().await[0].status, OperationStatus::Completed);
        let unknown = world.database.number("SELECT COUNT(*) FROM setting_unknown WHERE asked_at IS NOT NULL").await;
        assert!(unknown > 0, "the policies have what was not published");
        for _ in 0..3 {
            watched.clock.forward(2 * DAY);
            world.simulator.control().evolve(&world.simulated.tenant_id, 1);
            world.sync(&World::some(&["settingsCatalogPolicy"])).await;
            world.database.execute("UPDATE setting_documents SET due_at = 0").await;
            watched.look().await;
        }
        assert_eq!(watched.readings().await.len(), 1, "nobody asks for the same once more");
        // What is old is read again, but only once something was captured since.
        watched.clock.forward(3 * DAY);
        watched.look().await;
        assert_eq!(watched.readings().await.len(), 1);
        watched.capture_all_again().await;
        watched.look().await;
        assert_eq!(watched.readings().await.len(), 2);
    }

    async fn a_reading_that_fails_is_tried_again_after_pauses_that_grow(test: TestDatabase) {
        let watched = Watched::new(test).await;
        let world = &watched.world;
        world.sync(&World::everything()).await;
        watched.break_definitions(FaultKind::Forbidden);
        world.capture_all().await;
        for (waited, readings) in [(0, 1), (HOUR - 1, 1), (2, 2), (HOUR, 2), (HOUR + 1, 3), (2 * HOUR, 3), (2 * HOUR + 1, 4)] {
            watched.clock.forward(waited);
            watched.look().await;
            assert_eq!(watched.readings().await.len(), readings, "after {waited} s more");
        }
        world.simulator.control().set_faults(Vec::new());
        watched.clock.forward(8 * HOUR);
        watched.look().await;
        assert_eq!((watched.readings().await.len(), watched.readings().await[0].status), (5, OperationStatus::Completed));
        let due = setting_catalog::reading_due(&world.database.db).await.unwrap();
        assert_eq!((due.attempts, due.completed_at), (0, Some(watched.node.now())));
    }

    async fn a_tenant_whose_connection_failed_is_not_asked_for_names(test: TestDatabase) {
        let watched = Watched::new(test).await;
        let world = &watched.world;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        world.database.execute("UPDATE tenants SET connection_status = 'failed'").await;
        watched.look().await;
        assert!(watched.readings().await.is_empty());
        world.database.execute("UPDATE tenants SET connection_status = 'degraded'").await;
        watched.look().await;
        assert_eq!(watched.readings().await.len(), 1);
    }
}

const LISTED: &str = "deviceManagement/configurationSettings";

async fn read_once(world: &World) -> OperationRun {
    let run = world.engine.refresh_setting_catalog(&Actor::command_line(), world.tenant).await.unwrap().state.id;
    world.ended(run).await;
    operation_runs::get(&world.database.db, world.tenant, run).await.unwrap().unwrap()
}

on_both_engines! {
    async fn a_category_that_no_list_holds_is_read_singly_and_one_that_is_gone_fails_nothing(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let singly = "deviceManagement/configurationCategories/";
        world.simulator.control().set_faults(vec![Fault::always(singly, FaultKind::Unavailable)]);
        assert_eq!(read_once(&world).await.status, OperationStatus::Completed);
        let known = "SELECT COUNT(*) FROM setting_categories WHERE name = 'LAPS'";
        assert_eq!(world.database.number(known).await, 0);
        world.simulator.control().set_faults(Vec::new());
        world.simulator.control().reset_counts();
        assert_eq!(read_once(&world).await.status, OperationStatus::Completed);
        assert_eq!(world.database.number(known).await, 1);
        let log = world.simulator.control().log();
        assert_eq!(log.iter().filter(|request| request.path.contains(singly)).count(), 1, "one request for each");
        let named = "SELECT COUNT(*) FROM setting_definitions d JOIN setting_categories c ON c.id = d.category_id WHERE c.name = 'LAPS'";
        assert!(world.database.number(named).await > 0);
    }

    async fn a_list_that_breaks_off_is_begun_again_once_and_counts_what_came_once(test: TestDatabase) {
        let world = World::new(test, 20).await;
        assert_eq!(read_once(&world).await.status, OperationStatus::Completed);
        let whole = setting_catalog::last_reading(&world.database.db, "configurationSettings").await.unwrap().unwrap();
        // Its third page fails for as long as the client tries.
        world.simulator.control().set_faults(vec![Fault::times(LISTED, 4, FaultKind::Unavailable).after(2)]);
        assert_eq!(read_once(&world).await.status, OperationStatus::Completed);
        let again = setting_catalog::last_reading(&world.database.db, "configurationSettings").await.unwrap().unwrap();
        assert_eq!(again.entries, whole.entries);
        world.simulator.control().set_faults(vec![Fault::always(LISTED, FaultKind::Unavailable).after(2)]);
        world.simulator.control().reset_counts();
        assert_eq!(read_once(&world).await.status, OperationStatus::CompletedWithErrors);
        let log = world.simulator.control().log();
        let asked = log.iter().filter(|request| request.path.contains(LISTED)).count();
        assert!((4..20).contains(&asked), "{asked} requests for a list that stays broken");
    }
}
