use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{BatchGet, GraphVersion};
use tokio::time::Instant;

use crate::cloud::{Cloud, Seen, error, jwt, ok};

fn gets(count: usize) -> Vec<BatchGet> {
    (0..count).map(|number| BatchGet { id: format!("id-{number}"), url: format!("/things/{number}") }).collect()
}

/// Answers a batch item by item, last first, as Graph may.
fn batch(seen: &Seen, item: impl Fn(&str) -> Value) -> Value {
    let body = seen.json();
    let answers = body["requests"].as_array().unwrap().iter().rev().map(|request| {
        assert_eq!(request["method"], "GET");
        let mut answer = item(request["url"].as_str().unwrap());
        answer["id"] = request["id"].clone();
        answer
    });
    json!({"responses": answers.collect::<Vec<_>>()})
}

fn good(url: &str) -> Value {
    json!({"status": 200, "headers": {}, "body": {"url": url}})
}

fn batch_sizes(cloud: &Cloud) -> Vec<usize> {
    cloud.reads().iter().map(|seen| seen.json()["requests"].as_array().unwrap().len()).collect()
}

#[tokio::test]
async fn answers_come_in_the_order_asked_whatever_order_they_arrive_in() {
    let cloud = Cloud::start(|seen| (seen.target == "/graph/beta/$batch").then(|| ok(batch(seen, good)))).await;
    let session = cloud.session();
    let answers = session.batch(GraphVersion::Beta, gets(45)).await.unwrap();
    assert_eq!(answers.len(), 45);
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.id, format!("id-{number}"));
        assert_eq!(answer.result.as_ref().unwrap()["url"], format!("/things/{number}"));
    }
    let mut sizes = batch_sizes(&cloud);
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 20, 20]);
    let reading = session.counter().read();
    assert_eq!((reading.requests, reading.quota), (3, 45));
    assert!(session.batch(GraphVersion::Beta, Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn each_item_is_judged_by_its_own_status() {
    let cloud = Cloud::start(|seen| {
        let item = |url: &str| match url {
            "/things/1" => json!({"status": 404, "body": {"error": {"code": "ResourceNotFound", "message": "gone"}}}),
            "/things/2" => json!({"status": 403, "body": {"error": {"code": "Forbidden", "message": "Application must have one of the following scopes: A"}}}),
            "/things/3" => json!({"status": 424, "body": {"error": {"code": "FailedDependency", "message": ""}}}),
            url => good(url),
        };
        seen.target.ends_with("/$batch").then(|| ok(batch(seen, item)))
    })
    .await;
    let answers = cloud.session().batch(GraphVersion::V1, gets(5)).await.unwrap();
    let reasons: Vec<_> = answers.iter().map(|answer| answer.result.as_ref().err().map(|error| error.reason)).collect();
    assert_eq!(
        reasons,
        [
            None,
            Some(ReasonCode::NotFoundInCloud),
            Some(ReasonCode::PermissionMissing),
            Some(ReasonCode::GraphUnavailable),
            None
        ]
    );
    assert_eq!(answers[1].result.as_ref().unwrap_err().url_path, "/graph/v1.0/things/1");
    assert_eq!(batch_sizes(&cloud), [5, 1, 1], "only what may pass is asked again");
}

#[tokio::test]
async fn throttled_items_are_asked_again_alone_and_when_they_may() {
    let cloud = Cloud::start(|seen| {
        let first = seen.earlier == 0;
        let item = |url: &str| match url {
            "/things/1" | "/things/3" if first => {
                json!({"status": 429, "headers": {"retry-after": "0.5"}, "body": {"error": {"code": "TooManyRequests"}}})
            }
            url => good(url),
        };
        seen.target.ends_with("/$batch").then(|| ok(batch(seen, item)))
    })
    .await;
    let session = cloud.session();
    let begun = Instant::now();
    let answers = session.batch(GraphVersion::V1, gets(5)).await.unwrap();
    assert!(answers.iter().all(|answer| answer.result.is_ok()));
    assert!(begun.elapsed() >= Duration::from_millis(500));
    assert_eq!(batch_sizes(&cloud), [5, 2]);
    let reading = session.counter().read();
    assert_eq!((reading.throttled, reading.retries, reading.quota), (2, 2, 7));
}

#[tokio::test]
async fn an_item_that_is_throttled_for_ever_is_an_error_and_never_an_empty_answer() {
    let cloud = Cloud::start(|seen| {
        let item = |url: &str| if url == "/things/1" { json!({"status": 429, "body": {}}) } else { good(url) };
        seen.target.ends_with("/$batch").then(|| ok(batch(seen, item)))
    })
    .await;
    let answers = cloud.session().batch(GraphVersion::V1, gets(3)).await.unwrap();
    assert!(answers[0].result.is_ok() && answers[2].result.is_ok());
    assert_eq!(answers[1].result.as_ref().unwrap_err().reason, ReasonCode::GraphThrottled);
    assert_eq!(batch_sizes(&cloud), [3, 1, 1, 1]);
}

#[tokio::test]
async fn an_item_that_says_success_and_has_no_content_is_asked_again_and_never_empty() {
    let error = json!({"error": {"code": "InternalServerError", "message": ""}});
    for half in [
        json!({"status": 200}),
        json!({"status": 200, "body": null}),
        json!({"status": 204, "body": {}}),
        json!({"status": 200, "body": error}),
        json!({"status": 206, "body": {"value": []}}),
    ] {
        for always in [false, true] {
            let half = half.clone();
            let cloud = Cloud::start(move |seen| {
                let is_half = always || seen.earlier == 0;
                let item = |url: &str| if is_half && url == "/things/1" { half.clone() } else { good(url) };
                seen.target.ends_with("/$batch").then(|| ok(batch(seen, item)))
            })
            .await;
            let answers = cloud.session().batch(GraphVersion::V1, gets(3)).await.unwrap();
            let reason = answers[1].result.as_ref().err().map(|error| error.reason);
            assert_eq!(reason, always.then_some(ReasonCode::ContractInvalid));
            assert!(answers[0].result.is_ok() && answers[2].result.is_ok());
            assert_eq!(batch_sizes(&cloud)[..2], [3, 1]);
        }
    }
}

#[tokio::test]
async fn two_answers_to_one_item_are_none() {
    let cloud = Cloud::start(|seen| {
        seen.target.ends_with("/$batch").then(|| {
            let mut answer = batch(seen, good);
            if seen.earlier == 0 {
                let twice = json!({"id": "1", "status": 200, "body": {"value": []}});
                answer["responses"].as_array_mut().unwrap().push(twice);
            }
            ok(answer)
        })
    })
    .await;
    let answers = cloud.session().batch(GraphVersion::V1, gets(3)).await.unwrap();
    assert_eq!(answers[1].result.as_ref().unwrap()["url"], "/things/1");
    assert_eq!(batch_sizes(&cloud), [3, 1]);
}

#[tokio::test]
async fn an_item_that_was_forgotten_is_asked_again() {
    let cloud = Cloud::start(|seen| {
        seen.target.ends_with("/$batch").then(|| {
            let mut answer = batch(seen, good);
            if seen.earlier == 0 {
                answer["responses"].as_array_mut().unwrap().remove(0);
            }
            ok(answer)
        })
    })
    .await;
    let answers = cloud.session().batch(GraphVersion::V1, gets(3)).await.unwrap();
    assert!(answers.iter().all(|answer| answer.result.is_ok()));
    assert_eq!(batch_sizes(&cloud), [3, 1]);
}

#[tokio::test]
async fn an_item_whose_token_was_refused_is_asked_with_another() {
    let first = format!("Bearer {}", jwt(&["DeviceManagementConfiguration.Read.All"], 1));
    let cloud = Cloud::start(move |seen| {
        let old = seen.headers.get("authorization") == Some(&first);
        let item = |url: &str| if old && url == "/things/0" { json!({"status": 401, "body": {}}) } else { good(url) };
        seen.target.ends_with("/$batch").then(|| ok(batch(seen, item)))
    })
    .await;
    let answers = cloud.session().batch(GraphVersion::V1, gets(2)).await.unwrap();
    assert!(answers.iter().all(|answer| answer.result.is_ok()));
    assert_eq!((cloud.token_requests(), batch_sizes(&cloud)), (2, vec![2, 1]));
}

#[tokio::test]
async fn where_batches_are_refused_the_items_are_read_singly_from_then_on() {
    for status in [400, 404, 405, 501] {
        let cloud = Cloud::start(move |seen| match &*seen.target {
            "/graph/v1.0/$batch" => Some(error(status, "x", "no batches here")),
            "/graph/v1.0/things/1" => None,
            target => target.starts_with("/graph/").then(|| ok(json!({"target": target}))),
        })
        .await;
        let session = cloud.session();
        for _ in 0..2 {
            let answers = session.batch(GraphVersion::V1, gets(3)).await.unwrap();
            assert_eq!(answers[2].result.as_ref().unwrap()["target"], "/graph/v1.0/things/2");
            assert_eq!(answers[1].result.as_ref().unwrap_err().reason, ReasonCode::NotFoundInCloud);
        }
        let batches = cloud.reads().iter().filter(|seen| seen.target.ends_with("$batch")).count();
        assert_eq!((batches, cloud.reads().len()), (1, 7));
    }
}

#[tokio::test]
async fn a_failing_batch_fails_each_of_its_items() {
    let cloud = Cloud::start(|seen| seen.target.ends_with("/$batch").then(|| error(503, "x", "down"))).await;
    let answers = cloud.session().batch(GraphVersion::V1, gets(2)).await.unwrap();
    let reasons: Vec<_> = answers.iter().map(|answer| answer.result.as_ref().unwrap_err().reason).collect();
    assert_eq!(reasons, [ReasonCode::GraphUnavailable; 2]);
}

#[tokio::test]
async fn a_collection_within_a_batch_is_followed_by_its_link() {
    let cloud = Cloud::start(|seen| {
        let link = format!("http://{}/graph/v1.0/things/0?$skiptoken=2", seen.headers["host"]);
        match &*seen.target {
            "/graph/v1.0/$batch" => {
                let page = json!({"status": 200, "body": {"value": [1], "@odata.nextLink": link}});
                Some(ok(batch(seen, |_| page.clone())))
            }
            "/graph/v1.0/things/0?$skiptoken=2" => Some(ok(json!({"value": [2]}))),
            _ => None,
        }
    })
    .await;
    let session = cloud.session();
    let answers = session.batch(GraphVersion::V1, gets(1)).await.unwrap();
    let link = answers[0].result.as_ref().unwrap()["@odata.nextLink"].as_str().unwrap().to_owned();
    let page = session.follow(&link, 10).next().await.unwrap().unwrap();
    assert_eq!(page.items().collect::<Vec<_>>(), ["2"]);
}
