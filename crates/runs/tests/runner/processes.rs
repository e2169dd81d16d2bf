//! Two processes on one PostgreSQL server, of which one cannot tell the other what changed.

use std::time::Duration;

use tenantatlas_domain::ids::{OperationRunId, UserId};
use tenantatlas_domain::live::LiveEvent;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_runs::{Cancelled, Runner, Subscription};
use tenantatlas_store::operation_runs::Limits;
use tenantatlas_store::testing::TestDatabase;
use uuid::Uuid;

use crate::counting::{Counting, Numbers};
use crate::support::{PATIENCE, World};

/// More messages than wait to be sent.
const MANY: u128 = 1_100;

const LIMITS: Limits = Limits { global: 4, per_tenant: 4 };

/// A process with so many workers, and another one whose `pg_notify` is one that fails until it is [`mend`]ed. Every
/// attempt moves `faults.attempts` on, since sequences are not taken back with a transaction (PostgreSQL, "Sequence
/// Manipulation Functions").
async fn two_processes(workers: usize) -> (World, Runner) {
    let world = World::with_workers(TestDatabase::postgres().await, 0, LIMITS, workers).await;
    for text in [
        "CREATE SCHEMA faults",
        "CREATE TABLE faults.broken (since TIMESTAMPTZ NOT NULL)",
        "CREATE SEQUENCE faults.attempts",
        "CREATE FUNCTION faults.pg_notify(channel TEXT, payload TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
         BEGIN
             PERFORM nextval('faults.attempts');
             IF EXISTS (SELECT FROM faults.broken) THEN
                 RAISE EXCEPTION 'notifications do not work at the moment';
             END IF;
             PERFORM pg_catalog.pg_notify(channel, payload);
         END $$",
        "INSERT INTO faults.broken VALUES (now())",
    ] {
        world.database.execute(text).await;
    }
    let address = format!("{}?options[search_path]=faults,pg_catalog,public", world.database.address);
    let other = world.beside(&address).await;
    let listening = "SELECT COUNT(*) AS value FROM pg_stat_activity \
                     WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    until(&world, listening, 2).await;
    (world, other)
}

/// Waits until a query answers at least this number.
async fn until(world: &World, text: &str, least: i64) {
    let reached = async {
        while world.database.number(text).await < least {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("it comes in time");
}

async fn until_a_message_was_lost(world: &World) {
    let attempts = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS value FROM faults.attempts";
    until(world, attempts, 1).await;
}

async fn mend(world: &World) {
    world.database.execute("DELETE FROM faults.broken").await;
}

async fn fill_the_outbox(other: &Runner) {
    for number in 0..MANY {
        other.publish_unread(UserId::from_uuid(Uuid::from_u128(number))).await;
    }
}

async fn dispatch(world: &World, from: &Runner) -> OperationRunId {
    let dispatched = from.dispatch::<Counting>(&world.olga, world.tenant, &Numbers::to("first", 1), Vec::new()).await;
    dispatched.unwrap().state.id
}

async fn hears_of(reader: &mut Subscription, run: OperationRunId) {
    let is_told = |event: &LiveEvent| matches!(event, LiveEvent::Run(state) if state.id == run);
    let heard = async { while !reader.next().await.iter().any(|published| is_told(&published.event)) {} };
    tokio::time::timeout(PATIENCE, heard).await.expect("the other process is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_processes_could_not_be_told_they_are_told_later() {
    let (world, other) = two_processes(0).await;
    let mut reader = world.runner.subscribe(world.tenant);
    let run = dispatch(&world, &other).await;
    until_a_message_was_lost(&world).await;
    mend(&world).await;
    hears_of(&mut reader, run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_messages_than_can_wait_do_not_hide_a_run_from_other_processes() {
    let (world, other) = two_processes(0).await;
    let mut reader = world.runner.subscribe(world.tenant);
    fill_the_outbox(&other).await;
    let run = dispatch(&world, &other).await;
    until_a_message_was_lost(&world).await;
    mend(&world).await;
    hears_of(&mut reader, run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_messages_than_can_wait_do_not_keep_a_cancelled_run_going() {
    let (world, other) = two_processes(1).await;
    let run = dispatch(&world, &world.runner).await;
    world.until(run, |state| state.status == OperationStatus::Running).await;
    fill_the_outbox(&other).await;
    assert_eq!(other.cancel(&world.olga, world.tenant, run).await.unwrap(), Cancelled::Requested);
    until_a_message_was_lost(&world).await;
    mend(&world).await;
    assert_eq!(world.ended(run).await.status, OperationStatus::Aborted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_database_does_not_answer_for_a_while_goes_on_and_does_not_fail() {
    let world = World::with_workers(TestDatabase::postgres().await, 10, LIMITS, 1).await;
    for text in [
        "CREATE SEQUENCE refusals",
        "CREATE FUNCTION refuse_twice() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.processed_items > OLD.processed_items AND nextval('refusals') <= 2 THEN
                 RAISE EXCEPTION 'the server is restarted' USING ERRCODE = '57P01';
             END IF;
             RETURN NEW;
         END $$",
        "CREATE TRIGGER refuse_twice BEFORE UPDATE ON bulk_operation_runs
             FOR EACH ROW EXECUTE FUNCTION refuse_twice()",
    ] {
        world.database.execute(text).await;
    }
    let run = dispatch(&world, &world.runner).await;
    let ended = world.ended(run).await;
    assert_eq!((ended.status, ended.attempt), (OperationStatus::Completed, 3));
}
