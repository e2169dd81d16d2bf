//! The page of the search: what is looked for, what was found, and what was not searched.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::setting_query::{FILTERS, LONGEST_QUERY};
use tenantatlas_engine::{Engine, EngineError, SearchAnswer};

use super::found::found;
use super::not_searched::not_searched;
use super::place::Place;
use super::values::values;
use crate::error::AppError;
use crate::filter::ListFilter as _;
use crate::filter::setting::SettingFilter;
use crate::format::counted;
use crate::frame::view::Section;
use crate::page::{plain_page, query, tenant_page};
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::{empty, note};
use crate::ui::pager::Pager;
use crate::{address, scope};

/// What can be looked for, as links that do so.
const EXAMPLES: [(&str, &str); 4] = [
    ("BitLocker", "names, categories and values with the word"),
    ("value:enabled setting:encryption", "values by whole words, names by any part"),
    ("type:settingsCatalogPolicy value:block", "of one type"),
    ("\"password required\"", "a text with blanks, or with a colon"),
];

/// Over all tenants of the person.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let filter = SettingFilter::read(query());
    plain_page(move || async move {
        let (session, engine) = (scope::session()?, scope::engine()?);
        let place = Place { base: address::SETTINGS.to_owned(), tenants: Vec::new(), actor: session.actor() };
        content(&engine, &place, &filter).await
    })
}

/// In one tenant.
#[component]
pub fn TenantSettingsPage() -> impl IntoView {
    let filter = SettingFilter::read(query());
    tenant_page(Section::PolicySettings, move |inside| async move {
        let base = inside.address().policy_settings();
        let place = Place { base, tenants: vec![inside.id()], actor: inside.session.actor() };
        content(&inside.engine, &place, &filter).await
    })
}

async fn content(engine: &Engine, place: &Place, filter: &SettingFilter) -> Result<(String, AnyView), AppError> {
    let shown = match (filter.search.is_empty(), filter.setting.is_empty()) {
        (true, _) => Ok(help(place)),
        (false, true) => engine
            .search_settings(&place.actor, &place.request(filter))
            .await
            .map(|answer| answered(place, filter, &answer)),
        (false, false) => engine
            .pivot_setting(&place.actor, &place.request(filter), &filter.setting)
            .await
            .map(|pivot| values(place, filter, &pivot)),
    };
    let shown = match shown {
        Ok(shown) => shown,
        Err(EngineError::Query(error)) => {
            let words = visible_on_page(&error.to_string()).into_owned();
            view! { {note("bad", view! { <p>{words}</p> })} {help(place)} }.drawn()
        }
        Err(error) => return Err(error.into()),
    };
    let lead = match place.is_over_tenants() {
        true => "What policies set in all of your tenants, by the latest version that is kept of each.",
        false => "What policies set in this tenant, by the latest version that is kept of each.",
    };
    let content = view! {
        <div class="page-head">
            <div>
                {place.is_over_tenants().then(|| view! {
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::HOME>"All tenants"</a></nav>
                })}
                <h1>"Policy settings"</h1>
                <p class="lead">{lead}</p>
            </div>
            <div class="actions">{elsewhere(place, filter)}</div>
        </div>
        {form(place, filter)}
        {shown}
    }
    .drawn();
    Ok(("Policy settings".to_owned(), content))
}

/// From one tenant to all of the person.
fn elsewhere(place: &Place, filter: &SettingFilter) -> Option<AnyView> {
    (!place.is_over_tenants()).then(|| {
        let all = filter.first_page().address(address::SETTINGS);
        view! { <a class="button" href=all>{Icon::Tenant.view()}"Search all tenants"</a> }.drawn()
    })
}

fn form(place: &Place, filter: &SettingFilter) -> AnyView {
    view! {
        <form class="filters" method="get" action=place.base.clone() role="search">
            <div class="search">
                {Icon::Search.view()}
                <input
                    class="input" type="search" name="q" value=filter.search.clone() aria-label="Search settings"
                    placeholder="BitLocker, value:enabled, a definition ID" data-search="" maxlength=LONGEST_QUERY.to_string()
                />
            </div>
            <button class="button">"Search"</button>
            {(!filter.search.is_empty()).then(|| view! { <a class="button quiet" href=place.base.clone()>"Clear"</a> })}
        </form>
    }
    .drawn()
}

/// What can be looked for.
fn help(place: &Place) -> AnyView {
    let examples = EXAMPLES.map(|(example, words)| {
        let filter = SettingFilter { search: example.to_owned(), ..SettingFilter::default() };
        view! { <li><a href=filter.address(&place.base)>{example}</a>" "<span class="quiet-text">{words}</span></li> }
    });
    let filters = FILTERS.map(|(name, takes)| {
        view! { <li><span class="identifier">{format!("{name}:")}</span>" "<span class="quiet-text">{takes}</span></li> }
    });
    view! {
        <section class="card" aria-labelledby="how">
            <h2 id="how">"What can be looked for"</h2>
            <ul>{examples.into_iter().collect_view()}</ul>
            <h3>"Filters"</h3>
            <ul>{filters.into_iter().collect_view()}</ul>
            <p class="quiet-text">
                "All parts must hold; of several types or tenants one. Values are found by whole words, since they are kept encrypted. "
                "Scripts, payloads and credentials are not searched."
            </p>
        </section>
    }
    .drawn()
}

fn answered(place: &Place, filter: &SettingFilter, answer: &SearchAnswer) -> AnyView {
    let settings: usize = answer.policies.iter().map(|policy| policy.settings.len()).sum();
    let more = answer.next.is_some();
    let next = answer.next.map(|next| SettingFilter { after: Some(next), ..filter.clone() }.address(&place.base));
    let pager = Pager {
        first: filter.after.map(|_| ("First", filter.first_page().address(&place.base))),
        next: next.map(|href| ("Next", href)),
        ..Pager::default()
    };
    let counted = match (answer.policies.is_empty(), more || filter.after.is_some()) {
        (true, _) => String::new(),
        (false, true) => format!("{} on this page", counted(settings as u64, "setting", "settings")),
        (false, false) => format!(
            "{} of {}",
            counted(settings as u64, "setting", "settings"),
            counted(answer.policies.len() as u64, "policy", "policies")
        ),
    };
    let list = if answer.policies.is_empty() {
        empty(
            Icon::Search,
            "Nothing found",
            "No latest version that was searched has such a setting. What was not searched stands below.",
            None,
        )
    } else {
        let export = |kind: &str| filter.first_page().address(&address::settings_export(&place.base, kind));
        view! {
            <div class="page-head">
                <p class="lead">{counted}</p>
                <div class="actions">
                    <a class="button" href=export("csv") download="">{Icon::Download.view()}"CSV"</a>
                    <a class="button" href=export("json") download="">{Icon::Download.view()}"JSON"</a>
                </div>
            </div>
            {answer.policies.iter().enumerate().map(|(at, policy)| found(place, filter, at, policy)).collect_view()}
        }
        .drawn()
    };
    view! { {list} {pager.view()} {not_searched(place, &answer.coverage)} }.drawn()
}
