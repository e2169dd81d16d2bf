//! That certificates and tokens come to their end is told, once for each date and number of days before it.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, Engine, ExpiryNotice};
use tenantatlas_graph_sim::SimTenant;
use tenantatlas_store::notifications;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::drift::Reading::Whole;
use crate::signing_in::{Hands, PASSWORD, secret};
use crate::support::{World, graph, idle};

const DAY: i64 = 24 * 3_600;
const TOKENS: &str = "vppToken";

fn token(id: &str, ends: Timestamp) -> Value {
    json!({"id": id, "displayName": format!("Token {id}"), "expirationDateTime": ends.to_rfc3339()})
}

struct Ending {
    world: World,
    clock: Hands,
    node: Engine,
}

impl Ending {
    async fn new(test: TestDatabase) -> Self {
        let world = World::with(test, SimTenant::new("Contoso", 7, 5), idle()).await;
        let clock = Hands::at(world.engine.now());
        let node = Self::node_of(&world, &clock);
        Self { world, clock, node }
    }

    fn node_of(world: &World, clock: &Hands) -> Engine {
        let (db, vault) = (world.database.db.clone(), world.vault.clone());
        Engine::start_with_clock(idle(), db, vault, graph(), Arc::new(clock.clone()))
    }

    fn in_days(&self, days: i64) -> Timestamp {
        Timestamp::from_millis(self.world.engine.now().as_millis() + days * DAY * 1_000)
    }

    async fn person(&self, role: Role) -> UserId {
        let root = Actor::command_line();
        let email = format!("{role}@example.com");
        let id = self.node.create_user(&root, &email, "Ada", false, secret(PASSWORD)).await.unwrap();
        self.node.set_member(&root, self.world.tenant, id, role).await.unwrap();
        id
    }

    /// What somebody was told, newest first.
    async fn told(&self, user: UserId) -> Vec<ExpiryNotice> {
        let filter = notifications::Filter { limit: 50, ..Default::default() };
        let found = notifications::list(&self.world.database.db, user, &filter).await.unwrap();
        found.iter().filter_map(ExpiryNotice::of).collect()
    }
}

on_both_engines! {
    async fn an_end_is_told_at_each_number_of_days_once_and_to_those_who_work_in_the_tenant(test: TestDatabase) {
        let ending = Ending::new(test).await;
        // In the middle of a day, so that it does not matter how exactly it is written down.
        let ends = Timestamp::from_millis(ending.in_days(100).as_millis() + DAY * 500);
        ending.world.reads(&[(TOKENS, Whole(vec![token("a", ends), token("b", ending.in_days(4_000))]))]).await;
        let (reader, operator) = (ending.person(Role::Readonly).await, ending.person(Role::Operator).await);
        let other = Ending::node_of(&ending.world, &ending.clock);
        let mut waited = 0;
        for (day, notices) in [(60, 0), (71, 1), (72, 1), (92, 1), (94, 2), (96, 2), (100, 3), (101, 4), (120, 4)] {
            ending.clock.forward((day - waited) * DAY);
            waited = day;
            let (one, two) = tokio::join!(ending.node.tell_of_ends(), other.tell_of_ends());
            one.unwrap();
            two.unwrap();
            assert_eq!(ending.told(operator).await.len(), notices, "after {day} days");
        }
        let told = ending.told(operator).await;
        assert!(told.iter().all(|one| one.ending.len() == 1 && one.ending[0].name == "Token a" && one.more == 0), "{told:?}");
        assert!(ending.told(reader).await.is_empty());
        // Another date is another end.
        ending.world.reads(&[(TOKENS, Whole(vec![token("a", ending.in_days(125))]))]).await;
        ending.node.tell_of_ends().await.unwrap();
        assert_eq!(ending.told(operator).await.len(), 5);
    }

    async fn what_ended_long_ago_or_is_not_there_any_more_is_no_news(test: TestDatabase) {
        let ending = Ending::new(test).await;
        let (near, long_ago) = (token("near", ending.in_days(3)), token("old", ending.in_days(-400)));
        ending.world.reads(&[(TOKENS, Whole(vec![near.clone(), long_ago]))]).await;
        ending.world.reads(&[(TOKENS, Whole(Vec::new()))]).await;
        let operator = ending.person(Role::Operator).await;
        ending.node.tell_of_ends().await.unwrap();
        assert!(ending.told(operator).await.is_empty());
        ending.world.reads(&[(TOKENS, Whole(vec![near]))]).await;
        ending.node.tell_of_ends().await.unwrap();
        assert_eq!(ending.told(operator).await.len(), 1, "it came back");
    }

    async fn many_ends_at_once_are_one_notification(test: TestDatabase) {
        let ending = Ending::new(test).await;
        let tokens = (0..13).map(|at| token(&format!("{at:02}"), ending.in_days(20 - at))).collect();
        ending.world.reads(&[(TOKENS, Whole(tokens))]).await;
        let operator = ending.person(Role::Owner).await;
        ending.node.tell_of_ends().await.unwrap();
        let told = ending.told(operator).await;
        assert_eq!((told.len(), told[0].ending.len(), told[0].more), (1, 10, 3));
        assert_eq!(told[0].ending[0].name, "Token 12", "the next one first");
    }
}
