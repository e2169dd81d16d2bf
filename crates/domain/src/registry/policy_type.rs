//! The columns of the registry.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::category::Category;
use super::detail::Detail;
use super::listing::Split;
use super::meta_field::MetaField;
use super::platform::PlatformRule;
use super::reference_rule::ReferenceRule;
use crate::path_segment::path_segment;
use crate::references::Relationship;

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

    /// Whether its objects say to whom they are assigned.
    #[must_use]
    pub fn tells_assignments(&self) -> bool {
        let by_rule = self.references.iter().any(|rule| rule.relationship == Relationship::AssignedTo);
        by_rule || self.assignments != Assignments::None
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
pub fn revision_of(row: &Value) -> Option<String> {
    let mut revision = String::new();
    for property in ["lastModifiedDateTime", "modifiedDateTime", "lastUpdateDateTime", "version"] {
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
