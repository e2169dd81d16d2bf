use std::time::{Duration, SystemTime};

use serde_json::json;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{
    CloudEndpoints, GraphClient, GraphClientOptions, GraphError, GraphVersion, MemoryLimits, RequestCounter, Timeouts,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cloud::{Cloud, PATIENCE, Reply, error, head_and, impatient, nobody, ok, quick, soon, text};
use crate::reading::{chain, drain, things};

/// A cloud that answers the first requests with a fault and is good from then on.
async fn faulty(times: usize, fault: impl Fn() -> Reply + Send + Sync + 'static) -> Cloud {
    Cloud::start(move |seen| {
        seen.target
            .starts_with("/graph/")
            .then(|| if seen.earlier < times { fault() } else { ok(json!({"value": [1]})) })
    })
    .await
}

async fn read(cloud: &Cloud) -> Result<usize, GraphError> {
    read_with(cloud, quick()).await
}

async fn read_with(cloud: &Cloud, options: GraphClientOptions) -> Result<usize, GraphError> {
    let (pages, error) = drain(cloud.session_with(options).pages(things())).await;
    error.map_or(Ok(pages.len()), Err)
}

#[tokio::test]
async fn a_passing_refusal_is_outlasted() {
    for status in [500, 502, 503, 504, 509, 429, 408] {
        let cloud = faulty(2, move || error(status, "UnknownError", "")).await;
        assert_eq!(read(&cloud).await, Ok(1), "{status}");
        assert_eq!(cloud.reads().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_lasting_refusal_ends_with_its_reason() {
    for (status, requests, expected) in [
        (429, 4, ReasonCode::GraphThrottled),
        (503, 4, ReasonCode::GraphUnavailable),
        (500, 3, ReasonCode::GraphUnavailable),
        (400, 1, ReasonCode::ContractInvalid),
        (404, 1, ReasonCode::NotFoundInCloud),
        (403, 1, ReasonCode::PermissionMissing),
    ] {
        let cloud = faulty(99, move || error(status, "SomeCode", "some words").with("request-id", "r-1")).await;
        let failed = read(&cloud).await.unwrap_err();
        assert_eq!((failed.reason, failed.status), (expected, Some(status)));
        assert_eq!(failed.graph_code.as_deref(), Some("SomeCode"));
        assert_eq!(failed.message, "some words");
        assert_eq!(failed.request_id.as_deref(), Some("r-1"));
        assert_eq!(failed.url_path, "/graph/beta/deviceManagement/things");
        let reads = cloud.reads();
        assert_eq!(reads.len(), requests);
        assert_eq!(failed.client_request_id.unwrap().to_string(), reads[requests - 1].headers["client-request-id"]);
    }
}

#[tokio::test]
async fn a_missing_licence_is_no_missing_permission() {
    let message = json!({"_version": 3, "Message": "Request not applicable to target tenant. - Operation ID (for customer support): 1"});
    let cloud = faulty(99, move || error(400, "BadRequest", &message.to_string())).await;
    let failed = read(&cloud).await.unwrap_err();
    assert_eq!(failed.reason, ReasonCode::LicenseMissing);
    assert_eq!(failed.message, "Request not applicable to target tenant.");
}

#[tokio::test]
async fn a_fraction_of_a_second_is_waited_for() {
    let cloud = faulty(1, || error(429, "TooManyRequests", "").with("Retry-After", "0.4")).await;
    let session = cloud.session();
    let begun = Instant::now();
    session.get(GraphVersion::V1, "things").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(400));
    let reading = session.counter().read();
    assert_eq!((reading.requests, reading.retries, reading.throttled), (2, 1, 1));
}

#[tokio::test]
async fn a_date_is_waited_for() {
    let at = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    let cloud = faulty(1, move || error(503, "x", "").with("Retry-After", at())).await;
    let begun = Instant::now();
    read(&cloud).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_throttled_request_holds_back_its_tenant_and_no_other() {
    let cloud = Cloud::start(|seen| {
        let wait = match seen.target.as_str() {
            "/graph/v1.0/first" if seen.earlier == 0 => Some("0.6"),
            "/graph/v1.0/long" => Some("3600"),
            _ => None,
        };
        let reply = wait.map_or_else(|| ok(json!({})), |wait| error(429, "x", "").with("Retry-After", wait));
        seen.target.starts_with("/graph/").then_some(reply)
    })
    .await;
    let mut options = quick();
    (options.retry.elapsed, options.retry.retry_after_cap) = (Duration::from_secs(7_200), Duration::from_secs(7_200));
    let client = GraphClient::new(options);
    let cancellation = CancellationToken::new();
    let session = client.session(cloud.connection(), RequestCounter::new(), cancellation.clone());
    let mut other = cloud.connection();
    other.tenant = "other.example".into();
    let other = client.session(other, RequestCounter::new(), CancellationToken::new());

    let get = |path: &'static str| {
        let session = session.clone();
        tokio::spawn(async move { session.get(GraphVersion::V1, path).await })
    };
    let refused = |times: u64| {
        let session = session.clone();
        async move {
            while session.counter().read().throttled < times {
                sleep(Duration::from_millis(5)).await;
            }
        }
    };
    let begun = Instant::now();
    let first = get("first");
    soon(refused(1)).await;
    session.get(GraphVersion::V1, "second").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(600), "the other request of the tenant waited too");
    first.await.unwrap().unwrap();

    // Held back for an hour, which the other tenant does not feel.
    let long = get("long");
    soon(refused(2)).await;
    let held_back = get("third");
    soon(other.get(GraphVersion::V1, "free")).await.unwrap();
    assert!(cloud.reads().iter().all(|seen| !seen.target.ends_with("/third")));
    cancellation.cancel();
    for cancelled in [long, held_back] {
        assert_eq!(soon(cancelled).await.unwrap().unwrap_err().reason, ReasonCode::Cancelled);
    }
}

#[tokio::test]
async fn a_wait_beyond_the_budget_is_given_up_at_once() {
    let cloud = faulty(9, || error(429, "x", "").with("Retry-After", "3600")).await;
    let mut options = quick();
    (options.retry.elapsed, options.retry.retry_after_cap) = (PATIENCE * 2, PATIENCE * 4);
    let session = cloud.session_with(options);
    let failed = soon(session.get(GraphVersion::V1, "things")).await.unwrap_err();
    assert_eq!(failed.reason, ReasonCode::GraphThrottled);
    assert!(failed.message.contains("not to be asked again before "), "{failed}");
    assert_eq!(cloud.reads().len(), 1);
}

#[tokio::test]
async fn a_wait_beyond_the_budget_holds_back_nobody_else() {
    let cloud = Cloud::start(|seen| {
        let refused = || error(429, "x", "").with("Retry-After", "86400");
        let batch = || {
            let body = json!({"status": 429, "headers": {"Retry-After": "86400"}, "id": "0", "body": {}});
            ok(json!({"responses": [body]}))
        };
        let reply = match seen.target.as_str() {
            "/graph/v1.0/long" => refused(),
            "/graph/v1.0/$batch" => batch(),
            _ => ok(json!({})),
        };
        seen.target.starts_with("/graph/").then_some(reply)
    })
    .await;
    let mut options = quick();
    (options.retry.elapsed, options.retry.retry_after_cap) = (PATIENCE * 2, PATIENCE * 4);
    let session = cloud.session_with(options);
    let get = tenantatlas_graph::BatchGet { id: "x".to_owned(), url: "things".to_owned() };
    let refused = soon(session.get(GraphVersion::V1, "long")).await.unwrap_err();
    let in_batch = soon(session.batch(GraphVersion::V1, vec![get])).await.unwrap().remove(0).result.unwrap_err();
    assert_eq!((refused.reason, in_batch.reason), (ReasonCode::GraphThrottled, ReasonCode::GraphThrottled));
    assert!(in_batch.message.contains("not to be asked again before "), "{in_batch}");
    soon(session.get(GraphVersion::V1, "other")).await.unwrap();
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_the_answer() {
    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| text(200, b"\xEF\xBB\xBF{\"value\":[{\"id\":\"1\"}]}".to_vec()))
    })
    .await;
    let document = cloud.session().get(GraphVersion::V1, "things").await.unwrap();
    assert_eq!(document.raw(), r#"{"value":[{"id":"1"}]}"#);
}

#[tokio::test]
async fn a_good_status_that_stands_for_less_than_was_asked_is_no_answer() {
    for (status, body) in [(202, "{}"), (204, ""), (206, r#"{"value":[]}"#), (200, ""), (200, "null")] {
        let cloud = faulty(9, move || text(status, body)).await;
        let failed = read(&cloud).await.unwrap_err();
        assert_eq!(failed.reason, ReasonCode::ContractInvalid, "{status} {body}");
        assert!(cloud.reads().len() > 1, "it is asked for again: {status} {body}");
        assert_eq!(read(&faulty(1, move || text(status, body)).await).await, Ok(1), "{status} {body}");
    }
}

#[tokio::test]
async fn a_torn_connection_is_tried_again() {
    let cloud = faulty(2, || Reply::Reset).await;
    assert_eq!(read(&cloud).await, Ok(1));
    let cloud = faulty(9, || Reply::Reset).await;
    assert_eq!(read(&cloud).await.unwrap_err().reason, ReasonCode::GraphUnavailable);
    assert_eq!(cloud.reads().len(), 3);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_tried_again() {
    let cloud = faulty(2, || Reply::Raw(head_and(r#"{"value":[{"#, 500))).await;
    assert_eq!(read(&cloud).await, Ok(1));
    let cloud =
        faulty(2, || Reply::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"val\r\n".into())).await;
    assert_eq!(read(&cloud).await, Ok(1));
    let cloud = faulty(1, || Reply::Raw(b"nonsense".into())).await;
    assert_eq!(read(&cloud).await, Ok(1));
}

#[tokio::test]
async fn truncated_json_is_tried_again_and_then_told() {
    let cloud = faulty(2, || text(200, r#"{"value":[{"id":1},{"#)).await;
    assert_eq!(read(&cloud).await, Ok(1));
    let cloud = faulty(9, || text(200, r#"{"value":[{"id":1},{"#)).await;
    assert_eq!(read(&cloud).await.unwrap_err().reason, ReasonCode::ParseFailed);
    assert_eq!(cloud.reads().len(), 3);
}

#[tokio::test]
async fn a_silent_body_is_a_timeout() {
    let cloud = faulty(1, || Reply::Stall(head_and(r#"{"value":["#, 500))).await;
    assert_eq!(read_with(&cloud, impatient()).await, Ok(1));
    let cloud = faulty(9, || Reply::Stall(Vec::new())).await;
    assert_eq!(read_with(&cloud, impatient()).await.unwrap_err().reason, ReasonCode::GraphTimeout);
}

#[tokio::test]
async fn a_body_that_trickles_for_ever_is_a_timeout() {
    let cloud = faulty(1, || Reply::Trickle(head_and("{\"value\":[1]", 5_000), Duration::from_millis(50))).await;
    let begun = Instant::now();
    assert_eq!(read_with(&cloud, impatient()).await, Ok(1));
    assert!(begun.elapsed() >= impatient().timeouts.total);
}

#[tokio::test]
async fn a_slow_body_that_keeps_coming_is_read() {
    let cloud = Cloud::start(|seen| {
        let whole = r#"{"value":[1]}"#;
        let reply = Reply::Trickle(head_and(whole, whole.len() + 8), Duration::from_millis(900));
        seen.target.starts_with("/graph/").then_some(reply)
    })
    .await;
    let mut options = quick();
    options.timeouts.idle = Duration::from_secs(5);
    let begun = Instant::now();
    assert_eq!(read_with(&cloud, options.clone()).await, Ok(1));
    assert!(begun.elapsed() > options.timeouts.idle, "longer in all than it may be silent");
    assert_eq!(cloud.reads().len(), 1);
}

#[tokio::test]
async fn what_is_no_collection_is_not_tried_again() {
    for body in ["{}", r#"{"value":{}}"#, "[1]"] {
        let cloud = faulty(9, move || text(200, body)).await;
        assert_eq!(read(&cloud).await.unwrap_err().reason, ReasonCode::ContractInvalid);
        assert_eq!(cloud.reads().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let cloud = faulty(9, || text(200, vec![b' '; 300_000])).await;
    let memory = MemoryLimits { body: 100_000, ..MemoryLimits::default() };
    let session = cloud.session_with(GraphClientOptions { memory, ..quick() });
    let failed = session.get(GraphVersion::V1, "things").await.unwrap_err();
    assert_eq!(failed.reason, ReasonCode::ParseFailed);
    assert_eq!(cloud.reads().len(), 1);
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unavailable() {
    let (_socket, address) = nobody();
    let mut connection = Cloud::start(|_| None).await.connection();
    let gone = url::Url::parse(&format!("http://{address}/")).unwrap();
    connection.endpoints = CloudEndpoints::custom(gone.clone(), gone).unwrap();
    let session = GraphClient::new(quick()).session(connection, RequestCounter::new(), CancellationToken::new());
    let failed = session.get(GraphVersion::V1, "things").await.unwrap_err();
    assert_eq!(failed.reason, ReasonCode::GraphUnavailable);
    assert!(failed.message.starts_with("no connection"), "{}", failed.message);
}

#[tokio::test]
async fn an_encrypted_host_that_is_not_there_is_told_too() {
    let mut connection = Cloud::start(|_| None).await.connection();
    let (_socket, address) = nobody();
    let gone = url::Url::parse(&format!("https://{address}/")).unwrap();
    connection.endpoints = CloudEndpoints::custom(gone.clone(), gone).unwrap();
    let session = GraphClient::new(quick()).session(connection, RequestCounter::new(), CancellationToken::new());
    let failed = session.get(GraphVersion::V1, "things").await.unwrap_err();
    // On a machine without any root certificate the connections cannot even be prepared.
    assert!(matches!(failed.reason, ReasonCode::GraphUnavailable | ReasonCode::Internal), "{failed}");
}

#[tokio::test]
async fn a_link_that_comes_back_is_a_loop_after_the_good_pages() {
    for back_to in ["", "?$skiptoken=a%2Fb%3D+c&page=2", "?$skiptoken=a%2Fb%3D+c&page=3"] {
        let cloud = Cloud::start(move |seen| {
            let host = &seen.headers["host"];
            let mut page = chain(&seen.target, host, 3);
            if seen.target.ends_with("page=3") {
                page["@odata.nextLink"] = format!("http://{host}/graph/beta/deviceManagement/things{back_to}").into();
            }
            seen.target.starts_with("/graph/").then(|| ok(page))
        })
        .await;
        let (pages, error) = drain(cloud.session().pages(things())).await;
        assert_eq!((pages.len(), error.unwrap().reason), (3, ReasonCode::NextlinkLoop));
        assert_eq!(cloud.reads().len(), 3);
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_refused_and_never_sees_the_token() {
    let elsewhere = Cloud::start(|_| Some(ok(json!({"value": []})))).await;
    let link = elsewhere.graph("beta/deviceManagement/things");
    let cloud = Cloud::start({
        let link = link.clone();
        move |seen| {
            let page = json!({"value": [1], "@odata.nextLink": link});
            seen.target.starts_with("/graph/").then(|| ok(page))
        }
    })
    .await;
    let (pages, error) = drain(cloud.session().pages(things())).await;
    assert_eq!((pages.len(), error.unwrap().reason), (1, ReasonCode::NextlinkForeignHost));
    let (pages, error) = drain(cloud.session().follow(&link, 5)).await;
    assert_eq!((pages.len(), error.unwrap().reason), (0, ReasonCode::NextlinkForeignHost));
    let mut item = json!({"settings": [], "settings@odata.nextLink": link});
    let error = cloud.session().complete(&mut item).await.unwrap_err();
    assert_eq!(error.reason, ReasonCode::NextlinkForeignHost);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Cloud::start(|_| Some(ok(json!({"value": []})))).await;
    let target = elsewhere.graph("beta/x");
    let cloud = faulty(9, move || text(302, "").with("Location", target.clone())).await;
    assert_eq!(read(&cloud).await.unwrap_err().reason, ReasonCode::ContractInvalid);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn cancelling_ends_every_wait_at_once() {
    let waits: [fn() -> Reply; 3] = [
        || error(429, "x", "").with("Retry-After", "3600"),
        || Reply::Stall(Vec::new()),
        || error(503, "x", "").with("Retry-After", "3600"),
    ];
    for wait in waits {
        let cloud = faulty(99, wait).await;
        let cancellation = CancellationToken::new();
        let mut options = quick();
        let hours = Duration::from_secs(7_200);
        options.timeouts = Timeouts { connect: hours, idle: hours, total: hours };
        (options.retry.elapsed, options.retry.retry_after_cap) = (hours, hours);
        let session = cloud.session_with(options).with_cancellation(cancellation.clone());
        let (reading, paging) = (session.clone(), session.pages(things()));
        let reads = tokio::spawn(async move {
            let one = reading.get(GraphVersion::V1, "one").await.unwrap_err();
            (one, drain(paging).await.1.unwrap(), reading.granted_roles().await.unwrap_err())
        });
        cloud.asked(1).await;
        cancellation.cancel();
        let (one, pages, roles) = soon(reads).await.unwrap();
        assert_eq!([one.reason, pages.reason, roles.reason], [ReasonCode::Cancelled; 3]);
        assert_eq!(cloud.reads().len(), 1, "nothing is asked after the cancelling");
    }
}
