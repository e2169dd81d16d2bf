//! What pages and downloads say of selections and of changes.

use axum::http::{Method, StatusCode};
use futures::StreamExt as _;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::Actor;

use super::site::{Site, Who};

const HTML: &str = "text/html";
const READER: Who = Who::Member(Role::Readonly);

impl Site {
    /// Reads these types of the tenant.
    async fn read(&self, types: &[&str]) {
        let selection = Selection {
            policy_types: types.iter().map(|key| (*key).to_owned()).collect(),
            categories: Vec::new(),
            include_foundations: false,
            include_dependencies: false,
        };
        let dispatched = self.engine.dispatch_sync(&Actor::command_line(), self.own, &selection).await.expect("a run");
        let mut states = Box::pin(self.engine.runs().follow(self.own, dispatched.run_id));
        while let Some(state) = states.next().await {
            state.expect("a state");
        }
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.ask(READER, Method::GET, &format!("/t/{}{path}", self.own), HTML, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_and_its_items_say_that_another_selection_read_them_more_recently_and_lead_there() {
    let site = Site::start().await;
    site.read(&["settingsCatalogPolicy", "deviceConfiguration"]).await;
    let (list, item) = ("/inventory".to_owned(), format!("/inventory/{}", site.item));
    for path in [&list, &item] {
        assert!(!site.page(path).await.contains("by the sync of"), "the main selection read it last");
    }
    site.read(&["settingsCatalogPolicy"]).await;
    for path in [&list, &item] {
        let page = site.page(path).await;
        let (_, said) = page.split_once("by the sync of").expect("the other selection is named");
        let link = said.split_once("</a>").expect("a link").0;
        assert!(link.contains("type=settingsCatalogPolicy&amp;scope="), "{link}");
    }
    assert!(site.page(&item).await.contains("it was there"));
    // A filter changes neither the scope nor what is said of it.
    let both = [registry().get("deviceConfiguration"), registry().get("settingsCatalogPolicy")];
    let words = both.map(|one| one.expect("a type").label).join(" and ");
    assert!(site.page("/inventory?type=settingsCatalogPolicy").await.contains(&words), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_read_found_is_in_no_list_or_download_of_changes() {
    let site = Site::start().await;
    let items = |file: String| file.lines().filter(|line| line.starts_with("\"item\"")).count();
    assert!(items(site.page("/inventory/export.csv").await) > 1);
    for since in ["1d", "30d", "2020-01-01"] {
        assert_eq!(items(site.page(&format!("/inventory/export.csv?since={since}")).await), 0, "{since}");
        assert!(site.page(&format!("/inventory?since={since}")).await.contains("No results"), "{since}");
    }
    // A date that was entered stands among the choices from then on.
    let page = site.page("/inventory?since=7d&since_date=2020-01-01").await;
    assert!(page.contains("name=\"since_date\"") && page.contains("value=\"2020-01-01\" selected"), "{page}");
    let unknown = format!("/t/{}/inventory?since=run-{}", site.own, uuid::Uuid::nil());
    assert_eq!(site.ask(READER, Method::GET, &unknown, HTML, None).await.status, StatusCode::NOT_FOUND);
}
