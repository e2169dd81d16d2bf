//! The versions of an item, on its page.

use leptos::prelude::*;
use tenantatlas_domain::body::{Completeness, Lack};
use tenantatlas_domain::role::Action;
use tenantatlas_store::policies::Version;

use super::changed_by::attribution;
use super::functions::{CaptureItems, ReadAuditEvents};
use super::item::ItemDetail;
use crate::format;
use crate::scope::Inside;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;
use crate::ui::state::state;
use crate::ui::time::moment;

/// The versions that captures kept, and the way to another one.
pub fn versions(inside: &Inside, detail: &ItemDetail) -> AnyView {
    let rows = detail.versions.iter().map(|version| row(inside, detail, version)).collect_view();
    let list = if detail.versions.is_empty() {
        let none = "No version of its settings is kept yet. A sync keeps none: a capture does.";
        view! { <p class="quiet-text">{none}</p> }.drawn()
    } else {
        view! { <ol class="rows">{rows}</ol> }.drawn()
    };
    let capture = inside.role.allows(Action::Capture).then(|| {
        let action = inside.address().function::<CaptureItems>();
        view! {
            <form method="post" action=action>
                {hidden("items[]", detail.row.item.id.to_string())}
                <button class="button">{Icon::Inventory.view()}"Keep a version now"</button>
            </form>
        }
    });
    let read = (inside.role.allows(Action::Sync) && detail.changed_by.may_be_told_more()).then(|| {
        let action = inside.address().function::<ReadAuditEvents>();
        view! {
            <form method="post" action=action>
                <button class="button">{Icon::Audit.view()}"Read who changed it now"</button>
            </form>
        }
    });
    let actions = (capture.is_some() || read.is_some()).then(|| view! { <div class="actions">{capture} {read}</div> });
    section_card("versions", "Versions", view! { {list} {actions} })
}

fn row(inside: &Inside, detail: &ItemDetail, version: &Version) -> AnyView {
    let (item, number) = (detail.row.item.id, version.number);
    let name = match inside.role.allows(Action::SeeBodies) {
        true => {
            let href = inside.address().version(item, number);
            view! { <a href=href>{format!("Version {number}")}</a> }.drawn()
        }
        false => format!("Version {number}").drawn(),
    };
    let compare = (inside.role.allows(Action::SeeBodies) && number > 1).then(|| {
        let href = inside.address().difference(item, number - 1, number);
        view! { <a href=href>"What changed"</a> }
    });
    let completeness = match version.completeness {
        Completeness::Complete => state("ok", Icon::Done, "Complete"),
        Completeness::Partial => state("warn", Icon::Partly, "Partial"),
    };
    let lacks: Vec<String> = version.lacks.iter().map(Lack::words).collect();
    let lacks = (!lacks.is_empty()).then(|| format!("Lacks: {}", lacks.join("; ")));
    let settings = version.settings.map(|count| format::counted(count, "setting", "settings"));
    let who = detail
        .changed_by
        .versions
        .get(&version.number)
        .map(|who| view! { <p class="whole quiet-text">"Changed by: "{attribution(who)}</p> });
    view! {
        <li>
            <span class="grow">{name}", read "{moment(version.read_at.as_millis())}</span>
            {compare}
            {settings.map(|settings| view! { <span class="quiet">{settings}</span> })}
            {lacks.map(|lacks| view! { <span class="quiet">{lacks}</span> })}
            {completeness}
            {who}
        </li>
    }
    .drawn()
}
