//! The pages of schedules, of a tenant and over all of a person, without a script.

use axum::http::{Method, StatusCode, header};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, ScheduleOptions, ScheduleSpec};
use tenantatlas_store::schedules::{self, ScheduleState};

use super::site::{Answer, Site, Who};

const HTML: &str = "text/html,application/xhtml+xml";
const MANAGER: Who = Who::Member(Role::Manager);
const NIGHTLY: &str =
    "name=Nightly&operation=inventory.sync&when=weekly&time=02:30&days[]=1&days[]=4&zone=Europe%2FBerlin&capture=true";

async fn shown(site: &Site, who: Who, path: &str) -> String {
    let answer = site.ask(who, Method::GET, path, HTML, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer.body
}

fn location(answer: &Answer) -> &str {
    answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn send(site: &Site, who: Who, path: &str, form: &str) -> String {
    let answer = site.ask(who, Method::POST, path, HTML, Some(form)).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{path} {form}: {}", answer.body);
    location(&answer).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_adds_pauses_resumes_and_removes_a_schedule_and_others_see_it() {
    let site = Site::start().await;
    let base = format!("/t/{}", site.own);
    let page = format!("{base}/schedules");
    let offered = shown(&site, MANAGER, &page).await;
    assert!(offered.contains("No schedules") && offered.contains("value=\"drift.generate\""));
    assert!(!offered.contains("value=\"retention.prune\""), "a manager may not start it, and so is not offered it");
    let offered = shown(&site, Who::Member(Role::Owner), &page).await;
    assert!(offered.contains("value=\"retention.prune\""));
    let led = send(&site, MANAGER, &format!("{base}/api/add_schedule"), NIGHTLY).await;
    assert!(led.ends_with("/schedules?done=scheduled"), "{led}");
    let read = shown(&site, Who::Member(Role::Readonly), &page).await;
    assert!(read.contains("Nightly") && read.contains("Europe/Berlin") && read.contains("Next five times"), "{read}");
    assert!(
        !read.contains("Add a schedule") && !read.contains("remove_schedule"),
        "whoever may not change it has no form"
    );
    let known = schedules::list(&site.db, site.own).await.expect("read").remove(0).schedule;
    assert_eq!(known.cron, "30 2 * * 1,4");
    let one = format!("schedule={}", known.id);
    send(&site, MANAGER, &format!("{base}/api/pause_schedule"), &one).await;
    assert!(shown(&site, MANAGER, &page).await.contains("Paused"));
    let led = send(&site, MANAGER, &format!("{base}/api/pause_schedule"), &format!("{one}&resume=true&all=true")).await;
    assert_eq!(led, "/schedules?done=resumed");
    let known = schedules::get(&site.db, site.own, known.id).await.expect("read").expect("there");
    assert_eq!(known.state, ScheduleState::Active);
    assert!(shown(&site, MANAGER, "/schedules").await.contains("Nightly"));
    assert!(
        !shown(&site, Who::Stranger, "/schedules").await.contains("Nightly"),
        "of tenants of others nothing is seen"
    );
    send(&site, MANAGER, &format!("{base}/api/remove_schedule"), &one).await;
    assert!(shown(&site, MANAGER, &page).await.contains("No schedules"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_schedule_is_said_at_the_form() {
    let site = Site::start().await;
    let path = format!("/t/{}/api/add_schedule", site.own);
    for (change, said) in [
        (("when=weekly", "when=cron&cron=0+0+31+2+*"), "never fires"),
        (("zone=Europe%2FBerlin", "zone=Europe%2FAtlantis"), "IANA"),
        (("operation=inventory.sync", "operation=inventory.delete"), "needs no person"),
        (("time=02:30", "time=25:00"), "02:30"),
        (("days[]=1&days[]=4&", ""), "at least one day"),
        (("operation=inventory.sync", "operation=tenants.check"), "only for a sync"),
    ] {
        let form = NIGHTLY.replace(change.0, change.1);
        let answer = site.ask(MANAGER, Method::POST, &path, "application/json", Some(&form)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}: {}", answer.body);
        assert!(answer.body.contains(said), "{form}: {}", answer.body);
    }
    assert!(schedules::list(&site.db, site.own).await.expect("read").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_added_to_many_tenants_and_to_none_that_the_person_may_not_change() {
    let site = Site::start().await;
    let form = format!("tenants[]={}&tenants[]={}&spread=60&{NIGHTLY}", site.own, site.other);
    let led = send(&site, MANAGER, "/api/add_schedules", &form).await;
    assert_eq!(led, "/schedules?done=scheduled_partly");
    assert_eq!(schedules::list(&site.db, site.own).await.expect("read").len(), 1);
    assert_eq!(schedules::list(&site.db, site.other).await.expect("read").len(), 0);
    let page = shown(&site, MANAGER, "/schedules").await;
    assert!(
        page.contains("spread over 60 minutes") && page.contains("Between ") && !page.contains(&site.other.to_string()),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_changed_on_its_page_which_shows_what_is_there_and_the_second_of_two_is_told() {
    let site = Site::start().await;
    let base = format!("/t/{}", site.own);
    let add = format!("{NIGHTLY}&types[]=namedLocation&categories[]=apps&drift=true");
    send(&site, MANAGER, &format!("{base}/api/add_schedule"), &add).await;
    let known = schedules::list(&site.db, site.own).await.expect("read").remove(0).schedule;
    let page = format!("{base}/schedules/{}", known.id);
    let read = shown(&site, MANAGER, &page).await;
    let tag = |beginning: &str, having: &str| {
        let tags = read.split('<').filter(|tag| tag.starts_with(beginning) && tag.contains(having));
        tags.map(|tag| tag.split('>').next().unwrap_or_default().to_owned()).collect::<Vec<_>>().join("\n")
    };
    assert!(tag("input", "name=\"name\"").contains("value=\"Nightly\""), "{read}");
    for (beginning, having, how) in [
        ("option", "value=\"weekly\"", "selected"),
        ("option", "value=\"namedLocation\"", "selected"),
        ("option", "value=\"apps\"", "selected"),
        ("input", "value=\"1\"", "checked"),
        ("input", "name=\"drift\"", "checked"),
        ("input", "name=\"zone\"", "value=\"Europe/Berlin\""),
        ("input", "name=\"revision\"", "value=\"1\""),
        ("details", "open", "open"),
    ] {
        assert!(tag(beginning, having).contains(how), "{having}: {}", tag(beginning, having));
    }
    assert!(!tag("input", "name=\"changed\"").contains("checked") && !tag("input", "value=\"2\"").contains("checked"));
    let reader = shown(&site, Who::Member(Role::Readonly), &page).await;
    assert!(reader.contains("Next five times") && !reader.contains("change_schedule"), "{reader}");
    let form = format!("schedule={}&revision=1&{}", known.id, NIGHTLY.replace("time=02:30", "time=04:45"));
    let path = format!("{base}/api/change_schedule");
    let led = send(&site, MANAGER, &path, &form).await;
    assert_eq!(led, format!("{page}?done=rescheduled"));
    assert!(shown(&site, MANAGER, &led).await.contains("The schedule is changed."));
    let now = schedules::get(&site.db, site.own, known.id).await.expect("read").expect("there");
    assert_eq!((now.cron.as_str(), now.revision), ("45 4 * * 1,4", 2));
    let second = site.ask(MANAGER, Method::POST, &path, "application/json", Some(&form)).await;
    assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.body);
    assert!(second.body.contains("load it again"), "{}", second.body);
    let wrong = form.replace("revision=1", "revision=2").replace("zone=Europe%2FBerlin", "zone=Europe%2FAtlantis");
    let refused = site.ask(MANAGER, Method::POST, &path, "application/json", Some(&wrong)).await;
    assert!(refused.body.contains("IANA"), "the words are those of adding: {}", refused.body);
    let unseen = Selection { include_foundations: false, ..Selection::full(registry()) };
    let spec = ScheduleSpec {
        name: "Without foundations".to_owned(),
        operation: "inventory.sync".to_owned(),
        options: ScheduleOptions { selection: Some(unseen), ..ScheduleOptions::default() },
        cron: "0 1 * * *".to_owned(),
        zone: "UTC".to_owned(),
    };
    let id = site.engine.add_schedule(&Actor::command_line(), site.own, &spec).await.expect("added");
    let form = form.replace(&known.id.to_string(), &id.to_string()).replace("name=Nightly", "name=Later");
    let form = format!("{form}&types[]=namedLocation");
    send(&site, MANAGER, &path, &form).await;
    let now = schedules::get(&site.db, site.own, id).await.expect("read").expect("there");
    assert_eq!(
        now.options["selection"]["include_foundations"], false,
        "what the form does not show stays: {}",
        now.options
    );
    let elsewhere = shown_status(&site, &format!("/t/{}/schedules/{}", site.other, known.id)).await;
    assert_eq!(elsewhere, StatusCode::NOT_FOUND, "a schedule is found in its own tenant alone");
}

/// What an administrator, who sees every tenant, is answered.
async fn shown_status(site: &Site, path: &str) -> StatusCode {
    site.ask(Who::Administrator, Method::GET, path, HTML, None).await.status
}
