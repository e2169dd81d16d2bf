//! The clouds as Microsoft's admin centers have them.

use tenantatlas_domain::registry::PortalCloud;
use tenantatlas_store::tenants::Cloud;

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
