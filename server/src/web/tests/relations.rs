//! What refers to an item, on its page.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use tenantatlas_domain::role::Role;

use super::site::{Site, Who};

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_an_item_is_listed_to_its_end_page_by_page() {
    let site = Site::of(2_400).await;
    site.sync_everything().await;
    let tag = site.item_of("roleScopeTag", "0").await.expect("the tag of everything");
    let mut path = format!("/t/{}/inventory/{tag}", site.own);
    let (mut sources, mut pages) = (BTreeSet::new(), 0);
    let told = loop {
        let page = site.ask(Who::Member(Role::Readonly), Method::GET, &path, "text/html", None).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let (_, list) = page.body.split_once("id=\"incoming-title\"").expect("the list");
        let list = list.split_once("</section>").expect("its end").0;
        let (before, _) = list.split_once(" items refer to it.").expect("the total");
        let told = before.rsplit('>').next().expect("a number").replace(',', "");
        let links = list.split("/inventory/").skip(1).filter_map(|rest| rest.get(..36));
        sources.extend(links.filter(|id| *id != tag.to_string()).map(str::to_owned));
        pages += 1;
        let Some((before, _)) = list.split_once("rel=\"next\"") else { break told };
        let address = before.rsplit("href=\"").next().and_then(|rest| rest.split('"').next()).expect("an address");
        path = address.split('#').next().expect("a path").replace("&amp;", "&");
    };
    assert!(pages > 1, "{pages} pages");
    assert_eq!(sources.len().to_string(), told, "each item once, on {pages} pages");
}
