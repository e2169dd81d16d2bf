//! The values of one setting by tenant.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::setting_query::LONGEST_QUERY;
use tenantatlas_engine::{PivotRow, SettingPivot};

use super::not_searched::not_searched;
use super::place::Place;
use crate::address;
use crate::filter::ListFilter as _;
use crate::filter::setting::SettingFilter;
use crate::format::{counted, number};
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::note::empty;

/// Values that have a column of their own; the rest is counted together.
const COLUMNS: usize = 12;

pub(super) fn values(place: &Place, filter: &SettingFilter, pivot: &SettingPivot) -> AnyView {
    let back = SettingFilter { setting: String::new(), ..filter.first_page() }.address(&place.base);
    let export = |kind: &str| filter.first_page().address(&address::settings_export(&place.base, kind));
    let name = visible_on_page(&pivot.name).into_owned();
    let key = visible_on_page(&pivot.key).into_owned();
    let table = if pivot.rows.is_empty() {
        empty(Icon::Search, "Set nowhere", "No latest version that was searched sets it.", None)
    } else {
        table(pivot)
    };
    let not_set = (!pivot.not_set.is_empty()).then(|| {
        let names: Vec<_> = pivot.not_set.iter().map(|name| visible_on_page(name).into_owned()).collect();
        view! {
            <details class="card">
                <summary>{format!("Not set in {}", counted(names.len() as u64, "tenant", "tenants"))}</summary>
                <p>{names.join(", ")}</p>
            </details>
        }
    });
    view! {
        <div class="page-head">
            <div>
                <h2>{name}</h2>
                <p class="lead"><span class="identifier">{key}</span></p>
            </div>
            <div class="actions">
                <a class="button" href=back>{Icon::Previous.view()}"Policies"</a>
                <a class="button" href=export("csv") download="">{Icon::Download.view()}"CSV"</a>
                <a class="button" href=export("json") download="">{Icon::Download.view()}"JSON"</a>
            </div>
        </div>
        {table}
        {pivot.more.then_some("There are more values than are shown: name a tenant or a type.")}
        {not_set}
        {not_searched(place, &pivot.coverage)}
    }
    .drawn()
}

/// A row per tenant, a column per value, and in each place how many policies set it so.
fn table(pivot: &SettingPivot) -> AnyView {
    let shown = pivot.values.len().min(COLUMNS);
    let others = pivot.values.len() - shown;
    let head = pivot.values.iter().take(shown).map(|value| {
        let value = visible_on_page(value).into_owned();
        view! { <th scope="col">{value}</th> }
    });
    let other_head = (others > 0).then(|| {
        let words = counted(others as u64, "other value", "other values");
        view! { <th scope="col">{words}</th> }
    });
    let rows = pivot.rows.iter().map(|one| row(pivot, one, shown, others > 0)).collect_view();
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <caption class="visually-hidden">"Policies by tenant and value"</caption>
                <thead><tr><th scope="col">"Tenant"</th>{head.collect_view()}{other_head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .drawn()
}

fn row(pivot: &SettingPivot, row: &PivotRow, shown: usize, others: bool) -> AnyView {
    let href = address::tenant(row.tenant_id).policy_settings();
    let sought = |search: String| SettingFilter { search, ..SettingFilter::default() }.address(&href);
    let cells = pivot.values.iter().zip(&row.policies).take(shown).map(|(value, count)| {
        let policies = search_for(&pivot.key, value).filter(|_| *count > 0).map(sought);
        let label = visible_on_page(value).into_owned();
        let words = format!("{} with {label}", counted(*count, "policy", "policies"));
        let places = match policies {
            Some(policies) => view! { <a href=policies aria-label=words>{places(*count)}</a> }.drawn(),
            None => places(*count).drawn(),
        };
        view! { <td data-label=label>{places}</td> }
    });
    let more: u64 = row.policies.iter().skip(shown).sum();
    let more = others.then(|| view! { <td data-label="Other values">{places(more)}</td> });
    view! {
        <tr>
            <th scope="row" class="title"><a href=sought(setting(&pivot.key))>{visible_on_page(&row.tenant).into_owned()}</a></th>
            {cells.collect_view()}
            {more}
        </tr>
    }
    .drawn()
}

/// The search for one setting.
fn setting(key: &str) -> String {
    format!("setting:\"{key}\"")
}

/// The search for the policies that set a setting so. None for what is no value that was searched, as how long a script is or
/// the name of a scope tag, which is searched by its ID, and for what cannot be written as a search.
fn search_for(key: &str, value: &str) -> Option<String> {
    let is_value = value != "not set" && !value.starts_with("content of ") && !value.ends_with(", not kept");
    let is_value = is_value && !key.starts_with("roleScopeTag");
    let can_be_sought = value.chars().any(char::is_alphanumeric) && !value.contains('"') && !key.contains('"');
    let search = format!("{} value:\"{value}\"", setting(key));
    (is_value && can_be_sought && search.chars().count() <= LONGEST_QUERY).then_some(search)
}

fn places(count: u64) -> Option<String> {
    (count > 0).then(|| number(count))
}

#[cfg(test)]
mod tests {
    use tenantatlas_domain::setting_query::SettingQuery;

    use super::*;

    #[test]
    fn a_cell_leads_to_a_search_that_is_understood_or_nowhere() {
        let search = search_for("device_vendor_msft_x", "Enabled: all").expect("a search");
        assert_eq!(search, "setting:\"device_vendor_msft_x\" value:\"Enabled: all\"");
        assert_eq!(SettingQuery::parse(&search).expect("understood").sought.len(), 2);
        for value in ["not set", "content of 12 bytes", "a file, not kept", "a \"b\"", "--", &"x".repeat(LONGEST_QUERY)]
        {
            assert_eq!(search_for("key", value), None, "{value}");
        }
        assert_eq!(search_for("roleScopeTagIds", "Default"), None, "it is kept by its ID");
    }
}
