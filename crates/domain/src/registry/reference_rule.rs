//! Where the objects of a type point to others.

use crate::references::Relationship;

/// What a reference found by a rule points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceTarget {
    /// An object of the type with this key.
    Type(&'static str),
    /// An object of the type with this key; the value is `{prefix}_{id}`.
    PrefixedType(&'static str),
    /// A group.
    Group,
    /// A user, or the word for all or for guests.
    User,
    /// Guests and external users: an object that tells which kinds of them.
    Guests,
    /// A service principal, or the word for all of them.
    ServicePrincipal,
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
