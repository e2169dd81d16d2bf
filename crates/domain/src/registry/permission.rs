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
