//! A form that is refused without script comes back with what was typed into it and with why: every form of every page, for
//! everybody who has one.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode, header};
use html5ever::parse_document;
use html5ever::tendril::TendrilSink as _;
use leptos::server_fn::error::ServerFnUrlError;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use tenantatlas_app::error::AppError;
use tenantatlas_domain::role::Role;
use tower::ServiceExt as _;

use super::access::routes as declared;
use super::site::{Answer, Site, Who};
use crate::web::router::RAW;

const HTML: &str = "text/html";
/// Typed into every field of text: acceptable in few, and markup anywhere.
const TYPED: &str = "typed \"><script>&amp;</textarea> ";
/// Typed into every field of a secret.
const SECRET: &str = "typed-secret-8c1f";
/// Functions that refuse no form of these: they take any choice, or tell of each thing that was picked what came of it.
const TAKES_ALL: [&str; 4] = ["cancel_runs", "set_columns", "set_single_keys", "sync_tenants"];

/// A field of a form.
#[derive(Debug, Clone)]
struct Field {
    element: String,
    kind: String,
    name: String,
    value: String,
    checked: bool,
    secret: bool,
    multiple: bool,
    /// Value and whether it is chosen.
    options: Vec<(String, bool)>,
}

/// A form of a page.
#[derive(Debug, Clone)]
struct Form {
    id: String,
    /// Where it, or a button of it, posts to.
    actions: BTreeSet<String>,
    fields: Vec<Field>,
}

#[derive(Default)]
struct Page {
    forms: Vec<Form>,
    /// Each with the form that it names.
    elsewhere: Vec<(String, Field)>,
    text: String,
}

fn attribute(node: &Handle, name: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else { return None };
    attrs.borrow().iter().find(|one| &*one.name.local == name).map(|one| one.value.to_string())
}

fn text(node: &Handle) -> String {
    let own = match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => String::new(),
    };
    node.children.borrow().iter().fold(own, |all, child| all + &text(child))
}

fn options(node: &Handle) -> Vec<(String, bool)> {
    let own = match &node.data {
        NodeData::Element { name, .. } if &*name.local == "option" => {
            vec![(attribute(node, "value").unwrap_or_default(), attribute(node, "selected").is_some())]
        }
        _ => Vec::new(),
    };
    node.children.borrow().iter().fold(own, |all, child| [all, options(child)].concat())
}

impl Page {
    fn of(html: &str) -> Self {
        let document = parse_document(RcDom::default(), Default::default()).one(html).document;
        let mut page = Self { text: text(&document), ..Self::default() };
        page.walk(&document, None);
        for (id, field) in std::mem::take(&mut page.elsewhere) {
            if let Some(form) = page.forms.iter_mut().find(|form| form.id == id) {
                form.fields.push(field);
            }
        }
        page
    }

    fn walk(&mut self, node: &Handle, mut form: Option<usize>) {
        if let NodeData::Element { name, .. } = &node.data {
            let get = |name: &str| attribute(node, name).unwrap_or_default();
            match &*name.local {
                "form" => {
                    form = Some(self.forms.len());
                    let posts = get("method").eq_ignore_ascii_case("post").then(|| get("action"));
                    let actions = posts.into_iter().collect();
                    self.forms.push(Form { id: get("id"), actions, fields: Vec::new() });
                }
                "button" if attribute(node, "formaction").is_some() => {
                    if let Some(form) = form {
                        self.forms[form].actions.insert(get("formaction"));
                    }
                }
                element @ ("input" | "select" | "textarea") if attribute(node, "name").is_some() => {
                    let told = |one: &str| one.ends_with("-password") || one == "one-time-code";
                    let field = Field {
                        element: element.to_owned(),
                        kind: get("type"),
                        name: get("name"),
                        value: if element == "textarea" { text(node) } else { get("value") },
                        checked: attribute(node, "checked").is_some(),
                        secret: get("type") == "password"
                            || told(&get("autocomplete"))
                            || attribute(node, "data-secret").is_some(),
                        multiple: attribute(node, "multiple").is_some(),
                        options: options(node),
                    };
                    match (attribute(node, "form"), form) {
                        (Some(id), _) => self.elsewhere.push((id, field)),
                        (None, Some(form)) => self.forms[form].fields.push(field),
                        (None, None) => {}
                    }
                }
                _ => {}
            }
        }
        for child in node.children.borrow().iter() {
            self.walk(child, form);
        }
    }
}

impl Form {
    /// Whether a person types or picks something in it.
    fn has_fields(&self) -> bool {
        self.fields.iter().any(|field| field.kind != "hidden")
    }

    /// The form with something else in every field.
    fn typed(&self) -> Self {
        let mut typed = self.clone();
        for (number, field) in typed.fields.iter_mut().enumerate() {
            match (field.element.as_str(), field.kind.as_str()) {
                (_, "hidden") => {}
                (_, "checkbox") => field.checked = !field.checked,
                (_, "radio") => field.checked = false,
                ("select", _) => {
                    let last = field.options.len().saturating_sub(1);
                    for (at, option) in field.options.iter_mut().enumerate() {
                        option.1 = at == last || (field.multiple && at == 0);
                    }
                }
                _ if field.secret => field.value = SECRET.to_owned(),
                ("textarea", _) => field.value = format!("{TYPED}{number}\nand more"),
                _ => field.value = format!("{TYPED}{number}"),
            }
        }
        // Of buttons of a choice the last one is chosen.
        if let Some(last) = typed.fields.iter_mut().rev().find(|field| field.kind == "radio") {
            last.checked = true;
        }
        typed
    }

    /// What it sends, without secrets where they are left out.
    fn sent(&self, secrets: bool) -> Vec<(String, String)> {
        let mut sent = Vec::new();
        for field in self.fields.iter().filter(|field| secrets || !field.secret) {
            match (field.element.as_str(), field.kind.as_str()) {
                (_, "checkbox" | "radio") if !field.checked => {}
                ("select", _) => {
                    let chosen = field.options.iter().filter(|(_, chosen)| *chosen);
                    let mut chosen: Vec<_> = chosen.map(|(value, _)| (field.name.clone(), value.clone())).collect();
                    if chosen.is_empty() && !field.multiple {
                        chosen.extend(field.options.first().map(|(value, _)| (field.name.clone(), value.clone())));
                    }
                    sent.append(&mut chosen);
                }
                _ => sent.push((field.name.clone(), field.value.clone())),
            }
        }
        sent
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Sends a form as a browser without script does.
async fn post(site: &Site, who: Who, from: &str, to: &str, body: &str) -> Answer {
    let mut request = site.request(who, Method::POST, to, HTML, Some(body));
    let referer = format!("http://localhost{from}").parse().expect("a value");
    request.headers_mut().insert(header::REFERER, referer);
    let response = site.router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 8 << 20).await.expect("a body");
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
}

/// Where a refused form is led to, and why it was refused.
fn led_to(answer: &Answer) -> Option<(String, AppError)> {
    let led = answer.headers.get(header::LOCATION)?.to_str().expect("text").to_owned();
    let url = url::Url::parse("http://localhost/").expect("an address").join(&led).expect("an address");
    let (_, told) = url.query_pairs().find(|(name, _)| name == "__err")?;
    let refusal = ServerFnUrlError::<AppError>::decode_err(&told);
    Some((format!("{}?{}", url.path(), url.query().unwrap_or_default()), refusal))
}

/// Sends a form of a page to one of its addresses, and says what is wrong with how it comes back. `None` when it is taken.
async fn refused(site: &Site, who: Who, path: &str, form: &Form, action: &str) -> Option<Result<(), String>> {
    let typed = form.typed();
    let body = encoded(&typed.sent(true));
    let answer = post(site, who, path, action, &body).await;
    let (led, refusal) = led_to(&answer)?;
    if answer.status != StatusCode::TEMPORARY_REDIRECT {
        return Some(Err(format!("it is not sent again: {}", answer.status)));
    }
    if led.contains("typed") {
        return Some(Err(format!("what was typed stands in the address: {led}")));
    }
    let back = post(site, who, path, &led, &body).await;
    let page = Page::of(&back.body);
    if back.status != StatusCode::OK || back.body.contains(SECRET) {
        return Some(Err(format!("{} or a secret is sent back: {}", back.status, back.body)));
    }
    if !page.text.contains(&refusal.message) {
        return Some(Err(format!("it is not said why: {}", refusal.message)));
    }
    let expected = typed.sent(false);
    let same = page.forms.iter().filter(|form| form.actions.contains(action)).map(|form| form.sent(false));
    let same: Vec<_> = same.collect();
    let found = same.contains(&expected);
    Some(found.then_some(()).ok_or_else(|| format!("sent {expected:#?}, and there is {same:#?}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_that_is_refused_comes_back_as_it_was_sent() {
    let site = Site::start().await.scheduled().await.telling().await;
    site.read_everything().await;
    // What is acceptable is refused as well: nothing can be written down any more.
    site.close_the_audit_log().await;
    let (mut wrong, mut taken, mut asked) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let pages =
        declared().into_iter().map(|(route, ..)| route).filter(|route| RAW.iter().all(|raw| raw.route != route));
    for route in pages {
        let mut paths = vec![site.fill(&route, site.own)];
        if route.ends_with("/settings/endpoints") {
            paths.push(format!("{}?change={}", paths[0], site.endpoint.0));
        }
        for (who, path) in [Who::Administrator, Who::Member(Role::Owner), Who::Nobody]
            .into_iter()
            .flat_map(|who| paths.iter().map(move |path| (who, path)))
        {
            let answer = site.ask(who, Method::GET, path, HTML, None).await;
            for form in Page::of(&answer.body).forms.iter().filter(|form| form.has_fields()) {
                for action in form.actions.iter().filter(|action| action.contains("/api/")) {
                    let name = action.rsplit_once('/').map_or(action.as_str(), |(_, name)| name).to_owned();
                    // One of many rows is enough.
                    if !asked.insert(format!("{who:?} {route} {name}")) {
                        continue;
                    }
                    match refused(&site, who, path, form, action).await {
                        None => drop(taken.insert(name)),
                        Some(Ok(())) => {}
                        Some(Err(words)) => wrong.push(format!("{who:?} {path} {name}: {words}")),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(asked.len() > 40, "{asked:#?}");
    let known: BTreeSet<String> = TAKES_ALL.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(taken, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_refused_keeps_its_fields_and_says_beside_which_what_is_wrong() {
    let site = Site::start().await.scheduled().await;
    let (path, function) = (format!("/t/{}/schedules", site.own), format!("/t/{}/api/add_schedule", site.own));
    let typed = "name=Every+night&operation=policies.capture&when=weekly&time=04%3A15&days%5B%5D=2&days%5B%5D=4&cron=&\
                 zone=Europe%2FNowhere&types%5B%5D=mobileApp&changed=true";
    let answer = post(&site, Who::Member(Role::Manager), &path, &function, typed).await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{}", answer.body);
    let (led, refusal) = led_to(&answer).expect("a refusal");
    assert_eq!(refusal.field.as_deref(), Some("zone"));
    let back = post(&site, Who::Member(Role::Manager), &path, &led, typed).await;
    for kept in [
        "value=\"Every night\"",
        "value=\"policies.capture\" selected=\"\"",
        "value=\"weekly\" selected=\"\"",
        "value=\"04:15\"",
        "value=\"4\" autocomplete=\"off\" checked=\"\"",
        "value=\"Europe/Nowhere\"",
        "value=\"mobileApp\" selected=\"\"",
    ] {
        assert!(back.body.contains(kept), "{kept} is lost: {}", back.body);
    }
    // Whoever has no refusal gets the page as it is.
    let plain = post(&site, Who::Member(Role::Manager), &path, &path, typed).await;
    assert!(plain.status == StatusCode::OK && !plain.body.contains("Every night"), "{}", plain.status);
}
