//! Who is told of new findings: whoever asked for the comparison, or, where nobody did, those who work in the tenant.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantatlas_domain::ids::{OperationRunId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Engine, NewToken, ScheduleOptions, ScheduleSpec};
use tenantatlas_graph_sim::SimTenant;
use tenantatlas_store::api_tokens::ApiTokenOwner;
use tenantatlas_store::notifications::{self, RUN_ENDED};
use tenantatlas_store::operation_runs::{self, Filter};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::drift::Reading::Whole;
use crate::signing_in::{Hands, PASSWORD, secret};
use crate::support::{World, graph, idle, quick};

const KEY: &str = "deviceConfiguration";

fn policy(id: &str, x: u32) -> Value {
    json!({"@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "id": id, "displayName": format!("Policy {id}"), "x": x})
}

struct Compared {
    world: World,
    clock: Hands,
    node: Engine,
    x: u32,
}

impl Compared {
    async fn new(test: TestDatabase) -> Self {
        let world = World::with(test, SimTenant::new("Contoso", 7, 5), idle()).await;
        let clock = Hands::at(Timestamp::from_millis(world.engine.now().as_millis() + 1_000));
        let (db, vault) = (world.database.db.clone(), world.vault.clone());
        let node = Engine::start_with_clock(quick(), db, vault, graph(), Arc::new(clock.clone()));
        let this = Self { world, clock, node, x: 0 };
        this.world.reads(&[(KEY, Whole((0..5).map(|at| policy(&at.to_string(), 0)).collect()))]).await;
        this
    }

    /// Five policies are read anew with another content, or with the same.
    async fn reads(&mut self, changed: bool) {
        self.x += u32::from(changed);
        self.world.reads(&[(KEY, Whole((0..5).map(|at| policy(&at.to_string(), self.x)).collect()))]).await;
    }

    async fn person(&self, role: Role) -> (Actor, UserId) {
        let root = Actor::command_line();
        let email = format!("{role}@example.com");
        let id = self.node.create_user(&root, &email, "Ada", false, secret(PASSWORD)).await.unwrap();
        self.node.set_member(&root, self.world.tenant, id, role).await.unwrap();
        (Actor::person(id, "Ada", email), id)
    }

    /// What somebody was told of ended runs, newest first.
    async fn told(&self, user: UserId) -> Vec<Value> {
        let filter = notifications::Filter { limit: 50, ..Default::default() };
        let found = notifications::list(&self.world.database.db, user, &filter).await.unwrap();
        found.into_iter().filter(|one| one.kind == RUN_ENDED).map(|one| one.payload).collect()
    }

    async fn compare(&self, actor: &Actor) {
        let run = self.node.dispatch_drift(actor, self.world.tenant, None, None).await.unwrap().state.id;
        self.world.ended(run).await;
    }

    /// Lets the next time of the schedule come, and waits for the comparison.
    async fn next_time(&self) {
        self.clock.forward(31 * 60);
        assert_eq!(self.node.start_due().await.unwrap(), 1);
        let filter = Filter { by_schedule: Some(true), limit: 1, ..Filter::default() };
        let run: OperationRunId = operation_runs::list(&self.world.database.db, &filter).await.unwrap()[0].id;
        self.world.ended(run).await;
    }
}

on_both_engines! {
    async fn new_findings_that_nobody_asked_for_are_told_to_those_who_work_in_the_tenant_and_nothing_else_is(test: TestDatabase) {
        let mut compared = Compared::new(test).await;
        let ((_, reader), (_, operator), (_, owner)) = (
            compared.person(Role::Readonly).await,
            compared.person(Role::Operator).await,
            compared.person(Role::Owner).await,
        );
        let spec = ScheduleSpec {
            name: "Half-hourly".to_owned(),
            operation: "drift.generate".to_owned(),
            options: ScheduleOptions::default(),
            cron: "*/30 * * * *".to_owned(),
            zone: "UTC".to_owned(),
        };
        compared.node.add_schedule(&Actor::command_line(), compared.world.tenant, &spec).await.unwrap();
        compared.reads(false).await;
        compared.next_time().await;
        assert!(compared.told(operator).await.is_empty(), "nothing new, nothing told");
        compared.reads(true).await;
        compared.next_time().await;
        for user in [operator, owner] {
            let told = compared.told(user).await;
            assert_eq!((told.len(), &told[0]["facts"]["found"]), (1, &json!(5)), "{told:?}");
            assert_eq!(told[0]["facts"]["top"], json!(["Policy 0", "Policy 1", "Policy 2"]));
        }
        assert!(compared.told(reader).await.is_empty());
        compared.next_time().await;
        assert_eq!(compared.told(operator).await.len(), 1, "what goes on is told once");
    }

    async fn who_asked_for_a_comparison_is_told_once_and_nobody_else(test: TestDatabase) {
        let mut compared = Compared::new(test).await;
        let ((asks, operator), (_, owner)) = (compared.person(Role::Operator).await, compared.person(Role::Owner).await);
        compared.reads(true).await;
        compared.compare(&Actor::command_line()).await;
        assert_eq!((compared.told(operator).await.len(), compared.told(owner).await.len()), (0, 0), "the shell tells itself");
        compared.compare(&asks).await;
        assert_eq!((compared.told(operator).await.len(), compared.told(owner).await.len()), (1, 0));
    }

    async fn new_findings_of_a_program_are_told_to_people(test: TestDatabase) {
        let mut compared = Compared::new(test).await;
        let (_, operator) = compared.person(Role::Operator).await;
        let new = NewToken {
            name: "Nightly".to_owned(),
            role: Role::Operator,
            owner: ApiTokenOwner::Tenant(compared.world.tenant),
            expires_at: Timestamp::from_millis(compared.node.now().as_millis() + 3_600_000),
        };
        let (_, secret) = compared.node.create_token(&Actor::command_line(), &new).await.unwrap();
        let program = compared.node.authenticate_token(&secret).await.unwrap().unwrap().actor();
        compared.reads(true).await;
        compared.compare(&program).await;
        let told = compared.told(operator).await;
        assert_eq!((told.len(), &told[0]["facts"]["found"]), (1, &json!(5)), "{told:?}");
    }
}
