//! A commit that PostgreSQL has done and whose answer does not arrive: whoever asked cannot tell it from one that was not done.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_runs::follow_up;
use tenantatlas_store::audit;
use tenantatlas_store::notifications::RUN_ENDED;
use tenantatlas_store::operation_runs::Limits;
use tenantatlas_store::testing::TestDatabase;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::counting::{Counting, Numbers};
use crate::support::World;

/// The end of a simple query that commits, as a client of PostgreSQL sends it ("Frontend/Backend Protocol", Query).
const COMMIT: &[u8] = b"COMMIT\0";

/// Stands between a process and PostgreSQL. Lets a commit through and closes the connection in place of its answer.
struct Between {
    address: SocketAddr,
    /// Commits that are still answered before the one that is not; below zero all are.
    answered: Arc<AtomicI64>,
}

impl Between {
    async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answered = Arc::new(AtomicI64::new(-1));
        let counter = Arc::clone(&answered);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&counter)));
            }
        });
        Self { address, answered }
    }

    /// Leaves the commit after so many others without an answer.
    fn lose_after(&self, commits: i64) {
        self.answered.store(commits, Ordering::SeqCst);
    }

    /// Whether the commit that was to be lost has come.
    fn has_lost(&self) -> bool {
        self.answered.load(Ordering::SeqCst) < 0
    }
}

/// Passes bytes both ways until one side ends.
async fn pass(mut client: TcpStream, mut server: TcpStream, answered: Arc<AtomicI64>) {
    let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                if server.write_all(&asked[..read]).await.is_err() {
                    return;
                }
                if asked[..read].ends_with(COMMIT) && answered.fetch_sub(1, Ordering::SeqCst) == 0 {
                    // Its answer says that it was done; nobody reads it.
                    let _ = server.read(&mut told).await;
                    return;
                }
            }
            read = server.read(&mut told) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&told[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_counts_nothing_twice_and_loses_no_end() {
    let database = TestDatabase::postgres().await;
    let (rest, name) = database.address.rsplit_once('/').unwrap();
    let (user, server) = rest.rsplit_once('@').unwrap();
    let between = Between::start(server.to_owned()).await;
    let address = format!("{user}@{}/{name}", between.address);
    let limits = Limits { global: 4, per_tenant: 4 };
    let world = World::with_workers(database, tokio::sync::Semaphore::MAX_PERMITS / 2, limits, 0).await;
    let worker = world.worker_by(&address, Duration::from_secs(2)).await;
    // The claim, each of four numbers, the end; and the same of a run of one number that follows.
    for lost in 0..9 {
        between.lose_after(lost);
        let numbers = |key: &str, count| Numbers { one_by_one: true, ..Numbers::to(&format!("{key} {lost}"), count) };
        let follow_ups = vec![follow_up::<Counting>(&numbers("second", 1)).unwrap()];
        let first = numbers("first", 4);
        let first = world.runner.dispatch::<Counting>(&world.olga, world.tenant, &first, follow_ups).await.unwrap();
        let first = world.ended(first.state.id).await;
        let following = world.following(first.id).await;
        let [second] = &following[..] else { panic!("commit {lost}: one run follows, {} do", following.len()) };
        let second = world.ended(second.id).await;
        assert!(between.has_lost(), "commit {lost} was asked for");
        for (run, count) in [(&first, 4), (&second, 1)] {
            assert_eq!(run.status, OperationStatus::Completed, "commit {lost}: {run:?}");
            let counters = (run.counters.total, run.counters.processed, run.counters.succeeded);
            assert_eq!(counters, (count, count, count), "commit {lost}");
            let filter = audit::Filter { resource_id: Some(run.id.to_string()), limit: 10, ..Default::default() };
            let entries = audit::list(&world.database.db, &filter).await.unwrap();
            let ends = entries.iter().filter(|entry| entry.action == "numbers.count.completed").count();
            assert_eq!(ends, 1, "commit {lost}");
        }
    }
    let told = format!("SELECT COUNT(*) AS value FROM notifications WHERE kind = '{RUN_ENDED}'");
    assert_eq!(world.database.number(&told).await, 18);
    drop(worker);
}
