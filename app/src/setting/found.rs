//! One policy with those of its settings that were found.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::presence::Presence;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{Assignments, registry};
use tenantatlas_engine::{FoundPolicy, FoundSetting};
use tenantatlas_store::inventory::{Assignment, ItemRow};

use super::place::Place;
use crate::address::{self, TenantAddress};
use crate::filter::ListFilter as _;
use crate::filter::setting::SettingFilter;
use crate::format;
use crate::inventory::assigned::{filter_of, target_of};
use crate::inventory::labels::type_label;
use crate::ui::drawn::Drawn as _;
use crate::ui::time::{exact, moment};
use crate::version::value::{Contents, value_view};

/// Targets of one side that are named at once; the rest stands on the page of the policy.
const TARGETS: usize = 8;

pub(super) fn found(place: &Place, filter: &SettingFilter, at: usize, policy: &FoundPolicy) -> AnyView {
    let (id, label) = (format!("policy-{at}"), format!("policy-{at}"));
    let address = address::tenant(policy.tenant_id);
    let name = shown_name(&policy.display_name, &policy.external_id).into_owned();
    let title = match &policy.item {
        Some(row) => view! { <a href=address.item(row.item.id)>{name}</a> }.drawn(),
        None => name.drawn(),
    };
    let tenant = place.is_over_tenants().then(|| format!("{} · ", visible_on_page(&policy.tenant)));
    let version = format!("version {}", policy.number);
    let version = match &policy.item {
        Some(row) => view! { <a href=address.version(row.item.id, policy.number)>{version}</a> }.drawn(),
        None => version.drawn(),
    };
    let settings = policy.settings.iter().map(|one| setting(place, filter, one)).collect_view();
    view! {
        <section class="card" aria-labelledby=label>
            <h2 id=id>{title}</h2>
            <p class="quiet-text">
                {tenant}{type_label(&policy.policy_type)}" · "{version}", read "{moment(policy.read_at.as_millis())}
                {(!policy.is_whole).then_some(" · kept in part")}
                {policy.item.as_ref().and_then(missing)}
            </p>
            {assigned(&address, policy.item.as_ref())}
            <ul class="settings">{settings}</ul>
        </section>
    }
    .drawn()
}

/// That a policy is not there any more, as far as that is known.
fn missing(row: &ItemRow) -> Option<&'static str> {
    (!row.newer_than_scope && matches!(row.presence, Presence::Missing { .. })).then_some(" · missing in the last sync")
}

/// Whom the policy is assigned to, and whom not: never in one list.
fn assigned(address: &TenantAddress, row: Option<&ItemRow>) -> AnyView {
    let Some(row) = row else {
        return view! { <p class="quiet-text">"Assigned to: not known, the inventory does not hold it"</p> }.drawn();
    };
    let side = |included: bool| {
        let of_side: Vec<&Assignment> = row.assignments.iter().filter(|one| one.is_included() == included).collect();
        let more = of_side.len().saturating_sub(TARGETS);
        let targets = of_side.iter().take(TARGETS).enumerate().map(|(at, one)| target(address, at, one)).collect_view();
        let more = (more > 0).then(|| format!(", {more} more"));
        (!of_side.is_empty()).then(|| view! { {targets} {more} })
    };
    let none = match row.item.assigned {
        Some(false) => "nobody",
        Some(true) => "nobody that is listed",
        None if has_no_assignments(&row.item.policy_type) => "nobody: policies of this type are not assigned",
        None => "not read",
    };
    let included = side(true);
    let nobody = included.is_none().then_some(none);
    let excluded = side(false).map(|targets| view! { <p class="quiet-text">"Excluded: "{targets}</p> });
    view! { <p class="quiet-text">"Assigned to: "{included}{nobody}</p> {excluded} }.drawn()
}

fn has_no_assignments(policy_type: &str) -> bool {
    registry().get(policy_type).is_some_and(|known| known.assignments == Assignments::None)
}

fn target(address: &TenantAddress, at: usize, one: &Assignment) -> AnyView {
    let comma = (at > 0).then_some(", ");
    let words = target_of(one);
    let name = match Assigned::of(one.target_kind, &one.target_id) {
        Some(group) => view! { <a href=address.group(&group)>{words}</a> }.drawn(),
        None => words.drawn(),
    };
    let filter = filter_of(one).map(|words| format!(" ({words})"));
    view! { {comma}{name}{filter} }.drawn()
}

fn setting(place: &Place, filter: &SettingFilter, one: &FoundSetting) -> AnyView {
    let title = visible_on_page(&one.title()).into_owned();
    let class = if one.setting.is_unnamed() { "setting-name identifier" } else { "setting-name" };
    let id = one.entry.definition_id.as_deref().map(|id| visible_on_page(id).into_owned());
    let above = one.setting.category.as_deref().map(|category| visible_on_page(category).into_owned());
    let above = above.map(|above| view! { <span class="under">{above}</span> });
    let value = match (&one.setting.value, one.entry.content) {
        (Some(value), _) => value_view(value, one.setting.property(), Contents::Hidden),
        (None, Some(bytes)) => {
            let words = format!("Hidden, {}", format::counted(bytes as u64, "byte", "bytes"));
            view! { <span class="quiet-text">{words}</span> }.drawn()
        }
        (None, None) => view! { <span class="quiet-text">"not set"</span> }.drawn(),
    };
    let before = one.since_or_before.then_some(" or before");
    let values = SettingFilter { setting: one.key.clone(), ..filter.first_page() }.address(&place.base);
    let values = (!one.key.is_empty()).then(|| view! { " · "<a href=values>"values by tenant"</a> });
    view! {
        <li>
            <div class="setting">
                <div class=class title=id>{title}{above}</div>
                <div class="setting-value">
                    {value}
                    <span class="under">"since "{exact(one.since_at.as_millis())}{before}{values}</span>
                </div>
            </div>
        </li>
    }
    .drawn()
}
