//! Relations in words.

use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::references::{Relationship, TargetKind, target_words};
use tenantatlas_store::inventory::{OutgoingLink, Standing};

use crate::inventory::labels::type_label;
use crate::ui::icon::Icon;

/// The name of what a link points to; an id only where no name is known.
#[must_use]
pub fn target_name(link: &OutgoingLink) -> String {
    target_words(link.target_kind, &link.target_external_id, link.name.as_deref(), link.unnamed).into_owned()
}

/// The name of an item that refers to another.
#[must_use]
pub fn source_name(name: &str) -> String {
    if name.trim().is_empty() { "(no name)".to_owned() } else { visible_on_page(name).into_owned() }
}

/// What kind of thing a link points to: its type, where it has one.
#[must_use]
pub fn target_kind(link: &OutgoingLink) -> String {
    link.target_policy_type.as_deref().map_or_else(|| kind_word(link.target_kind).to_owned(), type_label)
}

/// The word for a kind of target.
#[must_use]
pub const fn kind_word(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Group => "group",
        TargetKind::AllUsers | TargetKind::AllDevices => "built in",
        TargetKind::User => "user",
        TargetKind::Guests => "guests",
        TargetKind::ServicePrincipal => "service principal",
        TargetKind::Collection => "Configuration Manager",
        TargetKind::UnknownTarget => "unknown",
        TargetKind::DirectoryRole => "directory role",
        TargetKind::Application => "application",
        TargetKind::Item => "item",
        TargetKind::Foundation => "foundation",
        TargetKind::Unresolved => "unresolved",
    }
}

/// What an item does with what it refers to.
#[must_use]
pub const fn outgoing_words(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::AssignedTo => "assigned to",
        Relationship::ExcludedFrom => "excluded from",
        Relationship::FilteredBy => "filtered by",
        Relationship::ScopedBy => "scoped by",
        Relationship::Uses => "uses",
        Relationship::DependsOn => "depends on",
    }
}

/// What an item does with the one that is shown.
#[must_use]
pub const fn incoming_words(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::AssignedTo => "is assigned to it",
        Relationship::ExcludedFrom => "is excluded from it",
        Relationship::FilteredBy => "is filtered by it",
        Relationship::ScopedBy => "is scoped by it",
        Relationship::Uses => "uses it",
        Relationship::DependsOn => "depends on it",
    }
}

/// What is to be said of a state: tone, drawing, word. Nothing of what is there, or is none of the objects that are read.
#[must_use]
pub const fn standing_words(state: Standing) -> Option<(&'static str, Icon, &'static str)> {
    match state {
        Standing::Present | Standing::Outside => None,
        Standing::Missing => Some(("bad", Icon::Missing, "missing")),
        Standing::NotRead => Some(("idle", Icon::Unread, "not read")),
        Standing::NotKnown => Some(("idle", Icon::Unread, "not known which")),
    }
}
