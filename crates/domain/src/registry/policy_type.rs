//! The columns of the registry.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::listing::Split;
use super::platform::PlatformRule;
use crate::references::Relationship;

/// What a type is about; the groups in which a person chooses types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Device configuration.
    Configuration,
    /// Endpoint security and baselines.
    EndpointSecurity,
    /// Compliance.
    Compliance,
    /// Updates of operating systems and drivers.
    Updates,
    /// Scripts and remediations.
    Scripts,
    /// Enrolment of devices.
    Enrolment,
    /// Apps, their configuration and protection.
    Apps,
    /// Tenant administration, connectors and roles.
    Administration,
    /// Windows 365.
    CloudPc,
    /// Microsoft Entra.
    Entra,
}

impl Category {
    /// Every category, in the order in which they are shown.
    pub const ALL: &'static [Self] = &[
        Self::Configuration,
        Self::EndpointSecurity,
        Self::Compliance,
        Self::Updates,
        Self::Scripts,
        Self::Enrolment,
        Self::Apps,
        Self::Administration,
        Self::CloudPc,
        Self::Entra,
    ];

    /// The stable name, used in selections, addresses and the database.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::EndpointSecurity => "endpoint_security",
            Self::Compliance => "compliance",
            Self::Updates => "updates",
            Self::Scripts => "scripts",
            Self::Enrolment => "enrolment",
            Self::Apps => "apps",
            Self::Administration => "administration",
            Self::CloudPc => "cloud_pc",
            Self::Entra => "entra",
        }
    }

    /// The stable name, as for every other stored enumeration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.slug()
    }

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::EndpointSecurity => "Endpoint security",
            Self::Compliance => "Compliance",
            Self::Updates => "Updates",
            Self::Scripts => "Scripts",
            Self::Enrolment => "Enrolment",
            Self::Apps => "Apps",
            Self::Administration => "Administration",
            Self::CloudPc => "Windows 365",
            Self::Entra => "Entra",
        }
    }
}

crate::names::named!(Category, UnknownCategory, "category of policy types");

/// The version of Microsoft Graph to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ApiVersion {
    /// `v1.0`.
    #[serde(rename = "v1.0")]
    V1,
    /// `beta`: what exists only there, or carries scope tags and subtypes only there.
    #[serde(rename = "beta")]
    Beta,
}

impl ApiVersion {
    /// The segment of the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// Where the objects of a type are. Paths are relative to the version, without
/// a leading slash: `deviceManagement/intents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A collection, read page by page.
    Collection {
        /// The path of the collection.
        path: &'static str,
    },
    /// One object.
    Singleton {
        /// The path of the object.
        path: &'static str,
    },
    /// A collection below each object of another collection.
    ChildrenOf {
        /// The path of the parents.
        parent_path: &'static str,
        /// The query with which the parents are listed, without `?`.
        parent_query: &'static str,
        /// The path below `{parent_path}/{parent id}/`.
        child_path: &'static str,
    },
}

/// How the assignments of a type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignments {
    /// They come with the list, by `$expand=assignments`.
    Expand,
    /// By `{item}/assignments`, for every item in every run: an assignment may
    /// change without a trace on the item itself.
    Child,
    /// They are part of the object itself (or of its single read).
    Inline,
    /// The type has none.
    None,
}

/// What an extra read of one item returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DetailShape {
    /// A collection, all pages of it: becomes the array `property` of the item.
    Collection,
    /// The item itself, more fully: its properties replace those of the list row.
    Merge,
}

/// An extra read that completes the content of one item. Only needed when
/// [`revision_of`] (or the content of the list row) differs from the last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The property that the answer becomes; empty for [`DetailShape::Merge`].
    pub property: &'static str,
    /// The path below the item, without slashes at its ends; empty for the item itself.
    pub path: &'static str,
    /// The query without `?`; may be empty.
    pub query: &'static str,
    /// What the answer is.
    pub shape: DetailShape,
    /// Numeric properties of the list row of which one must be above zero for
    /// the read to be worth it; empty: always.
    pub when_positive: &'static [&'static str],
    /// A further read for each element of the answer, at
    /// `{item}/{path}/{element id}/{each.path}`.
    pub each: Option<&'static Detail>,
}

impl Detail {
    /// A collection below the item.
    #[must_use]
    pub const fn collection(property: &'static str, path: &'static str, query: &'static str) -> Self {
        Self { property, path, query, shape: DetailShape::Collection, when_positive: &[], each: None }
    }

    /// The single read of the item.
    #[must_use]
    pub const fn merge(query: &'static str) -> Self {
        Self { property: "", path: "", query, shape: DetailShape::Merge, when_positive: &[], each: None }
    }

    /// Whether the list row says that there is something to read.
    #[must_use]
    pub fn is_wanted(&self, row: &Value) -> bool {
        self.when_positive.is_empty()
            || self
                .when_positive
                .iter()
                .any(|property| row.get(property).and_then(Value::as_i64).is_some_and(|count| count > 0))
    }

    /// The address below the version, for the item (or element) at `item_path`.
    #[must_use]
    pub fn url(&self, item_path: &str) -> String {
        let path = if self.path.is_empty() { item_path.to_owned() } else { format!("{item_path}/{}", self.path) };
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }
}

/// A feature with a licence of its own: 403 or 404 means that there is nothing
/// to read, not that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Windows 365 cloud PCs.
    Windows365,
    /// Microsoft Cloud PKI.
    CloudPki,
    /// SharePoint Online.
    SharePoint,
}

impl Feature {
    /// The name of the product.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Windows365 => "Windows 365",
            Self::CloudPki => "Microsoft Cloud PKI",
            Self::SharePoint => "SharePoint Online",
        }
    }
}

/// The shape that a metadata value must have to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaKind {
    /// A short text, such as a name from an enumeration.
    Text,
    /// A date and time.
    Time,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A list of short texts.
    TextList,
    /// Only the number of elements of a list.
    Count,
}

/// One property that may be kept as metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetaField {
    /// The name under which it is kept.
    pub key: &'static str,
    /// Where it is in the object, segments divided by dots.
    pub path: &'static str,
    /// The shape it must have.
    pub kind: MetaKind,
}

macro_rules! meta_constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)+) => {
        impl MetaField {
            $($(#[$doc])*
            #[must_use]
            pub const fn $name(property: &'static str) -> Self {
                Self { key: property, path: property, kind: MetaKind::$kind }
            })+

            /// The same field, found at another place of the object.
            #[must_use]
            pub const fn at(self, path: &'static str) -> Self {
                Self { key: self.key, path, kind: self.kind }
            }
        }
    };
}

meta_constructors! {
    /// A short text.
    text => Text;
    /// A date and time.
    time => Time;
    /// A whole number.
    integer => Integer;
    /// True or false.
    boolean => Boolean;
    /// A list of short texts.
    texts => TextList;
    /// The number of elements of a list.
    count => Count;
}

/// What a reference found by a rule points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceTarget {
    /// An object of the type with this key.
    Type(&'static str),
    /// An object of the type with this key; the value is `{prefix}_{id}`.
    PrefixedType(&'static str),
    /// A group.
    Group,
    /// A user.
    User,
    /// A directory role (its template id).
    DirectoryRole,
    /// An application (its client id).
    Application,
    /// An object whose type only the items read so far can tell.
    AnyItem,
    /// Elements of a policy set: `payloadId`, the type from the element's `@odata.type`.
    PolicySetItems,
    /// Relationships of an app: `targetId`, unless the target is the parent.
    AppRelationships,
    /// Setting instances at any depth: values of reference type, which point to
    /// the type with this key, or (without one) to an item of any type.
    SettingReferences(Option<&'static str>),
    /// Lists of `{target: {groupId …}}`, shaped like assignments.
    AssignmentTargets,
}

/// Where a type points to others, beyond assignments and scope tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReferenceRule {
    /// Where the ids are: segments divided by dots; lists are walked through.
    pub path: &'static str,
    /// What the reference means.
    pub relationship: Relationship,
    /// What it points to.
    pub target: ReferenceTarget,
}

impl ReferenceRule {
    /// `path` holds what the object cannot do without, or uses.
    #[must_use]
    pub const fn uses(path: &'static str, target: ReferenceTarget) -> Self {
        Self { path, relationship: Relationship::Uses, target }
    }

    /// `path` holds references with another meaning.
    #[must_use]
    pub const fn of(relationship: Relationship, path: &'static str, target: ReferenceTarget) -> Self {
        Self { path, relationship, target }
    }
}

/// One kind of object that can be read from a tenant.
#[derive(Debug)]
pub struct PolicyType {
    /// The stable key, such as `settingsCatalogPolicy`.
    pub key: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// The group in which it is shown.
    pub category: Category,
    /// How the platform of an object is known.
    pub platform: PlatformRule,
    /// Where the objects are.
    pub source: Source,
    /// The version of Graph to call.
    pub api_version: ApiVersion,
    /// `$top`, where Microsoft documents one or practice has shown one to work.
    pub page_size: Option<u16>,
    /// The query of the list without `?` and `$top`; may be empty.
    pub query: &'static str,
    /// The property with the display name.
    pub name_property: &'static str,
    /// The property with the id that Microsoft gave.
    pub id_property: &'static str,
    /// The least application permission for reading.
    pub permission: &'static str,
    /// Other permissions that are accepted instead.
    pub alternative_permissions: &'static [&'static str],
    /// Whether other objects stand on it: filters, scope tags, roles, tokens.
    pub foundation: bool,
    /// Whether it is part of the full inventory.
    pub default_on: bool,
    /// The separately licensed feature it belongs to.
    pub licensed_feature: Option<Feature>,
    /// Whether 404 means that the tenant has none (and not that the endpoint is unknown).
    pub absent_is_empty: bool,
    /// How it is told from others of the same collection.
    pub split: Split,
    /// How assignments are read.
    pub assignments: Assignments,
    /// Extra reads that complete the content.
    pub details: &'static [Detail],
    /// Properties kept as metadata, beyond those kept for every type.
    pub meta: &'static [MetaField],
    /// Properties that say nothing when they change; `*` at one end stands for any text.
    pub volatile: &'static [&'static str],
    /// The same for objects that are built in (`isBuiltIn` is true), top level only.
    pub built_in_volatile: &'static [&'static str],
    /// Where it points to others, beyond assignments and scope tags.
    pub references: &'static [ReferenceRule],
}

impl PolicyType {
    const fn new(
        key: &'static str,
        label: &'static str,
        category: Category,
        source: Source,
        permission: &'static str,
    ) -> Self {
        Self {
            key,
            label,
            category,
            platform: PlatformRule::All,
            source,
            api_version: ApiVersion::Beta,
            page_size: None,
            query: "",
            name_property: "displayName",
            id_property: "id",
            permission,
            alternative_permissions: &[],
            foundation: false,
            default_on: true,
            licensed_feature: None,
            absent_is_empty: false,
            split: Split::Whole,
            assignments: Assignments::None,
            details: &[],
            meta: &[],
            volatile: &[],
            built_in_volatile: &[],
            references: &[],
        }
    }

    /// A row for a collection, with the values most rows share.
    pub(super) const fn collection(
        category: Category,
        key: &'static str,
        label: &'static str,
        path: &'static str,
        permission: &'static str,
    ) -> Self {
        Self::new(key, label, category, Source::Collection { path }, permission)
    }

    /// A row for a single object, with the values most rows share.
    pub(super) const fn singleton(
        category: Category,
        key: &'static str,
        label: &'static str,
        path: &'static str,
        permission: &'static str,
    ) -> Self {
        Self::new(key, label, category, Source::Singleton { path }, permission)
    }

    /// A row for a collection below each object of another.
    pub(super) const fn children(
        category: Category,
        key: &'static str,
        label: &'static str,
        source: Source,
        permission: &'static str,
    ) -> Self {
        Self::new(key, label, category, source, permission)
    }

    /// Whether one of the granted application permissions lets the type be read:
    /// the least one, an alternative, or the `ReadWrite` form of either.
    #[must_use]
    pub fn is_permitted_by(&self, granted: &[impl AsRef<str>]) -> bool {
        std::iter::once(&self.permission).chain(self.alternative_permissions).any(|wanted| {
            granted.iter().any(|given| {
                let given = given.as_ref();
                given == *wanted || given.replacen(".ReadWrite", ".Read", 1) == *wanted
            })
        })
    }

    /// The path of one object below the version: of the object `id` in the
    /// collection (below `parent_id`, where it has a parent), or of the singleton.
    /// Returns `None` when a parent is needed and not given.
    #[must_use]
    pub fn item_path(&self, parent_id: Option<&str>, id: &str) -> Option<String> {
        match self.source {
            Source::Collection { path } => Some(format!("{path}/{}", path_segment(id))),
            Source::Singleton { path } => Some(path.to_owned()),
            Source::ChildrenOf { parent_path, child_path, .. } => parent_id
                .map(|parent| format!("{parent_path}/{}/{child_path}/{}", path_segment(parent), path_segment(id))),
        }
    }
}

/// An id as a segment of an address: what could end the segment is escaped.
pub(super) fn path_segment(id: &str) -> String {
    let mut segment = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@=".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

/// The property in which a child carries the id of its parent. It is ours, not
/// Graph's: [`attach_parent`] writes it, the normaliser leaves it out.
pub const PARENT_ID_PROPERTY: &str = "@tenantatlas.parentId";

/// Notes on a child of [`Source::ChildrenOf`] which parent it was read below.
pub fn attach_parent(child: &mut Value, parent_id: &str) {
    if let Value::Object(object) = child {
        object.insert(PARENT_ID_PROPERTY.to_owned(), Value::from(parent_id));
    }
}

/// The revision that the list row states: its version and time of modification.
/// `None` when it states neither, so that nothing can be concluded from it.
#[must_use]
pub fn revision_of(_policy_type: &PolicyType, row: &Value) -> Option<String> {
    let mut revision = String::new();
    for property in ["lastModifiedDateTime", "modifiedDateTime", "version"] {
        match row.get(property) {
            Some(Value::String(text)) if !text.is_empty() && !text.starts_with("0001-01-01") => {
                revision.push_str(text);
            }
            Some(Value::Number(number)) => revision.push_str(&number.to_string()),
            _ => continue,
        }
        revision.push(';');
    }
    (!revision.is_empty()).then_some(revision)
}

/// The expanded properties that Graph cut short, each with the link to the rest
/// (`settings@odata.nextLink`). The content is whole only when they were followed.
pub fn continuations(row: &Value) -> impl Iterator<Item = (&str, &str)> {
    row.as_object().into_iter().flatten().filter_map(|(key, value)| {
        let property = key.strip_suffix("@odata.nextLink")?;
        (!property.is_empty()).then_some((property, value.as_str()?))
    })
}
