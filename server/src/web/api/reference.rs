//! The reference of the API as a page: from what its addresses are, without script and without anything from elsewhere.

use std::fmt::Write as _;

use tenantatlas_app::access::Rule;
use tenantatlas_domain::role::Action;

use super::endpoint::{Answer, Endpoint, Parameter, Verb};
use super::problem::{KINDS, ROOT};
use super::table::endpoints;
use crate::web::assets;

/// Who may reach an address, in words.
pub fn needed(endpoint: &Endpoint) -> String {
    match endpoint.rule {
        Rule::Member(Action::View) => "a token for the tenant, readonly or above".to_owned(),
        Rule::Member(action) => format!("a token for the tenant, {} or above", action.least_role().as_str()),
        _ => "a token".to_owned(),
    }
}

/// The page.
pub fn page() -> String {
    let mut page = String::from(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>REST API · TenantAtlas</title>",
    );
    if let Some(style) = assets::path_of("css") {
        let _ = write!(page, "<link rel=\"stylesheet\" href=\"{}\">", escaped(&style));
    }
    let root = ROOT;
    let _ = write!(
        page,
        "</head><body><main class=\"reference\" id=\"content\"><h1>REST API</h1>\
         <p>Below <code>{root}</code>, as JSON. The same as a document: <a href=\"{root}/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>\
         <p>Every request names a token: <code>Authorization: Bearer tat_…</code>. Tokens are made under Account, in the settings of a tenant, or with <code>tenantatlas token create</code>. \
         A page of a list names the next one as <code>next</code>, to be given as <code>after</code> with the same filters. \
         A POST may name an <code>Idempotency-Key</code>: sent again within a day it is done once.</p>"
    );
    contents(&mut page);
    for endpoint in endpoints() {
        section(&mut page, endpoint);
    }
    page.push_str("<h2 id=\"problems\">Problems</h2><p>What is refused is told as <code>application/problem+json</code> (RFC 9457), with a stable code:</p><div class=\"table-wrap\"><table class=\"table\"><thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Status</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
    for (code, status, words) in KINDS {
        let _ = write!(
            page,
            "<tr id=\"{code}\"><th scope=\"row\"><code>{code}</code></th><td>{status}</td><td>{words}</td></tr>"
        );
    }
    page.push_str("</tbody></table></div></main></body></html>\n");
    page
}

fn contents(page: &mut String) {
    page.push_str("<nav aria-label=\"Addresses\"><ul>");
    for one in endpoints() {
        let _ = write!(page, "<li><a href=\"#{}\">{}</a></li>", one.id, escaped(one.summary));
    }
    page.push_str("</ul></nav>");
}

fn section(page: &mut String, one: &Endpoint) {
    let verb = match one.verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
        Verb::Patch => "PATCH",
    };
    let (words, shape) = match one.answer {
        Answer::One(words, shape) | Answer::Begun(words, shape) => (words, (shape.name)()),
        Answer::Events(words) => (words, "text/event-stream".to_owned()),
    };
    let _ = write!(
        page,
        "<section class=\"card\" aria-labelledby=\"{id}\"><h2 id=\"{id}\">{summary}</h2><p><code>{verb} {path}</code></p><p>{about}</p><dl class=\"facts\"><dt>Needs</dt><dd>{needed}</dd>",
        id = one.id,
        summary = escaped(one.summary),
        path = escaped(one.path),
        about = escaped(one.about),
        needed = escaped(&needed(one)),
    );
    if let Some(body) = one.body {
        let _ = write!(page, "<dt>Body</dt><dd><code>{}</code></dd>", escaped(&(body.name)()));
    }
    let status = one.answer.status().as_u16();
    let _ = write!(page, "<dt>Answer</dt><dd>{status} <code>{}</code>: {}</dd></dl>", escaped(&shape), escaped(words));
    if !one.query.is_empty() {
        page.push_str("<div class=\"table-wrap\"><table class=\"table\"><thead><tr><th scope=\"col\">Parameter</th><th scope=\"col\">Meaning</th><th scope=\"col\">Expected</th></tr></thead><tbody>");
        for parameter in one.query {
            row(page, parameter);
        }
        page.push_str("</tbody></table></div>");
    }
    page.push_str("</section>");
}

fn row(page: &mut String, parameter: &Parameter) {
    let needed = if parameter.required { " (needed)" } else { "" };
    let _ = write!(
        page,
        "<tr><th scope=\"row\"><code>{}</code>{needed}</th><td>{}</td><td>{}</td></tr>",
        parameter.name,
        escaped(parameter.about),
        escaped(&parameter.expected()),
    );
}

/// A text as markup has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
