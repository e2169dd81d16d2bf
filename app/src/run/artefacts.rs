//! Where a run leads: what its operation made, or what has changed since.

use leptos::prelude::*;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::since::Since;

use super::load::RunDetail;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;

/// Links to what a completed run made; nothing of an operation that has no page for it.
pub(super) fn artefacts(inside: &Inside, detail: &RunDetail) -> Option<AnyView> {
    if detail.run.status != OperationStatus::Completed {
        return None;
    }
    let at = inside.address();
    let (href, words) = match (&detail.sync, detail.run.resource.as_str()) {
        (Some(sync), _) => {
            let since = Some(Since::Run(sync.id));
            let filter = InventoryFilter { since, scope: Some(sync.scope_id), ..InventoryFilter::default() };
            (filter.address(&at.inventory()), "Items that have changed since")
        }
        (None, "drift") => (at.findings(), "Findings"),
        (None, "setting_catalog") => (at.policy_settings(), "Settings by their names"),
        _ => return None,
    };
    Some(view! { <dt>"Leads to"</dt><dd><a href=href>{words}</a></dd> }.drawn())
}
