//! The audit log of a tenant.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::{Entry, Outcome, Verification};

use super::load::{known_actions, list, names, unknown_action};
use super::sentence::{Names, deed};
use super::verification::LastVerification;
use crate::filter::ListFilter as _;
use crate::filter::audit::AuditFilter;
use crate::format;
use crate::frame::view::Section;
use crate::page::{query, tenant_page};
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{empty, left_out_note, note};
use crate::ui::pager::Pager;
use crate::ui::time::{day, moment};

/// The entries with their filters, and whether the chain is intact.
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = query();
    let (filter, left_out) = (AuditFilter::read(&query), AuditFilter::left_out(&query));
    let looked = use_context::<LastVerification>().unwrap_or_default();
    tenant_page(Section::Audit, move |inside| async move {
        let page = list(&inside, &filter).await?;
        let names = names(&inside, &page.entries).await?;
        let (chain, checked) = looked.ask(&inside.engine).await?;
        let unknown = match page.entries.is_empty() && !filter.action.is_empty() {
            true => unknown_action(&filter.action, inside.engine.runs().operations()),
            false => None,
        };
        let rows = if let Some(words) = unknown {
            note("warn", words)
        } else if page.entries.is_empty() {
            empty(
                Icon::Audit,
                "No results",
                "Remove a filter to see more. Entries are never changed and never deleted.",
                None,
            )
        } else {
            view! { <div class="card flush">{page.entries.iter().map(|one| entry(&inside, one, &names)).collect_view()}</div> }.drawn()
        };
        let next = page
            .next
            .map(|before| AuditFilter { before: Some(before), ..filter.clone() }.address(&inside.address().audit()));
        let first = filter.before.map(|_| ("Newest", filter.first_page().address(&inside.address().audit())));
        let pager = Pager { first, next: next.map(|href| ("Older", href)), ..Pager::default() };
        let export = filter.first_page().address(&inside.address().audit_export());
        let content = view! {
            <div class="page-head">
                <div><h1>"Audit"</h1><p class="lead">"Who asked for what, and when. Entries can be neither changed nor deleted."</p></div>
                <div class="actions" id="audit-export" data-part=""><a class="button" href=export download="">{Icon::Download.view()}"CSV"</a></div>
            </div>
            {chain_note(&chain, checked)}
            {left_out_note(&left_out)}
            {filters(&inside, &filter)}
            <div id="audit" data-live="">{rows}</div>
            <div id="audit-pager" data-part="">{pager.view()}</div>
        }
        .drawn();
        Ok(("Audit".to_owned(), content))
    })
}

fn chain_note(chain: &Verification, checked: Timestamp) -> AnyView {
    match chain {
        Verification::Intact { entries, last_hash } => note(
            "ok",
            view! {
                <p>
                    {format!("Verified up to entry {}: nothing was changed, nothing is missing. ", format::number(entries.unsigned_abs()))}
                    "Checked "{moment(checked.as_millis())}". Last hash "
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
    let filtered = filter.first_page() != AuditFilter::default();
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=inside.address().audit() data-auto="">
            <div class="search">
                {Icon::Search.view()}
                <input class="input" type="search" name="actor" value=filter.actor.clone() placeholder="Name or e-mail" aria-label="Actor" data-search="" maxlength="100" />
            </div>
            <input class="input" name="action" value=filter.action.clone() placeholder="Action" aria-label="Action" maxlength="100" list="audit-actions" />
            <datalist id="audit-actions">{known_actions(inside.engine.runs().operations()).into_iter().map(|action| view! { <option value=action></option> }).collect_view()}</datalist>
            <input class="input" name="resource" value=filter.resource.clone() placeholder="Resource" aria-label="Resource" maxlength="100" />
            <label class="day-field"><span>"From"</span><input class="input" type="date" name="from" value=filter.first_day() /></label>
            <label class="day-field"><span>"To"</span><input class="input" type="date" name="until" value=filter.last_day() /></label>
            <button class="button">"Apply"</button>
            {filtered.then(|| view! { <a class="button quiet" href=inside.address().audit() data-stay="">"Clear"</a> })}
        </form>
    }
    .drawn()
}

fn entry(inside: &Inside, entry: &Entry, names: &Names) -> AnyView {
    let deed = match deed(entry, names, inside.engine.runs().operations()) {
        Some(deed) => view! { {deed} }.drawn(),
        None => view! { <span class="identifier">{entry.action.clone()}</span> }.drawn(),
    };
    let context = serde_json::to_string_pretty(&entry.context).unwrap_or_default();
    let context: Vec<_> = context.lines().map(visible_on_page).collect();
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
                <span><strong>{entry.actor_name.clone()}</strong>" "{deed}</span>
                <span class="badge" data-tone=tone>{words}</span>
                {Icon::Down.view()}
            </summary>
            <div class="detail stack">
                <dl class="facts">
                    <dt>"Entry"</dt><dd class="number">{entry.seq}</dd>
                    <dt>"Action"</dt><dd class="identifier">{entry.action.clone()}</dd>
                    {email.map(|email| view! { <dt>"E-mail then"</dt><dd>{email}</dd> })}
                    <dt>"Resource"</dt><dd>{entry.resource_type.clone()}" "<span class="identifier">{entry.resource_id.clone()}</span></dd>
                    <dt>"Hash"</dt><dd class="identifier">{entry.hash.to_string()}</dd>
                </dl>
                <pre tabindex="0" aria-label="Context">{context.join("\n")}</pre>
            </div>
        </details>
    }
    .drawn()
}
