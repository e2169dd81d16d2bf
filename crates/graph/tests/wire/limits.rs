use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::json;
use tenantatlas_graph::{Concurrency, GraphClientOptions, GraphSession, GraphVersion, QuotaRule, RequestQuota};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cloud::{Cloud, error, ok, quick, soon};

const QUOTA: RequestQuota = RequestQuota { requests: 100, window: Duration::from_secs(1) };
const LATENCY: Duration = Duration::from_millis(20);

/// A cloud that keeps a quota in a sliding window; refused requests count too.
async fn throttling(quota: RequestQuota) -> Cloud {
    let spent = Arc::new(Mutex::new(VecDeque::new()));
    Cloud::start(move |seen| {
        let mut spent = spent.lock().unwrap();
        while spent.front().is_some_and(|at: &Instant| at.elapsed() >= quota.window) {
            spent.pop_front();
        }
        seen.target.starts_with("/graph/").then(|| {
            spent.push_back(Instant::now());
            if spent.len() <= quota.requests as usize {
                return ok(json!({})).late(LATENCY);
            }
            let wait = quota.window - spent[spent.len() - quota.requests as usize].elapsed();
            error(429, "TooManyRequests", "").with("Retry-After", format!("{:.3}", wait.as_secs_f64() + 0.001))
        })
    })
    .await
}

async fn read_many(session: &GraphSession, count: usize) -> Duration {
    let begun = Instant::now();
    let reads = (0..count).map(|number| async move { session.get(GraphVersion::V1, &format!("x/{number}")).await });
    let answers: Vec<_> = stream::iter(reads).buffer_unordered(64).collect().await;
    assert!(answers.iter().all(Result::is_ok));
    begun.elapsed()
}

#[tokio::test]
async fn the_quota_is_never_exceeded() {
    let cloud = throttling(QUOTA).await;
    let session = cloud.session_with(GraphClientOptions { quota: QuotaRule::Fixed(QUOTA), ..quick() });
    let took = read_many(&session, 300).await;
    assert_eq!(session.counter().read().throttled, 0);
    // 300 requests at 100 a second: two windows must pass before the last hundred.
    assert!(took >= QUOTA.window * 2, "{took:?}");
}

#[tokio::test]
async fn an_unknown_quota_is_kept_by_doing_what_the_cloud_asks() {
    let cloud = throttling(QUOTA).await;
    let session = cloud.session_with(GraphClientOptions { quota: QuotaRule::Learned, ..quick() });
    read_many(&session, 300).await;
    let refused = session.counter().read().throttled;
    assert!(refused < 150, "{refused} of 300 were refused");
}

#[tokio::test]
async fn a_cloud_that_allows_very_little_is_still_read_to_the_end() {
    let cloud = throttling(RequestQuota { requests: 5, window: Duration::from_millis(250) }).await;
    let mut options = quick();
    options.retry.attempts_when_busy = 8;
    read_many(&cloud.session_with(options), 80).await;
}

#[tokio::test]
async fn latency_is_met_with_more_at_once_up_to_the_limit() {
    let most = Concurrency::default().max as usize;
    let (open, opened) = watch::channel(false);
    let arrived = AtomicUsize::new(0);
    let cloud = Cloud::start(move |seen| {
        seen.target.starts_with("/graph/").then(|| {
            // The first hundred show that nothing complains; the rest get no answer before as many as may be wait.
            let waiting = (arrived.fetch_add(1, Ordering::SeqCst) + 1).saturating_sub(100);
            if waiting >= most {
                open.send_replace(true);
            }
            if waiting == 0 { ok(json!({})) } else { ok(json!({})).when(opened.clone()) }
        })
    })
    .await;
    soon(read_many(&cloud.session(), 200)).await;
    assert_eq!(cloud.reads().len(), 200);
}
