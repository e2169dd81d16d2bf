//! Bytes of answers, bounded over all tenants of a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use serde_json::json;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{
    BatchGet, GraphClient, GraphClientOptions, GraphSession, GraphVersion, HeldBytes, MemoryLimits, PageRequest,
    RequestCounter, value_size,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cloud::{Cloud, ok, quick, text};
use crate::reading::{drain, things};

const KIB: usize = 1024;

/// Memory for two large pages and one more.
const TINY: MemoryLimits =
    MemoryLimits { body: 512 * KIB, pages: 1024 * KIB, workbenches: 512 * KIB, workbench: 2048 * KIB };

fn tiny() -> GraphClientOptions {
    let mut options = GraphClientOptions { memory: TINY, ..quick() };
    options.timeouts = GraphClientOptions::default().timeouts;
    options.concurrency.initial = 16;
    options
}

/// A cloud of collections of three pages of so many bytes each. What lies below is small.
async fn fat(bytes: usize) -> Cloud {
    Cloud::start(move |seen| {
        if seen.target.ends_with("/$batch") {
            let body = seen.json();
            let answers = body["requests"].as_array().unwrap().iter();
            let answers: Vec<_> =
                answers.map(|one| json!({"id": one["id"], "status": 200, "body": {"value": [1]}})).collect();
            return Some(ok(json!({ "responses": answers })));
        }
        let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, "1"));
        let number: usize = query.parse().unwrap();
        let mut page = json!({"value": [{"id": number, "padding": "x".repeat(bytes)}]});
        if number < 3 {
            page["@odata.nextLink"] = format!("http://{}{path}?{}", seen.headers["host"], number + 1).into();
        }
        path.starts_with("/graph/").then(|| ok(page))
    })
    .await
}

fn tenants(cloud: &Cloud, options: GraphClientOptions, count: usize) -> Vec<GraphSession> {
    let client = GraphClient::new(options);
    let session = |number: usize| {
        let mut connection = cloud.connection();
        connection.tenant = format!("tenant{number}.example");
        client.session(connection, RequestCounter::new(), CancellationToken::new())
    };
    (0..count).map(session).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_fat_listings_in_a_tiny_budget_are_all_read_to_their_end_and_below_their_items() {
    let cloud = fat(400 * KIB).await;
    let listings = tenants(&cloud, tiny(), 6).into_iter().flat_map(|session| {
        (0..8).map(move |number| {
            let session = session.clone();
            tokio::spawn(async move {
                let path = format!("things{number}");
                let mut pages = session.pages(PageRequest::new(GraphVersion::Beta, path));
                let mut count = 0;
                while let Some(page) = pages.next().await {
                    let page = page.unwrap();
                    // The page is held while what is below it is read, as a sync does.
                    let workbench = session.on_workbench();
                    workbench.lay_out(page.bytes() / 10).await.unwrap();
                    let gets = (0..30).map(|id| BatchGet { id: id.to_string(), url: format!("below/{id}") });
                    let below = workbench.batch(GraphVersion::Beta, gets.collect()).await.unwrap();
                    assert!(below.iter().all(|answer| answer.result.is_ok()));
                    count += 1;
                }
                count
            })
        })
    });
    let listings: Vec<_> = listings.collect();
    let counts = timeout(Duration::from_secs(60), join_all(listings)).await.expect("nobody waits for ever");
    assert!(counts.into_iter().all(|count| count.unwrap() == 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_are_held_keep_others_waiting_until_they_are_let_go() {
    let cloud = fat(400 * KIB).await;
    let sessions = tenants(&cloud, tiny(), 4);
    let read = Arc::new(AtomicUsize::new(0));
    let (release, _) = tokio::sync::broadcast::channel::<()>(1);
    let readers: Vec<_> = sessions
        .into_iter()
        .map(|session| {
            let (read, mut released) = (Arc::clone(&read), release.subscribe());
            tokio::spawn(async move {
                let request = PageRequest::new(GraphVersion::Beta, "things").query("3");
                let page = session.pages(request).next().await.unwrap().unwrap();
                // What was made of the page is held on, the page itself is gone.
                let held: HeldBytes = page.held().unwrap();
                drop(page);
                read.fetch_add(1, Ordering::SeqCst);
                let _ = released.recv().await;
                drop(held);
            })
        })
        .collect();
    let three = async {
        while read.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), three).await.expect("two fit, and one more may always go on");
    assert_eq!(read.load(Ordering::SeqCst), 3, "the fourth is over the budget");
    release.send(()).unwrap();
    timeout(Duration::from_secs(20), join_all(readers)).await.expect("nobody waits for ever");
    assert_eq!(read.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_cancelled_while_waiting_for_memory_ends_at_once_and_blocks_nobody() {
    let cloud = fat(400 * KIB).await;
    let sessions = tenants(&cloud, tiny(), 5);
    let mut held = Vec::new();
    for session in &sessions[..3] {
        let request = PageRequest::new(GraphVersion::Beta, "things").query("3");
        held.push(session.pages(request).next().await.unwrap().unwrap());
    }
    let cancellation = CancellationToken::new();
    let waiting = sessions[3].with_cancellation(cancellation.clone());
    let waiting = tokio::spawn(async move { drain(waiting.pages(things())).await });
    assert!(timeout(Duration::from_millis(100), sessions[4].get(GraphVersion::Beta, "things")).await.is_err());
    assert!(!waiting.is_finished());
    cancellation.cancel();
    let (pages, error) = timeout(Duration::from_secs(1), waiting).await.expect("at once").unwrap();
    assert_eq!((pages.len(), error.unwrap().reason), (0, ReasonCode::Cancelled));
    drop(held);
    let answer = timeout(Duration::from_secs(20), sessions[4].get(GraphVersion::Beta, "things")).await;
    assert!(answer.expect("there is memory").is_ok());
}

#[tokio::test]
async fn a_page_that_is_too_large_names_the_limit_and_is_not_asked_for_again() {
    let cloud = fat(3_000 * KIB).await;
    let memory = MemoryLimits { body: 2_000_000, ..MemoryLimits::default() };
    let (pages, error) = drain(cloud.session_with(GraphClientOptions { memory, ..quick() }).pages(things())).await;
    let error = error.unwrap();
    assert_eq!((pages.len(), error.reason), (0, ReasonCode::ParseFailed));
    assert!(error.message.contains("larger than 2 MB"), "{error}");
    assert_eq!(cloud.reads().len(), 1);
}

#[tokio::test]
async fn what_lies_below_items_is_bounded_for_each_piece_of_work() {
    // Very many very small values: a hundred times as much memory as text.
    let rows = format!(r#"{{"value":[{}0]}}"#, r#"{"a":0},"#.repeat(1_600));
    let taken = value_size(&rows);
    assert!(rows.len() < 16 * KIB && (1024 * KIB..2048 * KIB).contains(&taken), "{} of {taken}", rows.len());
    let cloud = Cloud::start(move |seen| seen.target.starts_with("/graph/").then_some(text(200, rows.clone()))).await;
    let session = tenants(&cloud, tiny(), 1).remove(0);
    let workbench = session.on_workbench();
    // The values of one answer fit into two megabytes, those of a second do not.
    workbench.get(GraphVersion::V1, "first").await.unwrap();
    let error = workbench.get(GraphVersion::V1, "second").await.unwrap_err();
    assert_eq!(error.reason, ReasonCode::ParseFailed);
    assert!(error.message.contains("more than 3 MB"), "{error}");
    assert_eq!(workbench.lay_out(taken).await.unwrap_err().reason, ReasonCode::ParseFailed);
    drop(workbench);
    session.on_workbench().get(GraphVersion::V1, "third").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_needs_no_memory_that_others_hold() {
    let cloud = fat(400 * KIB).await;
    let sessions = tenants(&cloud, tiny(), 4);
    let mut held = Vec::new();
    for session in &sessions[..3] {
        let request = PageRequest::new(GraphVersion::Beta, "things").query("3");
        held.push(session.pages(request).next().await.unwrap().unwrap());
    }
    let signed_in = timeout(Duration::from_secs(20), sessions[3].granted_roles()).await;
    assert!(signed_in.expect("no waiting").is_ok());
}
