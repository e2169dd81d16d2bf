//! What may be kept of an object, and what must never be (`docs/graph.md`, section Data never stored; `docs/rules.md`,
//! section Inventory sync, Allow-list).
//!
//! The way in is an allow-list, not a filter: a value is kept only when the
//! registry names its property and it has the expected shape. Nested objects are
//! never kept as they are, so a secret cannot ride in on one.

mod redact;
mod secret;

use serde_json::{Map, Value};

pub use redact::redact;
pub use secret::{SecretKind, is_secret_key, secret_kind};

use crate::references::{sanitised_summary, summary_of};
use crate::registry::{Assignments, MetaField, MetaKind, PolicyType, Source, odata_type};
use crate::time::Timestamp;

/// The longest text kept as metadata, in characters.
pub const MAX_META_TEXT: usize = 1_000;

/// The longest list kept as metadata, in elements.
pub const MAX_META_LIST: usize = 50;

/// The longest display name, in characters.
pub const MAX_DISPLAY_NAME: usize = 512;

/// The key under which the own `@odata.type` is kept, without `#microsoft.graph.`.
pub const META_ODATA_TYPE: &str = "odataType";

/// The key of the summary of assignments, see `references::summary_words`.
pub const META_ASSIGNMENTS: &str = "assignmentSummary";

const META_ODATA_FIELD: MetaField = MetaField::text(META_ODATA_TYPE);

/// Kept for every type. Times of creation and modification are information; they
/// are no part of the content hash.
const META_OF_ALL: &[MetaField] =
    &[MetaField::time("createdDateTime"), MetaField::time(MODIFIED), MetaField::texts("roleScopeTagIds")];

/// The name under which the time of modification is kept, and that which most objects
/// have for it.
const MODIFIED: &str = "lastModifiedDateTime";
/// The names that other objects have for it: Conditional Access policies, named locations and authentication strengths; and
/// configurations of Microsoft Tunnel.
const MODIFIED_OTHERWISE: [&str; 2] = ["modifiedDateTime", "lastUpdateDateTime"];

/// The properties kept for a type: its own, and those kept for every type that
/// it does not redefine.
pub fn meta_fields(policy_type: &PolicyType) -> impl Iterator<Item = MetaField> + '_ {
    let of_all = META_OF_ALL.iter().filter(|field| policy_type.meta.iter().all(|own| own.key != field.key));
    policy_type.meta.iter().chain(of_all).copied()
}

/// The metadata of an object: allow-listed properties in their expected shape,
/// nothing else. Unknown properties are left out in silence.
#[must_use]
pub fn meta_for(policy_type: &PolicyType, object: &Value) -> Map<String, Value> {
    let mut meta = Map::new();
    if let Some(name) = odata_type(object) {
        meta.insert(META_ODATA_TYPE.to_owned(), Value::from(short_text(name)));
    }
    for field in meta_fields(policy_type) {
        let mut found = field.path.split('.').try_fold(object, |place, segment| place.get(segment));
        if field.path == MODIFIED && found.is_none() {
            found = MODIFIED_OTHERWISE.iter().find_map(|name| object.get(*name));
        }
        let Some(found) = found else { continue };
        let kept = match (field.kind, found) {
            (MetaKind::Count, Value::Array(elements)) => Some(Value::from(elements.len())),
            (MetaKind::Count, _) => None,
            _ => keep(field.kind, found),
        };
        if let Some(kept) = kept {
            meta.insert(field.key.to_owned(), kept);
        }
    }
    if policy_type.assignments != Assignments::None
        && let Some(assignments) = object.get("assignments").and_then(Value::as_array)
    {
        meta.insert(META_ASSIGNMENTS.to_owned(), summary_of(assignments));
    }
    meta
}

/// Metadata in its sanitised form. What [`meta_for`] returns is unchanged by it:
/// what is stored equals its own sanitised form.
#[must_use]
pub fn sanitise_meta(policy_type: &PolicyType, meta: &Map<String, Value>) -> Map<String, Value> {
    let mut sanitised = Map::new();
    for field in std::iter::once(META_ODATA_FIELD).chain(meta_fields(policy_type)) {
        if let Some(kept) = meta.get(field.key).and_then(|value| keep(field.kind, value)) {
            sanitised.insert(field.key.to_owned(), kept);
        }
    }
    if policy_type.assignments != Assignments::None
        && let Some(Value::Object(given)) = meta.get(META_ASSIGNMENTS)
    {
        sanitised.insert(META_ASSIGNMENTS.to_owned(), sanitised_summary(given));
    }
    sanitised
}

/// The value in the shape of its kind; `None` when it has another shape or says nothing.
fn keep(kind: MetaKind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (MetaKind::Text, Value::String(text)) => {
            let text = short_text(text);
            (!text.is_empty()).then(|| Value::from(text))
        }
        (MetaKind::Time, Value::String(text)) if !text.starts_with("0001-01-01") => {
            Timestamp::parse_rfc3339(text).map(|time| Value::from(time.to_rfc3339()))
        }
        (MetaKind::Integer, Value::Number(number)) => (number.is_i64() || number.is_u64()).then(|| value.clone()),
        (MetaKind::Count, Value::Number(number)) => number.is_u64().then(|| value.clone()),
        (MetaKind::Boolean, Value::Bool(_)) => Some(value.clone()),
        (MetaKind::TextList, Value::Array(elements)) => {
            let texts: Vec<String> = elements
                .iter()
                .filter_map(Value::as_str)
                .map(short_text)
                .filter(|text| !text.is_empty())
                .take(MAX_META_LIST)
                .collect();
            (!texts.is_empty()).then(|| Value::from(texts))
        }
        _ => None,
    }
}

fn short_text(text: &str) -> String {
    let redacted = redact(text.trim());
    first_chars(&redacted, MAX_META_TEXT).trim_end().to_owned()
}

/// The first characters of a text, at most `limit`.
pub(crate) fn first_chars(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// What some ids say in words, by type key: objects without a name of their own
/// whose id is the same in every tenant.
const NAMES_OF_IDS: &[(&str, &str, &str)] = &[
    // The id of a mobile threat defence connector is its vendor's.
    ("mobileThreatDefenseConnector", "fc780465-2017-40d4-a0c5-307022471b92", "Microsoft Defender for Endpoint"),
    // The branding for every language without its own (Microsoft Graph, organizationalBrandingLocalization).
    ("organizationBranding", "0", "Default language"),
];

/// The name to show for an object, at most [`MAX_DISPLAY_NAME`] characters: its
/// name property as it is, leading blanks included, or else what comes nearest. Empty
/// where Graph gave it none.
#[must_use]
pub fn display_name_of(policy_type: &PolicyType, object: &Value) -> String {
    let text = |property: &str| object.get(property).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let known = |id: &str| {
        let mut names = NAMES_OF_IDS.iter();
        names.find(|(key, known, _)| *key == policy_type.key && known.eq_ignore_ascii_case(id)).map(|(.., name)| *name)
    };
    let named = [policy_type.name_property, "displayName", "name", "organizationName"].into_iter().find_map(text);
    let name = match (named, policy_type.source) {
        (Some(name), _) => known(name).unwrap_or(name),
        (None, Source::Singleton { .. }) => policy_type.label,
        (None, _) => text(policy_type.id_property).and_then(known).unwrap_or_default(),
    };
    let cut = first_chars(name, MAX_DISPLAY_NAME);
    if cut.trim().is_empty() { first_chars(name.trim_start(), MAX_DISPLAY_NAME) } else { cut }.to_owned()
}

/// The id Microsoft gave the object. A singleton without one is named by its
/// type key. `None` when an object of a collection has no id, which makes it
/// impossible to keep.
#[must_use]
pub fn external_id_of<'object>(policy_type: &PolicyType, object: &'object Value) -> Option<&'object str> {
    let id = object.get(policy_type.id_property).and_then(Value::as_str).filter(|id| !id.is_empty());
    match policy_type.source {
        Source::Singleton { .. } => id.or(Some(policy_type.key)),
        Source::Collection { .. } | Source::ChildrenOf { .. } => id,
    }
}

#[cfg(test)]
mod tests;
