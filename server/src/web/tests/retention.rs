//! The page of how long things are kept, without a script.

use axum::http::{Method, StatusCode, header};
use tenantatlas_domain::role::Role;
use tenantatlas_engine::Actor;
use tenantatlas_store::retention::{self, Retention};

use super::site::{Site, Who};

const HTML: &str = "text/html,application/xhtml+xml";
const PAGE: &str = "/admin/retention";
const CHANGE: &str = "/api/set_retention";

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_what_is_kept_and_what_went_and_says_how_long_from_now_on() {
    let site = Site::start().await;
    let shown = async || {
        let answer = site.ask(Who::Administrator, Method::GET, PAGE, HTML, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    };
    let page = shown().await;
    for (name, days) in [("runs", 180), ("notifications", 90), ("versions", 365), ("deliveries", 30)] {
        let field = page.split('<').find(|tag| tag.starts_with("input") && tag.contains(&format!("name=\"{name}\"")));
        assert!(field.is_some_and(|field| field.contains(&format!("value=\"{days}\""))), "{name}: {page}");
    }
    assert!(page.contains("Nothing was pruned yet"), "{page}");
    let pruning = site.engine.prune_tenant(&Actor::command_line(), site.own).await.expect("dispatched");
    site.ended(pruning.state.id).await;
    let page = shown().await;
    assert!(page.contains("Last prunings") && page.contains(">nothing<"), "{page}");

    let form = "runs=60&notifications=30&versions=400&deliveries=7";
    let owner = site.ask(Who::Member(Role::Owner), Method::POST, CHANGE, "application/json", Some(form)).await;
    assert_eq!(owner.status, StatusCode::FORBIDDEN, "it is of all tenants: {}", owner.body);
    let answer = site.ask(Who::Administrator, Method::POST, CHANGE, HTML, Some(form)).await;
    assert_eq!(answer.headers[header::LOCATION], "/admin/retention?done=kept");
    let kept = Retention { run_days: 60, notification_days: 30, version_days: 400, delivery_days: 7 };
    assert_eq!(retention::get(&site.db).await.expect("read"), kept);
    for (wrong, said) in
        [("runs=0", "1 to 3650 days"), ("runs=many", "whole number of days"), ("runs=3651", "1 to 3650")]
    {
        let form = form.replace("runs=60", wrong);
        let answer = site.ask(Who::Administrator, Method::POST, CHANGE, "application/json", Some(&form)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", answer.body);
        assert!(answer.body.contains(said), "{wrong}: {}", answer.body);
    }
    assert_eq!(retention::get(&site.db).await.expect("read"), kept);
}
