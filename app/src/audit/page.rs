//! The audit log of a tenant.

use super::load::list;
use super::load::{AuditFilter, verification};
use crate::address;
use crate::format;
use crate::frame::view::Section;
use crate::page::{query, tenant_page};
use crate::scope::Inside;
use crate::ui::icon::Icon;
use crate::ui::note::{empty, note};
use crate::ui::time::{day, moment};
use leptos::prelude::*;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::{Entry, Outcome, Verification};

/// The entries with their filters, and whether the chain is intact.
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = query();
    let filter = read_filter(&query);
    tenant_page(Section::Audit, move |inside| async move {
        let page = list(&inside, &filter).await?;
        let (chain, checked) = verification(&inside).await?;
        let rows = if page.entries.is_empty() {
            empty(
                Icon::Audit,
                "No entry fits",
                "Take a filter away to see more. Entries are never changed and never deleted.",
                None,
            )
        } else {
            view! { <div class="card flush">{page.entries.iter().map(entry).collect_view()}</div> }.into_any()
        };
        let next = page.next.map(|before| filtered(&inside.address().audit(), &filter, Some(before)));
        let export = filtered(&inside.address().audit_export(), &filter, None);
        let content = view! {
            <div class="page-head">
                <div><h1>"Audit"</h1><p class="lead">"Who asked for what, and when. Entries can be neither changed nor deleted."</p></div>
                <div class="actions"><a class="button" href=export download="">{Icon::Download.view()}"CSV"</a></div>
            </div>
            {chain_note(&chain, checked)}
            {filters(&inside, &filter)}
            <div id="audit" data-live="">{rows}</div>
            {next.map(|href| view! { <nav class="pager" aria-label="Pages"><span></span><a class="button" href=href rel="next">"Older"{Icon::Next.view()}</a></nav> })}
        }
        .into_any();
        Ok(("Audit".to_owned(), content))
    })
}

/// The filter that an address holds; days are whole UTC days.
pub fn read_filter(query: &impl Fn(&str) -> Option<String>) -> AuditFilter {
    let text = |name: &str| query(name).map(|text| text.trim().chars().take(100).collect()).unwrap_or_default();
    let day_start = |name: &str| query(name).and_then(|day| Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")));
    AuditFilter {
        actor: text("actor"),
        action: text("action"),
        resource: text("resource"),
        from: day_start("from"),
        until: day_start("until").map(|at| Timestamp::from_millis(at.as_millis() + 86_400_000)),
        before: query("before").and_then(|text| text.parse().ok()),
    }
}

/// The last day of a filter, as the form shows it.
fn last_day(filter: &AuditFilter) -> String {
    filter.until.map(|at| format::utc_day(at.as_millis() - 86_400_000)).unwrap_or_default()
}

fn filtered(path: &str, filter: &AuditFilter, before: Option<i64>) -> String {
    let from = filter.from.map(|at| format::utc_day(at.as_millis())).unwrap_or_default();
    let until = last_day(filter);
    let before = before.map(|seq| seq.to_string()).unwrap_or_default();
    let pairs = [
        ("actor", filter.actor.as_str()),
        ("action", &filter.action),
        ("resource", &filter.resource),
        ("from", &from),
        ("until", &until),
        ("before", &before),
    ];
    address::with_query(path, pairs.into_iter().filter(|(_, value)| !value.is_empty()))
}

fn chain_note(chain: &Verification, checked: Timestamp) -> AnyView {
    match chain {
        Verification::Intact { entries, last_hash } => note(
            "ok",
            view! {
                <p>
                    {format!("Verified up to entry {}: nothing was changed, nothing is missing. ", format::number(entries.unsigned_abs()))}
                    "Looked at "{moment(checked.as_millis())}". Last hash "
                    <span class="identifier">{last_hash.to_string().chars().take(16).collect::<String>()}</span>
                </p>
            },
        ),
        Verification::Broken { problems } => note(
            "bad",
            view! {
                <p><strong>"The log is not as it was written."</strong>" Somebody changed it outside of TenantAtlas. Keep the database as it is and look into it."</p>
                <ul>{problems.iter().map(|problem| view! { <li>{problem.sentence()}</li> }).collect_view()}</ul>
            },
        ),
    }
}

fn filters(inside: &Inside, filter: &AuditFilter) -> AnyView {
    let from = filter.from.map(|at| format::utc_day(at.as_millis())).unwrap_or_default();
    let filtered = AuditFilter { before: None, ..filter.clone() } != AuditFilter::default();
    view! {
        <form class="filters" method="get" action=inside.address().audit()>
            <div class="search">
                {Icon::Search.view()}
                <input class="input" type="search" name="actor" value=filter.actor.clone() placeholder="Name or e-mail" aria-label="Actor" data-search="" maxlength="100" />
            </div>
            <input class="input" name="action" value=filter.action.clone() placeholder="Action, such as tenant.updated" aria-label="Action" maxlength="100" list="audit-actions" />
            <datalist id="audit-actions">{ACTIONS.map(|action| view! { <option value=action></option> }).collect_view()}</datalist>
            <input class="input" name="resource" value=filter.resource.clone() placeholder="Resource, such as tenant" aria-label="Resource" maxlength="100" />
            <label class="day-field"><span>"From"</span><input class="input" type="date" name="from" value=from /></label>
            <label class="day-field"><span>"To"</span><input class="input" type="date" name="until" value=last_day(filter) /></label>
            <button class="button">"Apply"</button>
            {filtered.then(|| view! { <a class="button quiet" href=inside.address().audit()>"Clear"</a> })}
        </form>
    }
    .into_any()
}

/// The actions that are written with a tenant, for the suggestions of the filter.
const ACTIONS: [&str; 15] = [
    "access.refused",
    "audit.exported",
    "inventory.exported",
    "inventory.sync.dispatched",
    "inventory.sync.completed",
    "inventory.sync.completed_with_errors",
    "inventory.sync.failed",
    "inventory.sync.aborted",
    "inventory.sync.cancel_requested",
    "tenant.added",
    "tenant.updated",
    "tenant.checked",
    "tenant.credential_rotated",
    "member.set",
    "member.removed",
];

fn entry(entry: &Entry) -> AnyView {
    let context = serde_json::to_string_pretty(&entry.context).unwrap_or_default();
    let (tone, words) = match entry.outcome {
        Outcome::Success => ("ok", "Done"),
        Outcome::Failure => ("bad", "Failed"),
        Outcome::Denied => ("warn", "Denied"),
    };
    let email = Some(entry.actor_email.clone()).filter(|email| !email.is_empty());
    view! {
        <details class="audit-entry">
            <summary>
                {day(entry.at.as_millis())}
                <span><strong>{entry.actor_name.clone()}</strong>" "<span class="identifier">{entry.action.clone()}</span></span>
                <span class="badge" data-tone=tone>{words}</span>
                {Icon::Down.view()}
            </summary>
            <div class="detail stack">
                <dl class="facts">
                    <dt>"Entry"</dt><dd class="number">{entry.seq}</dd>
                    {email.map(|email| view! { <dt>"E-mail then"</dt><dd>{email}</dd> })}
                    <dt>"Resource"</dt><dd>{entry.resource_type.clone()}" "<span class="identifier">{entry.resource_id.clone()}</span></dd>
                    <dt>"Hash"</dt><dd class="identifier">{entry.hash.to_string()}</dd>
                </dl>
                <pre tabindex="0" aria-label="Context">{context}</pre>
            </div>
        </details>
    }
    .into_any()
}
