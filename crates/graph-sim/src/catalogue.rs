//! What the simulated Graph offers: collections with their limits and permissions, and the kinds of objects in them.
//!
//! Written from Microsoft's documentation and the published metadata, not from the client's registry.

use std::sync::LazyLock;

/// A kind with some of its columns set.
macro_rules! with {
    ($kind:expr, $($field:ident = $value:expr),+ $(,)?) => {{
        let mut kind = $kind;
        $(kind.$field = $value;)+
        kind
    }};
}

mod administration;
mod apps;
mod cloud_pc;
mod compliance;
mod configuration;
mod enrolment;
mod entra;
mod scripts;
mod updates;

pub use configuration::INTENT_TEMPLATES;

/// How an object is identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// A GUID.
    Guid,
    /// A prefix and a GUID, such as `T_`.
    Prefixed(&'static str),
    /// A GUID and a suffix, such as `_Windows10EnrollmentCompletionPageConfiguration`.
    Suffixed(&'static str),
    /// `0`, `1`, `2` …
    Integer,
    /// `c1`, `c2` …
    Context,
    /// Always the same text.
    Fixed(&'static str),
}

/// What a property holds.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    /// A short text that an edit changes.
    Text,
    /// The object's name once more.
    Name,
    /// A fixed text.
    Is(&'static str),
    /// True or false.
    Bool,
    /// A number below this that an edit changes.
    Number(u64),
    /// One of these.
    Enum(&'static [&'static str]),
    /// One of these in a list; the single read says "unknown" (IntuneManagement, administrative templates).
    UnknownAlone(&'static [&'static str]),
    /// An instant of the past.
    Date,
    /// An instant that moves without meaning (heartbeats, last syncs).
    Heartbeat,
    /// A number that moves without meaning.
    Counter,
    /// How many settings of the catalogue it has.
    SettingCount,
    /// Something that must never be stored.
    Secret,
    /// The same as base64.
    SecretBase64,
    /// Base64 of a JSON object that holds one.
    SecretJson,
    /// A person's address: personal data.
    Person,
    /// The ids of one to three objects of the kind with this key.
    Ids(&'static str),
    /// The ids of groups.
    Groups,
    /// JSON as it stands.
    Raw(&'static str),
    /// OMA settings, the second of them encrypted.
    OmaSettings,
    /// A list of apps as app protection has it.
    Apps,
    /// The conditions and controls of a conditional access policy.
    ConditionalAccess,
    /// The id of one object of the kind with this key, or null.
    OptionalId(&'static str),
    /// Objects `{id, displayName}` of the kind with this key.
    Named(&'static str),
    /// One such object.
    NamedOne(&'static str),
    /// `email_{id}` and `push_{id}` of notification templates.
    NotificationTemplates,
    /// The script of a custom compliance policy and its rules, or null.
    ComplianceScript,
    /// The items of a policy set.
    PolicySetItems,
    /// Supersedence of apps.
    Relationships,
    /// The setting of a reusable settings group.
    ReusableSetting,
    /// The id of that setting's definition.
    ReusableDefinition,
    /// App locker files.
    LockerFiles,
    /// The property exists only on these subtypes.
    On(&'static [&'static str], &'static Field),
    /// A null.
    Null,
}

/// A kind of object: what our users call a policy type.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The key under which expectations are told.
    pub key: &'static str,
    /// Subtypes without `#microsoft.graph.`; empty when the objects carry none.
    pub odata: &'static [&'static str],
    /// The property with the name.
    pub name: &'static str,
    /// How its objects are identified.
    pub id: IdForm,
    /// Its share of all objects.
    pub weight: u64,
    /// It never has more than this.
    pub most: u64,
    /// Whether its objects have assignments.
    pub assigned: bool,
    /// `templateFamily` of settings catalogue policies.
    pub family: Option<&'static str>,
    /// Whether its objects carry `roleScopeTagIds`.
    pub tagged: bool,
    /// Further properties.
    pub fields: &'static [(&'static str, Field)],
    /// Properties that come only with `$expand` or below the object's address.
    pub expandable: &'static [(&'static str, Field)],
    /// Properties that a list tells only when `$select` names them.
    pub selectable: &'static [(&'static str, Field)],
}

/// A collection or a single object.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The path below the version, in the documentation's case.
    pub path: &'static str,
    /// Its kinds; objects come in this order.
    pub kinds: Vec<Kind>,
    /// What `$expand` takes on the list.
    pub expand: &'static [&'static str],
    /// Objects in a page when `$top` is not given.
    pub page: u64,
    /// The largest `$top`.
    pub most: u64,
    /// Whether a larger `$top` is refused; elsewhere it is clamped.
    pub strict: bool,
    /// Any of these permissions lets it be read.
    pub permissions: &'static [&'static str],
    /// Whether it is one object and not a collection.
    pub single: bool,
    /// Whether v1.0 has it.
    pub v1: bool,
}

const CONF: &[&str] = &["DeviceManagementConfiguration.Read.All"];
const APPS: &[&str] = &["DeviceManagementApps.Read.All"];
const SVC: &[&str] = &["DeviceManagementServiceConfig.Read.All"];
const RBAC: &[&str] = &["DeviceManagementRBAC.Read.All"];
const SCR: &[&str] = &["DeviceManagementScripts.Read.All", "DeviceManagementConfiguration.Read.All"];
const POL: &[&str] = &["Policy.Read.All"];
const CPC: &[&str] = &["CloudPC.Read.All"];
const ASG: &[&str] = &["assignments"];

const fn kind(key: &'static str, odata: &'static [&'static str], weight: u64) -> Kind {
    Kind {
        key,
        odata,
        name: "displayName",
        id: IdForm::Guid,
        weight,
        most: u64::MAX,
        assigned: true,
        family: None,
        tagged: true,
        fields: &[],
        expandable: &[],
        selectable: &[],
    }
}

const fn bare(key: &'static str, most: u64) -> Kind {
    let mut kind = kind(key, &[], 1);
    kind.most = most;
    kind.assigned = false;
    kind.tagged = false;
    kind
}

const fn catalogue_policy(key: &'static str, family: &'static str, weight: u64) -> Kind {
    let mut kind = kind(key, &[], weight);
    kind.name = "name";
    kind.family = Some(family);
    kind
}

fn list(
    path: &'static str,
    kinds: &[Kind],
    expand: &'static [&'static str],
    permissions: &'static [&'static str],
) -> Resource {
    Resource {
        path,
        kinds: kinds.to_vec(),
        expand,
        page: 100,
        most: 1_000,
        strict: false,
        permissions,
        single: false,
        v1: false,
    }
}

fn paged(mut resource: Resource, page: u64, most: u64) -> Resource {
    resource.page = page;
    resource.most = most;
    resource
}

fn strict(mut resource: Resource) -> Resource {
    resource.strict = true;
    resource
}

fn v1(mut resource: Resource) -> Resource {
    resource.v1 = true;
    resource
}

fn single(path: &'static str, kinds: &[Kind], permissions: &'static [&'static str]) -> Resource {
    let mut resource = list(path, kinds, &[], permissions);
    resource.single = true;
    resource.v1 = true;
    resource
}

const APP_PROTECTION: &[(&str, Field)] = &[
    ("periodOfflineBeforeAccessCheck", Field::Enum(&["PT12H", "PT24H"])),
    ("allowedInboundDataTransferSources", Field::Enum(&["allApps", "managedApps", "none"])),
    ("pinRequired", Field::Bool),
    ("maximumPinRetries", Field::Number(10)),
    ("deployedAppCount", Field::Counter),
    ("isAssigned", Field::Bool),
    ("version", Field::Counter),
    ("deviceComplianceRequired", Field::Bool),
    ("managedBrowserToOpenLinksRequired", Field::Bool),
    ("saveAsBlocked", Field::Bool),
    ("periodOfflineBeforeWipeIsEnforced", Field::Enum(&["P90D", "P60D"])),
    ("pinCharacterSet", Field::Enum(&["numeric", "alphanumericAndSymbol"])),
    ("allowedDataStorageLocations", Field::Raw(r#"["oneDriveForBusiness","sharePoint"]"#)),
    ("contactSyncBlocked", Field::Bool),
    ("printBlocked", Field::Bool),
    ("minimumRequiredOsVersion", Field::Null),
    ("appGroupType", Field::Enum(&["selectedPublicApps", "allCoreMicrosoftApps"])),
];
const UPDATE: &[(&str, Field)] = &[
    ("featureUpdateVersion", Field::Enum(&["Windows 11, version 24H2", "Windows 11, version 25H2"])),
    ("deployableContentDisplayName", Field::Text),
    ("endOfSupportDate", Field::Heartbeat),
];
const SCRIPT: &[(&str, Field)] = &[
    ("runAsAccount", Field::Enum(&["system", "user"])),
    ("fileName", Field::Is("configure.ps1")),
    ("scriptContent", Field::Null),
];

/// Everything that the simulated Graph offers besides groups, the organization and `$batch`.
pub static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    [
        configuration::resources,
        compliance::resources,
        updates::resources,
        scripts::resources,
        enrolment::resources,
        apps::resources,
        administration::resources,
        cloud_pc::resources,
        entra::resources,
    ]
    .into_iter()
    .flat_map(|resources| resources())
    .collect()
});

/// Everything that any resource asks for, and what groups and the organization ask for.
#[must_use]
pub fn all_permissions() -> Vec<String> {
    let mut permissions: Vec<String> = RESOURCES
        .iter()
        .flat_map(|resource| resource.permissions.iter().map(|permission| (*permission).to_owned()))
        .collect();
    permissions.extend(
        [
            "AuditLog.Read.All",
            "GroupMember.Read.All",
            "Organization.Read.All",
            "DeviceManagementManagedDevices.Read.All",
            // Encrypted OMA settings are read in plain with it.
            "DeviceManagementConfiguration.ReadWrite.All",
        ]
        .map(str::to_owned),
    );
    permissions.sort_unstable();
    permissions.dedup();
    permissions
}
