use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{GraphError, GraphVersion, Page, PageRequest, PageStream};
use tokio::time::sleep;

use crate::cloud::{Cloud, ok, text};

pub fn things() -> PageRequest {
    PageRequest::new(GraphVersion::Beta, "deviceManagement/things")
}

/// Every page until the end or the first error.
pub async fn drain(mut pages: PageStream) -> (Vec<Page>, Option<GraphError>) {
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => read.push(page),
            Err(error) => {
                assert!(pages.next().await.is_none(), "a stream goes on after its error");
                return (read, Some(error));
            }
        }
    }
    (read, None)
}

/// A collection of so many pages with one item each; `base` is the address before `/graph/`.
pub fn chain(target: &str, host: &str, pages: usize) -> Value {
    let number: usize = target.split("page=").nth(1).map_or(1, |number| number.parse().unwrap());
    let mut page = json!({"value": [{"id": number}]});
    if number < pages {
        let link =
            format!("http://{host}/graph/beta/deviceManagement/things?$skiptoken=a%2Fb%3D+c&page={}", number + 1);
        page["@odata.nextLink"] = link.into();
    }
    page
}

#[tokio::test]
async fn every_page_is_read_by_its_link_as_it_was_given() {
    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| ok(chain(&seen.target, &seen.headers["host"], 3)))
    })
    .await;
    let session = cloud.session();
    let (pages, error) = drain(session.pages(things().query("$top=1&$expand=assignments"))).await;
    assert_eq!(error, None);
    assert_eq!(pages.iter().map(Page::number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(pages[2].items().collect::<Vec<_>>(), [r#"{"id":3}"#]);
    let targets: Vec<_> = cloud.reads().into_iter().map(|seen| seen.target).collect();
    assert_eq!(
        targets,
        [
            "/graph/beta/deviceManagement/things?$top=1&$expand=assignments",
            "/graph/beta/deviceManagement/things?$skiptoken=a%2Fb%3D+c&page=2",
            "/graph/beta/deviceManagement/things?$skiptoken=a%2Fb%3D+c&page=3",
        ]
    );
    let reading = session.counter().read();
    assert_eq!((reading.requests, reading.retries, reading.throttled), (3, 0, 0));
    assert_eq!(reading.bytes as usize, pages.iter().map(Page::bytes).sum::<usize>());
}

#[tokio::test]
async fn an_empty_page_with_a_link_is_not_the_end() {
    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| {
            let mut page = chain(&seen.target, &seen.headers["host"], 4);
            if !seen.target.ends_with("page=4") {
                page["value"] = json!([]);
            }
            ok(page)
        })
    })
    .await;
    let (pages, error) = drain(cloud.session().pages(things())).await;
    assert_eq!(error, None);
    assert_eq!(pages.iter().map(Page::len).collect::<Vec<_>>(), [0, 0, 0, 1]);
}

#[tokio::test]
async fn the_next_page_is_fetched_while_the_caller_works_and_only_that_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let cloud = Cloud::start(move |seen| {
        seen.target.starts_with("/graph/").then(|| {
            counter.fetch_add(1, Ordering::SeqCst);
            ok(chain(&seen.target, &seen.headers["host"], 5))
        })
    })
    .await;
    let mut pages = cloud.session().pages(things());
    // What must not happen has no signal. A pause can miss it on a busy machine, and never fails without a reason.
    let a_while = || sleep(Duration::from_millis(100));
    a_while().await;
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is asked before the stream is polled");
    for page in 1..=2 {
        pages.next().await.unwrap().unwrap();
        cloud.asked(page + 1).await;
        a_while().await;
        assert_eq!(asked.load(Ordering::SeqCst), page + 1);
    }
    drop(pages);
    a_while().await;
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn more_pages_than_allowed_are_an_error_after_the_allowed_ones() {
    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| ok(chain(&seen.target, &seen.headers["host"], 9)))
    })
    .await;
    let (pages, error) = drain(cloud.session().pages(things().max_pages(3))).await;
    assert_eq!((pages.len(), error.unwrap().reason), (3, ReasonCode::PageLimit));
    assert_eq!(cloud.reads().len(), 3);
    let (pages, error) = drain(cloud.session().pages(things().max_pages(9))).await;
    assert_eq!((pages.len(), error), (9, None));
}

#[tokio::test]
async fn a_consistency_level_goes_with_every_page() {
    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| ok(chain(&seen.target, &seen.headers["host"], 3)))
    })
    .await;
    drain(cloud.session().pages(PageRequest { eventual: true, ..things() })).await;
    let levels: Vec<_> = cloud.reads().iter().map(|seen| seen.headers["consistencylevel"].clone()).collect();
    assert_eq!(levels, ["eventual"; 3]);
}

#[tokio::test]
async fn each_request_says_who_asks_and_has_an_id_of_its_own() {
    let cloud = Cloud::start(|seen| {
        let page = seen.target.starts_with("/graph/").then(|| ok(chain(&seen.target, &seen.headers["host"], 2)));
        page.map(|page| page.with("request-id", "from-graph"))
    })
    .await;
    let (pages, _) = drain(cloud.session().pages(things())).await;
    assert_eq!(pages[0].request_id(), Some("from-graph"));
    let reads = cloud.reads();
    assert!(reads[0].headers["user-agent"].starts_with("TenantAtlas/"));
    assert!(reads[0].headers["accept-encoding"].contains("gzip"));
    assert_ne!(reads[0].headers["client-request-id"], reads[1].headers["client-request-id"]);
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked() {
    // {"value":[{"id":1}]}
    const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x4b\xcc\x29\x4d\x55\xb2\x8a\xae\x56\xca\x4c\x51\xb2\x32\xac\x8d\xad\x05\x00\x56\x77\x7e\xc0\x14\x00\x00\x00";
    let cloud = Cloud::start(|seen| {
        seen.target.starts_with("/graph/").then(|| text(200, PACKED).with("Content-Encoding", "gzip"))
    })
    .await;
    let (pages, error) = drain(cloud.session().pages(things())).await;
    assert_eq!(error, None);
    assert_eq!(pages[0].body(), r#"{"value":[{"id":1}]}"#);
}

#[tokio::test]
async fn a_property_delivered_in_part_is_completed() {
    let cloud = Cloud::start(|seen| {
        let rest = format!("http://{}/graph/beta/policies/1/settings?$skip=2", seen.headers["host"]);
        match &*seen.target {
            "/graph/beta/policies/1" => Some(ok(json!({"settings": [1, 2], "settings@odata.nextLink": rest}))),
            "/graph/beta/policies/1/settings?$skip=2" => {
                Some(ok(json!({"value": [3], "@odata.nextLink": rest + "&x"})))
            }
            "/graph/beta/policies/1/settings?$skip=2&x" => Some(ok(json!({"value": [4]}))),
            _ => None,
        }
    })
    .await;
    let session = cloud.session();
    let mut item = session.get(GraphVersion::Beta, "policies/1").await.unwrap().json().unwrap();
    assert_eq!(session.complete(&mut item).await.unwrap(), 2);
    assert_eq!(item, json!({"settings": [1, 2, 3, 4]}));
}

#[tokio::test]
async fn the_rest_of_a_property_that_repeats_itself_under_new_links_has_an_end() {
    let cloud = Cloud::start(|seen| {
        let next = format!("http://{}/graph/beta/policies/1/settings?{}", seen.headers["host"], seen.earlier);
        let again = || ok(json!({"value": [{"id": "a"}], "@odata.nextLink": next}));
        seen.target.starts_with("/graph/beta/policies/1/settings").then(again)
    })
    .await;
    let session = cloud.session();
    let link = cloud.graph("beta/policies/1/settings");
    let mut item = json!({"settings": [], "settings@odata.nextLink": link});
    let error = session.complete(&mut item).await.unwrap_err();
    assert_eq!((error.reason, cloud.reads().len() <= 3), (ReasonCode::NextlinkLoop, true));
}

#[tokio::test]
async fn a_post_that_reads_sends_its_body() {
    let cloud = Cloud::start(|seen| {
        let answer = || ok(json!({"value": [seen.json()["ids"][0]]}));
        (seen.method == "POST" && seen.target == "/graph/v1.0/directoryObjects/getByIds").then(answer)
    })
    .await;
    let body = json!({"ids": ["a"]});
    let answer = cloud.session().post_read(GraphVersion::V1, "/directoryObjects/getByIds", &body).await.unwrap();
    assert_eq!(answer.json().unwrap(), json!({"value": ["a"]}));
}

#[tokio::test]
async fn the_tenant_is_asked_for_its_name() {
    let cloud = Cloud::start(|seen| {
        let row = json!({"id": "t", "displayName": "Contoso", "verifiedDomains": [{"name": "contoso.com"}]});
        seen.target.starts_with("/graph/v1.0/organization?").then(|| ok(json!({"value": [row]})))
    })
    .await;
    let session = cloud.session();
    let organization = session.probe().await.unwrap();
    assert_eq!((&*organization.display_name, &*organization.verified_domains[0]), ("Contoso", "contoso.com"));
    assert_eq!(session.granted_roles().await.unwrap().unwrap(), ["DeviceManagementConfiguration.Read.All"]);
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_not_asked() {
    let cloud = Cloud::start(|_| None).await;
    let error = cloud.session().get(GraphVersion::V1, "../../login/x").await.unwrap_err();
    assert_eq!(error.reason, ReasonCode::ContractInvalid);
    assert!(cloud.seen().is_empty());
}
