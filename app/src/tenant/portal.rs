//! The clouds as Microsoft's admin centers have them.

use leptos::prelude::*;
use tenantatlas_domain::registry::{PortalCloud, PortalLink};
use tenantatlas_store::tenants::Cloud;

use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// The admin centers of a cloud; none where the endpoints are custom.
#[must_use]
pub const fn portal_cloud(cloud: Cloud) -> Option<PortalCloud> {
    match cloud {
        Cloud::Global => Some(PortalCloud::Global),
        Cloud::UsgovL4 | Cloud::UsgovDod => Some(PortalCloud::UsGovernment),
        Cloud::China => Some(PortalCloud::China),
        Cloud::Custom => None,
    }
}

/// What opens a page of Microsoft's admin centers.
pub fn portal_button(link: PortalLink) -> AnyView {
    let words = if link.exact {
        format!("Open in {}", link.site.label())
    } else {
        format!("Open the list in {}", link.site.label())
    };
    view! {
        <a class="button" href=link.address target="_blank" rel="noopener noreferrer" title="Microsoft's admin center, in a new tab">
            {Icon::Outside.view()}
            {words}
            <span class="visually-hidden">" (Microsoft's admin center, new tab)"</span>
        </a>
    }
    .drawn()
}
