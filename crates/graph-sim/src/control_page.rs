//! The page for people at the root: what the cloud holds, and forms that switch faults and changes on and off. It needs no
//! script.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use html_escape::encode_safe;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::cloud::Cloud;
use crate::config::{SimTenant, Throttle};
use crate::fault::{Fault, Met};
use crate::offered::{Offer, name_of, offer, offers};
use crate::query::Query;

/// The longest path of a fault that is taken from a form, in bytes.
const PATH_LIMIT: usize = 500;
/// The most steps of time that one form lets pass.
const STEP_LIMIT: u64 = 100;
/// The longest delay that a form sets, in milliseconds.
const LATENCY_LIMIT: u64 = 60_000;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #8886;padding:.25rem .5rem;text-align:start}\
td.n{text-align:end;font-variant-numeric:tabular-nums}form{margin:.5rem 0}label{margin-inline-end:1rem}\
code{overflow-wrap:anywhere}:root{color-scheme:light dark}";

/// The page.
#[must_use]
pub(crate) fn show(cloud: &Cloud) -> Response<Body> {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Simulated Microsoft cloud</title><style>{STYLE}</style></head><body><h1>Simulated Microsoft cloud</h1>"
    );
    write_facts(&mut page, cloud);
    write_faults(&mut page, &cloud.faults());
    write_conditions(&mut page, cloud);
    page.push_str("<h2>Tenants</h2>");
    for tenant in &cloud.config().tenants {
        write_tenant(&mut page, cloud, tenant);
    }
    page.push_str("</body></html>");
    html(StatusCode::OK, page)
}

fn write_facts(page: &mut String, cloud: &Cloud) {
    let counts = cloud.counts();
    let _ = write!(
        page,
        "<p>Sign-in: <code>{}</code><br>Graph: <code>{}</code></p>\
         <p>{} requests so far, {} of them throttled, {} with a token that was refused; {} requests for a token.</p>",
        encode_safe(&cloud.login_url()),
        encode_safe(&cloud.graph_url()),
        counts.requests,
        counts.throttled,
        counts.unauthorized,
        counts.tokens
    );
}

fn write_faults(page: &mut String, faults: &[Met]) {
    page.push_str("<h2>Faults</h2>");
    if faults.is_empty() {
        page.push_str("<p>None: everything answers as it should.</p>");
    } else {
        page.push_str("<table><thead><tr><th>Fault</th><th>Where</th><th>How often</th><th>Requests there</th><th>End it</th></tr></thead><tbody>");
        for met in faults {
            let path = if met.fault.path.is_empty() { "everywhere" } else { &met.fault.path };
            let often = met.fault.count.map_or_else(|| "always".to_owned(), |count| format!("{count} times"));
            let _ = write!(
                page,
                "<tr><td>{}</td><td><code>{}</code></td><td>{often}</td><td class=\"n\">{}</td><td>\
                 <form method=\"post\" action=\"/_sim/page/fault/end\"><input type=\"hidden\" name=\"number\" value=\"{}\">\
                 <button aria-label=\"End fault {}\">End</button></form></td></tr>",
                encode_safe(&name_of(&met.fault.kind)),
                encode_safe(path),
                met.seen,
                met.number,
                met.number
            );
        }
        page.push_str("</tbody></table><form method=\"post\" action=\"/_sim/page/fault/end-all\"><button>End all faults</button></form>");
    }
    page.push_str("<form method=\"post\" action=\"/_sim/page/fault/begin\"><label>Fault <select name=\"kind\">");
    for Offer { key, label, .. } in offers() {
        let _ = write!(page, "<option value=\"{key}\">{}</option>", encode_safe(label));
    }
    let _ = write!(
        page,
        "</select></label><label>where the address contains <input name=\"path\" maxlength=\"{PATH_LIMIT}\" placeholder=\"deviceManagement/intents\"></label>\
         <label>about, where it is about a property, an id or a link <input name=\"about\" maxlength=\"{PATH_LIMIT}\"></label>\
         <label>after so many that pass <input name=\"skip\" type=\"number\" min=\"0\"></label>\
         <label>times (always when empty) <input name=\"count\" type=\"number\" min=\"1\"></label><button>Begin</button></form>"
    );
}

fn write_conditions(page: &mut String, cloud: &Cloud) {
    page.push_str("<h2>Conditions</h2>");
    let throttled = cloud.throttle();
    let state = throttled.map_or_else(
        || "There is no quota.".to_owned(),
        |quota| format!("{} requests in {} ms for each tenant and application.", quota.requests, quota.window_ms),
    );
    let (action, word) =
        if throttled.is_some() { ("off", "End the quota") } else { ("on", "Keep the documented quota") };
    let _ = write!(
        page,
        "<form method=\"post\" action=\"/_sim/page/throttle/{action}\">{state} <button>{word}</button></form>\
         <form method=\"post\" action=\"/_sim/page/latency\"><label>Every answer takes, in milliseconds \
         <input name=\"latency_ms\" type=\"number\" min=\"0\" max=\"{LATENCY_LIMIT}\" value=\"{}\" required></label><button>Set</button></form>\
         <form method=\"post\" action=\"/_sim/page/tokens/revoke\">Tokens that were issued are valid. <button>Revoke them</button></form>",
        cloud.latency().as_millis()
    );
    match cloud.held_back() {
        Some(path) => {
            let place = if path.is_empty() { "all addresses".to_owned() } else { encode_safe(&path).into_owned() };
            let _ = write!(page, "<form method=\"post\" action=\"/_sim/page/release\">Answers are held back: <code>{place}</code>. <button>Let them go</button></form>");
        }
        None => page.push_str(
            "<form method=\"post\" action=\"/_sim/page/hold\"><label>Hold back answers where the address contains <input name=\"path\"></label><button>Hold back</button></form>",
        ),
    }
}

fn write_tenant(page: &mut String, cloud: &Cloud, tenant: &SimTenant) {
    let holdings = cloud.holdings(&tenant.tenant_id);
    let total: u64 = holdings.iter().map(|(_, count)| count).sum();
    let id = encode_safe(&tenant.tenant_id);
    let _ = write!(
        page,
        "<section><h3>{}</h3><p>Directory <code>{id}</code>, application <code>{}</code>: {total} objects in {} collections.</p>\
         <form method=\"post\" action=\"/_sim/page/evolve\"><input type=\"hidden\" name=\"tenant_id\" value=\"{id}\">\
         <label>Let time pass, in steps <input name=\"steps\" type=\"number\" min=\"1\" max=\"{STEP_LIMIT}\" value=\"1\" required></label>\
         <button>Change objects</button></form><details><summary>Collections</summary><table><thead><tr><th>Collection</th><th>Objects</th></tr></thead><tbody>",
        encode_safe(&tenant.name),
        encode_safe(&tenant.client_id),
        holdings.len()
    );
    for (path, count) in holdings {
        let _ = write!(page, "<tr><td><code>{}</code></td><td class=\"n\">{count}</td></tr>", encode_safe(path));
    }
    page.push_str("</tbody></table></details></section>");
}

/// Does what a form asks for, and leads back to the page.
#[must_use]
pub(crate) fn act(cloud: &Cloud, path: &str, parts: &Parts, body: &[u8]) -> Response<Body> {
    if parts.method != Method::POST {
        return html(
            StatusCode::METHOD_NOT_ALLOWED,
            "<!doctype html><title>Not allowed</title><p>This address takes forms only.".to_owned(),
        );
    }
    let form = Query::form(&String::from_utf8_lossy(body));
    match change(cloud, path.trim_start_matches("page/"), &form) {
        Ok(()) => {
            let mut response = html(StatusCode::SEE_OTHER, String::new());
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
            response
        }
        Err(message) => {
            let page = format!(
                "<!doctype html><html lang=\"en\"><title>Not understood</title><p>{} <a href=\"/\">Back</a>",
                encode_safe(&message)
            );
            html(StatusCode::BAD_REQUEST, page)
        }
    }
}

fn change(cloud: &Cloud, what: &str, form: &HashMap<String, String>) -> Result<(), String> {
    let text = |name: &str| form.get(name).map_or("", |value| value.trim());
    let number = |name: &str, most: u64| {
        let value = text(name).parse().ok().filter(|value| *value <= most);
        value.ok_or_else(|| format!("{name} is \"{}\": expected a number up to {most}.", text(name)))
    };
    match what {
        "fault/begin" => cloud.add_fault(fault(&text)?),
        "fault/end" => {
            // Somebody else may have ended it.
            cloud.end_fault(number("number", u64::MAX)?);
        }
        "fault/end-all" => cloud.set_faults(Vec::new()),
        "throttle/on" => cloud.set_throttle(Some(Throttle::DOCUMENTED)),
        "throttle/off" => cloud.set_throttle(None),
        "latency" => cloud.set_latency(Duration::from_millis(number("latency_ms", LATENCY_LIMIT)?)),
        "tokens/revoke" => cloud.revoke_tokens(),
        "hold" => cloud.hold(text("path")),
        "release" => cloud.release(),
        "evolve" => {
            let steps = number("steps", STEP_LIMIT)?;
            if cloud.evolve(text("tenant_id"), steps).is_empty() && steps > 0 {
                return Err("There is no such tenant.".to_owned());
            }
        }
        other => return Err(format!("There is nothing called {other}.")),
    }
    Ok(())
}

/// The fault that a form describes.
fn fault<'a>(text: &impl Fn(&str) -> &'a str) -> Result<Fault, String> {
    let (name, path, about) = (text("kind"), text("path"), text("about"));
    if path.len() > PATH_LIMIT || about.len() > PATH_LIMIT {
        return Err(format!("The address, or what it is about, is longer than {PATH_LIMIT} bytes."));
    }
    let kind = offer(name, about).ok_or_else(|| format!("There is no fault called {name}."))?;
    let number = |text: &str, least: u32| text.parse().ok().filter(|number: &u32| *number >= least);
    let skip = match text("skip") {
        "" => 0,
        skip => number(skip, 0).ok_or("How many pass before is a number.")?,
    };
    let count = match text("count") {
        "" => None,
        count => Some(number(count, 1).ok_or("How often is a number above 0.")?),
    };
    Ok(Fault { count, ..Fault::always(path, kind).after(skip) })
}

fn html(status: StatusCode, page: String) -> Response<Body> {
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
