//! Application permissions for reading (`docs/graph.md`, section Permission matrix).

pub(super) const CONFIGURATION: &str = "DeviceManagementConfiguration.Read.All";
pub(super) const APPS: &str = "DeviceManagementApps.Read.All";
pub(super) const SERVICE_CONFIG: &str = "DeviceManagementServiceConfig.Read.All";
pub(super) const RBAC: &str = "DeviceManagementRBAC.Read.All";
pub(super) const SCRIPTS: &str = "DeviceManagementScripts.Read.All";
pub(super) const MANAGED_DEVICES: &str = "DeviceManagementManagedDevices.Read.All";
pub(super) const POLICY: &str = "Policy.Read.All";
pub(super) const POLICY_CONDITIONAL_ACCESS: &str = "Policy.Read.ConditionalAccess";
pub(super) const POLICY_DEVICE: &str = "Policy.Read.DeviceConfiguration";
pub(super) const AGREEMENT: &str = "Agreement.Read.All";
pub(super) const ORGANIZATION: &str = "Organization.Read.All";
pub(super) const DIRECTORY: &str = "Directory.Read.All";
pub(super) const CLOUD_PC: &str = "CloudPC.Read.All";
pub(super) const SHAREPOINT: &str = "SharePointTenantSettings.Read.All";
/// Names of groups.
const GROUP_MEMBER: &str = "GroupMember.Read.All";
/// The audit log of Entra. That of Intune comes with [`APPS`].
const AUDIT_LOG: &str = "AuditLog.Read.All";

/// The application id of Microsoft Graph, the same in every tenant and cloud.
pub const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// An application permission of Microsoft Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppPermission {
    /// Its name, such as `Policy.Read.All`.
    pub name: &'static str,
    /// The id of the app role that carries it, the same in every tenant
    /// (<https://learn.microsoft.com/graph/permissions-reference>).
    pub app_role_id: &'static str,
}

/// A permission without which no policy type fails: it looks up names, or reads a log.
#[derive(Clone, Copy, Debug)]
pub struct SidePermission {
    /// Its name.
    pub name: &'static str,
    /// The permissions that include it.
    pub included_in: &'static [&'static str],
    /// What is not known without it, as the end of a sentence.
    pub without: &'static str,
}

/// Permissions that look up names of groups and of the tenant itself, and read the audit log of Entra.
pub const SIDE_PERMISSIONS: [SidePermission; 3] = [
    SidePermission {
        name: GROUP_MEMBER,
        included_in: &["Group.Read.All", "Group.ReadWrite.All", "GroupMember.ReadWrite.All", DIRECTORY],
        without: "names of groups stay unknown",
    },
    SidePermission {
        name: ORGANIZATION,
        included_in: &["Organization.ReadWrite.All", DIRECTORY],
        without: "the name of the tenant stays unknown",
    },
    SidePermission { name: AUDIT_LOG, included_in: &[], without: "who changed something in Entra stays unknown" },
];

const fn role(name: &'static str, app_role_id: &'static str) -> AppPermission {
    AppPermission { name, app_role_id }
}

/// Every permission that this program may ask for.
const APP_PERMISSIONS: [AppPermission; 16] = [
    role(AGREEMENT, "2f3e6f8c-093b-4c57-a58b-ba5ce494a169"),
    role(AUDIT_LOG, "b0afded3-3588-46d8-8b3d-9842eff778da"),
    role(CLOUD_PC, "a9e09520-8ed4-4cde-838e-4fdea192c227"),
    role(APPS, "7a6ee1e7-141e-4cec-ae74-d9db155731ff"),
    role(CONFIGURATION, "dc377aa6-52d8-4e23-b271-2a7ae04cedf3"),
    role(MANAGED_DEVICES, "2f51be20-0bb4-4fed-bf7b-db946066c75e"),
    role(RBAC, "58ca0d9a-1575-47e1-a3cb-007ef2e4583b"),
    role(SCRIPTS, "c7a5be92-2b3d-4540-8a67-c96dcaae8b43"),
    role(SERVICE_CONFIG, "06a5fe6d-c49d-46a7-b082-56b1b14103c7"),
    role(DIRECTORY, "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    role(GROUP_MEMBER, "98830695-27a2-44f7-8c18-0c3ebc9698f6"),
    role(ORGANIZATION, "498476ce-e0fe-48b0-b801-37ba7e2685c6"),
    role(POLICY, "246dd0d5-5bd0-4def-940b-0421030a5b68"),
    role(POLICY_CONDITIONAL_ACCESS, "37730810-e9ba-4e46-b07e-8ca78d182097"),
    role(POLICY_DEVICE, "bdba4817-6ba1-4a7c-8a01-be9bc7c242dd"),
    role(SHAREPOINT, "83d4163d-a2d8-4d3b-9695-4ae3ca98f888"),
];

/// The permission with this name.
#[must_use]
pub fn app_permission(name: &str) -> Option<AppPermission> {
    APP_PERMISSIONS.iter().copied().find(|permission| permission.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;
    use std::collections::BTreeSet;

    #[test]
    fn every_permission_that_a_type_needs_has_its_app_role_and_no_two_share_one() {
        for policy_type in registry().all() {
            assert!(app_permission(policy_type.permission).is_some(), "{}", policy_type.permission);
        }
        let ids: BTreeSet<&str> = APP_PERMISSIONS.iter().map(|permission| permission.app_role_id).collect();
        assert_eq!(ids.len(), APP_PERMISSIONS.len());
        for permission in APP_PERMISSIONS {
            let lengths: Vec<usize> = permission.app_role_id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{}", permission.name);
            assert!(permission.app_role_id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()));
        }
    }

    #[test]
    fn a_connection_is_asked_for_what_its_types_need_for_names_and_for_logs() {
        let names: Vec<&str> = registry().connection_permissions().iter().map(|permission| permission.name).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len(), "{names:?}");
        for policy_type in registry().default_on() {
            assert!(names.contains(&policy_type.permission), "{}", policy_type.key);
        }
        for permission in SIDE_PERMISSIONS {
            assert!(names.contains(&permission.name), "{}", permission.name);
        }
        assert!(names.iter().all(|name| !name.contains("Write")), "this program only reads");
    }
}
