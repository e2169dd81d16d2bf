//! Not one credential of the cloud is on a page, in a download or in an event, whatever is asked for.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use tenantatlas_domain::role::Role;
use tenantatlas_graph_sim::{CREDENTIAL_MARK, CREDENTIAL_MARK_BASE64};

use super::site::{Site, Who};

const OPERATOR: Who = Who::Member(Role::Operator);

/// What is shown of the tenant as a whole.
const LISTS: [&str; 15] = [
    "inventory",
    "inventory/export.csv",
    "inventory/export.json",
    "policy-settings?q=password",
    "policy-settings?q=type%3AdeviceConfiguration",
    "policy-settings/export.csv?q=type%3AsettingsCatalogPolicy",
    "policy-settings/export.json?q=type%3AdeviceConfiguration",
    "findings",
    "findings/export.csv?status=open",
    "findings/export.json?status=open",
    "runs",
    "audit",
    "audit/export.csv",
    "notifications",
    "settings",
];

/// What is shown of one item, with all that can be asked for.
const OF_ITEM: [&str; 6] = [
    "",
    "/versions/1",
    "/versions/1?scripts=shown",
    "/versions/1/body.json",
    "/difference?from=1&to=1&show=all&scripts=shown",
    "/difference.json?from=1&to=1",
];

#[track_caller]
fn holds_none(text: &str, place: &str) {
    for mark in [CREDENTIAL_MARK, CREDENTIAL_MARK_BASE64] {
        assert!(!text.contains(mark), "{mark} in {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_one_credential_is_on_a_page_in_a_download_or_in_an_event() {
    let site = Site::of(1_200).await;
    let mut events = site.engine.runs().subscribe_all();
    site.read_everything().await;
    site.evolve();
    site.read_everything().await;
    let heard = tokio::time::timeout(std::time::Duration::from_secs(5), events.next()).await.expect("an event");
    holds_none(&format!("{heard:?}"), "an event");
    let control = site.cloud.control();
    let tenant = control.config().tenants[0].tenant_id.clone();
    let planted = control.planted_secrets(&tenant, usize::MAX);
    let (mut seen, mut names, mut marked) = (BTreeMap::new(), BTreeSet::new(), 0);
    for secret in planted.iter().filter(|secret| secret.credential) {
        let Some(item) = site.item_of(&secret.policy_type, &secret.id).await else { continue };
        let name = secret.pointer.rsplit('/').next().unwrap_or_default().to_owned();
        // Of each kind two, by several people: so many downloads at once nobody may have.
        let of_kind = seen.entry((secret.policy_type.clone(), name.clone())).or_insert(0);
        *of_kind += 1;
        if *of_kind > 2 {
            continue;
        }
        names.insert(name);
        for rest in OF_ITEM {
            let path = format!("/t/{}/inventory/{item}{rest}", site.own);
            let who = Who::Member([Role::Operator, Role::Manager, Role::Owner][seen.len() % 3]);
            let answer = site.ask(who, Method::GET, &path, "text/html", None).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} of {}", secret.policy_type);
            holds_none(&answer.body, &path);
            marked += usize::from(answer.body.contains("a credential, not kept"));
        }
    }
    for rest in LISTS {
        let path = format!("/t/{}/{rest}", site.own);
        let answer = site.ask(OPERATOR, Method::GET, &path, "text/html", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        holds_none(&answer.body, &path);
    }
    assert!(names.len() >= 6 && seen.len() >= 8, "{names:?} of {seen:?}");
    assert!(marked > 10, "that there is one is told: {marked}");
}
