//! Nothing that is stored or asked for is ever markup: every page, for everybody, parsed as a browser parses it.
//!
//! Two sites differ in one text alone, which stands in everything that is stored and in every parameter: a harmless one in the
//! first, and in the second one that would be markup anywhere. Their pages must consist of the same elements with the
//! same attributes.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode, header};
use html5ever::parse_document;
use html5ever::tendril::TendrilSink as _;
use leptos::server_fn::error::ServerFnUrlError;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use tenantatlas_app::error::{AppError, ErrorKind};
use tenantatlas_domain::invisible::is_invisible;

use super::access::routes as declared;
use super::site::{Answer, Site, Who};
use crate::web::router::RAW;

const HTML: &str = "text/html";
/// Ends every element, attribute, comment and script that a text can stand in, and then begins what does harm. In small
/// letters, since names are searched in small letters.
const HOSTILE: &str = "</title></textarea></style></script></noscript></select></svg>\"'`--><form method=post \
    action=/api/add_user><input name=email value=m@m.mm><meta http-equiv=refresh content=0><base href=//evil.example>\
    <svg onload=alert(1)><script>alert(1)</script><a href=javascript:alert(1)>\" autofocus onfocus=\"alert(1)' \
    onblur='alert(1) &lt;b&gt; &amp;amp; {{1}} ${1} <!-- ]]> <plaintext>";
/// Turns text around, colours a terminal, and hides what begins behind it.
const UNSEEN: &str = "\u{202e}unseen\u{2066}\u{1b}[31m\u{200b}\u{feff}\u{9b}";
/// Text wherever it stands.
const QUIET: &str = "quiet words of the same length, ";
/// Every parameter that a page reads from its address.
const PARAMETERS: [&str; 42] = [
    "q",
    "category",
    "type",
    "platform",
    "state",
    "since",
    "since_date",
    "tag",
    "coverage",
    "sort",
    "dir",
    "group",
    "scope",
    "after",
    "assigned",
    "excluded",
    "only",
    "actor",
    "action",
    "resource",
    "from",
    "until",
    "before",
    "preset",
    "next",
    "done",
    "removed",
    "status",
    "to",
    "show",
    "scripts",
    "setting",
    "by",
    "days",
    "operation",
    "reason",
    "tenant",
    "outcome",
    "change",
    "certificate",
    "__path",
    "__err",
];
/// The sites of Microsoft's that pages lead to. Nothing that is stored or asked for can choose another.
const MICROSOFT: [&str; 4] = [
    "https://entra.microsoft.com/",
    "https://intune.microsoft.com/",
    "https://login.microsoftonline.com/",
    "https://shell.azure.com/",
];

/// As long as the hostile text, since some fields are cut.
fn quiet_words() -> String {
    let mut text = QUIET.repeat(HOSTILE.len() / QUIET.len() + 1);
    text.truncate(HOSTILE.len() - 1);
    text + "x"
}

/// What a page consists of.
struct Parsed {
    title: String,
    /// How often each element with its attributes is there.
    elements: BTreeMap<String, usize>,
    /// Where links, forms and images lead.
    addresses: BTreeSet<String>,
    /// Where forms lead.
    forms: BTreeSet<String>,
    /// All text of the body.
    text: String,
}

impl Parsed {
    fn of(html: &str) -> Self {
        let document = parse_document(RcDom::default(), Default::default()).one(html);
        let mut parsed = Self {
            title: String::new(),
            elements: BTreeMap::new(),
            addresses: BTreeSet::new(),
            forms: BTreeSet::new(),
            text: String::new(),
        };
        parsed.walk(&document.document, "");
        parsed
    }

    fn walk(&mut self, node: &Handle, parent: &str) {
        let mut within = parent.to_owned();
        match &node.data {
            NodeData::Text { contents } if parent == "title" => self.title += &contents.borrow(),
            NodeData::Text { contents } => self.text += &contents.borrow(),
            NodeData::Element { name, attrs, template_contents, .. } => {
                within = name.local.to_string();
                let mut names = Vec::new();
                for attribute in attrs.borrow().iter() {
                    let (key, value) = (attribute.name.local.to_string(), attribute.value.to_string());
                    if matches!(key.as_str(), "href" | "src" | "action" | "formaction") {
                        self.addresses.insert(value.clone());
                    }
                    if within == "form" && key == "action" {
                        self.forms.insert(value);
                    }
                    names.push(key);
                }
                names.sort_unstable();
                *self.elements.entry(format!("{within} {}", names.join(" "))).or_default() += 1;
                if let Some(contents) = template_contents.borrow().as_ref() {
                    self.walk(contents, &within);
                }
            }
            _ => {}
        }
        for child in node.children.borrow().iter() {
            self.walk(child, &within);
        }
    }

    /// The server functions that the forms of the page lead to.
    fn functions(&self) -> BTreeSet<String> {
        self.forms.iter().filter_map(|address| Some(address[address.find("/api/")?..].to_owned())).collect()
    }
}

/// An address with the text in no parameter and in all; for whoever sees everything also in each alone, since one that
/// cannot be read may hide the others, and as the refusal of each form.
fn addresses(who: Who, path: &str, functions: &BTreeSet<String>, text: &str) -> Vec<String> {
    let query = |pairs: &[(&str, &str)]| {
        let mut query = url::form_urlencoded::Serializer::new(format!("{path}?"));
        query.extend_pairs(pairs);
        query.finish()
    };
    let mut all = vec![path.to_owned(), query(&PARAMETERS.map(|name| (name, text)))];
    if who != Who::Administrator {
        return all;
    }
    all.extend(PARAMETERS.iter().map(|name| query(&[(name, text)])));
    for function in functions {
        let error = AppError { field: Some(text.to_owned()), ..AppError::new(ErrorKind::Invalid, text) };
        let told = ServerFnUrlError::new(function.as_str(), error).to_url("http://localhost/").expect("an address");
        all.push(format!("{path}?{}", told.query().expect("a query")));
    }
    all
}

/// The pages of the router, with one that there is not.
fn routes() -> Vec<String> {
    let mut routes: Vec<String> = declared()
        .into_iter()
        .map(|(route, ..)| route)
        .filter(|route| RAW.iter().all(|raw| raw.route != route))
        .collect();
    assert!(routes.len() > 12, "the pages are registered");
    routes.push("/nothing/here".to_owned());
    routes.push("/t/{tenant}/nothing/here".to_owned());
    routes
}

async fn page(site: &Site, who: Who, path: &str) -> Answer {
    let answer = site.ask(who, Method::GET, path, HTML, None).await;
    // Refusals write entries of their own; the next page must not show one more or less by chance.
    site.settle().await;
    answer
}

/// Asks both sites for the same and compares what comes.
async fn compare(harmless: &Site, hostile: &Site, who: Who, route: &str) {
    let paths = [harmless.fill(route, harmless.own), hostile.fill(route, hostile.own)];
    let plain = page(harmless, who, &paths[0]).await;
    let functions = Parsed::of(&plain.body).functions();
    let asked = addresses(who, &paths[0], &functions, &quiet_words())
        .into_iter()
        .zip(addresses(who, &paths[1], &functions, HOSTILE));
    for (quiet, loud) in asked {
        let (expected, found) = (page(harmless, who, &quiet).await, page(hostile, who, &loud).await);
        let case = format!("{who:?} {loud}");
        assert_eq!(found.status, expected.status, "{case}");
        assert!(!found.status.is_server_error(), "{case}: {}", found.body);
        if found.status.is_redirection() {
            let led = found.headers[header::LOCATION].to_str().expect("text");
            assert!(led.starts_with('/') && !led.starts_with("//"), "{case}: {led}");
            continue;
        }
        let (expected, found) = (Parsed::of(&expected.body), Parsed::of(&found.body));
        let one_only = |these: &Parsed, those: &Parsed| -> Vec<String> {
            let differs = |(name, count): &(&String, &usize)| those.elements.get(*name) != Some(*count);
            these.elements.iter().filter(differs).map(|(name, count)| format!("{count} x <{name}>")).collect()
        };
        let (gone, come) = (one_only(&expected, &found), one_only(&found, &expected));
        assert!(gone.is_empty() && come.is_empty(), "{case}: instead of {gone:#?} there is {come:#?}");
        assert_eq!(found.title, expected.title.replace(&quiet_words(), HOSTILE), "{case}");
        for address in &found.addresses {
            let own = address.is_empty() || address.starts_with(['/', '#', '?']);
            let microsoft = MICROSOFT.iter().any(|site| address.starts_with(site));
            assert!(microsoft || (own && !address.starts_with("//")), "{case}: {address}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_stored_or_asked_for_is_ever_markup() {
    let quiet = quiet_words();
    let (harmless, hostile) = tokio::join!(Site::poisoned(&quiet), Site::poisoned(HOSTILE));
    for route in routes() {
        for who in Who::ALL {
            compare(&harmless, &hostile, who, &route).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_shown_letter_by_letter() {
    let site = Site::poisoned(HOSTILE).await;
    for (route, titled) in [
        ("/t/{tenant}/inventory/{item}", true),
        ("/t/{tenant}/inventory", true),
        ("/t/{tenant}/inventory/{item}/versions/{version}", true),
        ("/t/{tenant}/inventory/{item}/difference", true),
        ("/t/{tenant}/runs/{run}", true),
        ("/t/{tenant}/schedules/{schedule}", true),
        ("/t/{tenant}/audit", true),
        ("/t/{tenant}/settings", true),
        ("/t/{tenant}/settings/members", true),
        ("/t/{tenant}/notifications", true),
        ("/", false),
        ("/me", false),
        ("/admin/users", false),
    ] {
        let answer = page(&site, Who::Administrator, &site.fill(route, site.own)).await;
        assert_eq!(answer.status, StatusCode::OK, "{route}");
        let parsed = Parsed::of(&answer.body);
        assert!(parsed.text.contains(HOSTILE), "{route} shows nothing of what is stored: {}", parsed.text);
        assert_eq!(parsed.title.contains(HOSTILE), titled, "{route}: {}", parsed.title);
        if route.ends_with("{item}") {
            assert!(parsed.text.contains(&format!("Changed by: kim {HOSTILE}")), "{}", parsed.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_holds_a_character_that_is_not_seen_whatever_tenants_and_people_are_called() {
    let site = Site::poisoned(UNSEEN).await;
    let (mut shown, mut found) = (0, BTreeSet::new());
    for route in routes() {
        for who in Who::ALL {
            let path = site.fill(&route, site.own);
            let answer = page(&site, who, &path).await;
            let unseen =
                unseen(&parse_document(RcDom::default(), Default::default()).one(answer.body.as_str()).document);
            found.extend(unseen.into_iter().map(|text| format!("{route}: {text}")));
            shown += usize::from(answer.body.contains("\\u{202e}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(shown > 20, "names are shown on {shown} pages only");
}

/// The texts and attributes of a page that hold what is not seen. What a field or a choice sends back is exact.
fn unseen(node: &Handle) -> Vec<String> {
    let holds = |text: &str| text.contains(|character| is_invisible(character) && !matches!(character, '\n' | '\t'));
    let mut found = Vec::new();
    match &node.data {
        NodeData::Text { contents } if holds(&contents.borrow()) => {
            found.push(contents.borrow().escape_debug().to_string());
        }
        NodeData::Element { name, attrs, template_contents, .. } => {
            for attribute in attrs.borrow().iter() {
                let (key, value) = (&*attribute.name.local, &*attribute.value);
                if holds(value) && !matches!((&*name.local, key), ("input" | "option", "value")) {
                    found.push(format!("<{} {key}=\"{}\">", name.local, value.escape_debug()));
                }
            }
            found.extend(template_contents.borrow().iter().flat_map(unseen));
        }
        _ => {}
    }
    found.extend(node.children.borrow().iter().flat_map(unseen));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_file_is_plain_whatever_the_tenant_is_called() {
    let site = Site::poisoned(HOSTILE).await;
    for route in [
        "/t/{tenant}/inventory/export.csv",
        "/t/{tenant}/inventory/export.json",
        "/t/{tenant}/inventory/{item}/versions/{version}/body.json",
        "/t/{tenant}/inventory/{item}/difference.json",
        "/t/{tenant}/policy-settings/export.csv?q=x",
        "/t/{tenant}/audit/export.csv",
        "/t/{tenant}/findings/export.csv",
    ] {
        let answer = page(&site, Who::Administrator, &site.fill(route, site.own)).await;
        let disposition = answer.headers[header::CONTENT_DISPOSITION].to_str().expect("text").to_owned();
        let name = disposition.strip_prefix("attachment; filename=\"").and_then(|rest| rest.strip_suffix('"'));
        let name = name.unwrap_or_else(|| panic!("{disposition}"));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{name}");
    }
}
