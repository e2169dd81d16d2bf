//! What is promised of runs, while processes are killed, paused and stopped, connections to the database drop, the database
//! restarts, and the cloud fails: none is lost, doubled or stuck, nobody writes for a lease that is gone, ends stay as they
//! are, the audit log is whole, webhooks are told of every end at least once, and what is read at last is what there is.
//!
//! `make chaos` makes it long. `CHAOS_SEED` and `CHAOS_FAULTS` choose another story and its length; which moment a fault meets is
//! up to the machine, so that a seed tells what is done and not what comes of it.

#![expect(clippy::print_stdout, reason = "what happened is told to whoever makes it long")]

mod checks;
mod fleet;
mod hooks;
mod postgres;
#[path = "../program/mod.rs"]
mod program;
mod random;
mod round;
mod traffic;

use fleet::Role;
use postgres::Postgres;
use round::{Round, Story};
use tenantatlas_store::testing::POSTGRES_URL;

/// Faults of a round on PostgreSQL where nothing is said: as many as the tests have time for.
const FAULTS: u32 = 24;

fn setting(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} is \"{text}\": expected a whole number"))
}

fn story(share: u64) -> Story {
    let faults = setting("CHAOS_FAULTS", u64::from(FAULTS)).div_ceil(share);
    Story { seed: setting("CHAOS_SEED", 1), faults: u32::try_from(faults).expect("not so many faults") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_among_many_processes_on_postgres_loses_doubles_and_sticks_nothing() {
    // A server of its own, since it is restarted; one that was given is for others too.
    let postgres = Postgres::start(POSTGRES_URL).await;
    let roles = [Role::Worker, Role::Worker, Role::Worker, Role::Serve];
    Round::begin(&story(1), &roles, Some(postgres)).await.play().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_around_one_process_on_sqlite_loses_doubles_and_sticks_nothing() {
    Round::begin(&story(4), &[Role::Serve], None).await.play().await;
}
