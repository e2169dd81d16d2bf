//! One item with all that is known of it.

use std::collections::{BTreeSet, HashMap};

use tenantatlas_domain::expiry;
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::live::humanise;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::references::{Relationship, rows_of};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::sanitise::META_ASSIGNMENTS;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::ReadVersion;
use tenantatlas_store::inventory::{
    self, ItemRow, ItemVersion, KnownNames, Outgoing, Relations, RunSighting, ScopeView,
};
use tenantatlas_store::policies::{self, Version};
use tenantatlas_store::scopes::ScopeId;

use super::changed_by::{self, ChangedBy};
use crate::error::AppError;
use crate::scope::Inside;

/// Versions that are shown, at most.
const VERSIONS_SHOWN: u32 = 50;

/// Everything the item page shows.
#[derive(Debug, Clone)]
pub struct ItemDetail {
    /// The item and its state in the scope.
    pub row: ItemRow,
    /// The view it is seen in.
    pub view: ScopeView,
    /// Whether another selection, which read its type to the end more recently, saw it.
    pub seen_elsewhere: Option<bool>,
    /// Its states, the current one first.
    pub history: Vec<ItemVersion>,
    /// The runs of the scope that held its type, newest first.
    pub runs: Vec<RunSighting>,
    /// The newest versions of its body, newest first.
    pub versions: Vec<Version>,
    /// Who changed it and made its versions.
    pub changed_by: ChangedBy,
    /// That it ends soon or has ended, in words, where people are told of it.
    pub expiry: Option<String>,
    /// What it refers to, what refers to it, and what stands on it.
    pub relations: Relations,
    /// What the tenant is known to call those whom its states name.
    pub names: KnownNames,
    /// What its latest version sets; none where there is none, or whoever asks may not see bodies.
    pub latest: Option<Result<ReadVersion, AppError>>,
    /// The latest version that was found at each content of its history.
    pub versions_at: HashMap<ContentHash, u64>,
}

/// One item of the tenant, in a scope or in the main one; of what refers to it the page behind an item.
///
/// # Errors
/// Not found; when the database fails.
pub async fn load(
    inside: &Inside,
    item: ItemId,
    scope: Option<ScopeId>,
    after: Option<ItemId>,
) -> Result<ItemDetail, AppError> {
    let db = inside.engine.reader();
    let missing = || AppError::not_found("The item");
    let view = ScopeView::load(db, inside.id(), scope).await?;
    let row = inventory::find(db, &view, item).await?.ok_or_else(missing)?;
    let history = inventory::history(db, inside.id(), item).await?;
    let runs = match &view.scope {
        Some(scope) => inventory::runs_that_saw(db, inside.id(), scope.id, item).await?,
        None => Vec::new(),
    };
    let seen_elsewhere = match view.types.get(&row.item.policy_type).and_then(|state| state.read_elsewhere.as_ref()) {
        Some(read) => Some(inventory::was_seen(db, read.scope.id, read.read_seq, item).await?),
        None => None,
    };
    let (key, external_id) = (&row.item.policy_type, &row.item.external_id);
    // One more than is shown: the time of a version begins with the one before it.
    let mut versions = policies::versions_of(db, inside.id(), key, external_id, None, VERSIONS_SHOWN + 1).await?;
    let changed_by = changed_by::load(inside, &row, &history, &runs, &versions).await?;
    versions.truncate(VERSIONS_SHOWN as usize);
    let relations = inventory::relations(db, &view, &row, after).await?;
    let summaries = history.iter().filter_map(|version| version.meta.get(META_ASSIGNMENTS));
    let ids: BTreeSet<String> = summaries.filter_map(rows_of).flatten().map(|row| row.id).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let names = inventory::known_names(db, inside.id(), &ids).await?;
    let latest = latest(inside, &row, &versions).await;
    let versions_at = versions_at(inside, &row, &history, &versions).await?;
    let now = inside.engine.now();
    let expires_at = expiry::expires_at(&row.item.policy_type, &row.item.meta);
    let near = expires_at.filter(|at| expiry::reached(*at, now).is_some());
    let expiry = near.map(|at| expiry::words(at, now));
    Ok(ItemDetail {
        row,
        view,
        seen_elsewhere,
        history,
        runs,
        versions,
        changed_by,
        expiry,
        relations,
        names,
        latest,
        versions_at,
    })
}

/// What the newest of the versions sets. It is the only body that the page opens.
async fn latest(inside: &Inside, row: &ItemRow, versions: &[Version]) -> Option<Result<ReadVersion, AppError>> {
    let newest = versions.first().filter(|_| inside.role.allows(Action::SeeBodies))?;
    let (actor, policy) = (inside.session.actor(), (row.item.policy_type.as_str(), row.item.external_id.as_str()));
    Some(inside.engine.read_version(&actor, inside.id(), policy, newest.number, false).await.map_err(AppError::from))
}

/// Which version was found at each content of the history, where whoever asks may see what differs between two.
async fn versions_at(
    inside: &Inside,
    row: &ItemRow,
    history: &[ItemVersion],
    versions: &[Version],
) -> Result<HashMap<ContentHash, u64>, AppError> {
    let mut found = HashMap::new();
    if versions.len() < 2 || !inside.role.allows(Action::SeeBodies) {
        return Ok(found);
    }
    let contents: Vec<ContentHash> = history.iter().map(|state| state.content_hash).collect();
    for version in policies::versions_at(inside.engine.reader(), inside.id(), &contents).await? {
        if (&version.policy_type, &version.external_id) == (&row.item.policy_type, &row.item.external_id) {
            let number = found.entry(version.item_hash).or_default();
            *number = version.number.max(*number);
        }
    }
    Ok(found)
}

/// A property of Microsoft's in words: `lastModifiedDateTime` is *Last modified*.
#[must_use]
pub fn property_label(key: &str) -> String {
    match key {
        "odataType" => "Object type".to_owned(),
        "roleScopeTagIds" | "roleScopeTags" => "Scope tags".to_owned(),
        _ => humanise(key.strip_suffix("DateTime").unwrap_or(key))
            .split(' ')
            .map(|word| spelled(word).unwrap_or(word))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// A word of a property as its owner spells it.
fn spelled(word: &str) -> Option<&'static str> {
    Some(match word {
        "Ios" | "ios" => "iOS",
        "Mac" => "macOS",
        "Os" | "os" => "OS",
        "Id" | "id" => "ID",
        "Vpp" | "vpp" => "VPP",
        "Ip" | "ip" => "IP",
        _ => return None,
    })
}

/// A fact of an item for people: names of scope tags instead of their ids, platforms as they are sold. None where it says
/// nothing: no value, an empty list, Microsoft's `none`.
#[must_use]
pub fn fact_text(key: &str, value: &serde_json::Value, links: &[Outgoing]) -> Option<String> {
    let text = match (key, value) {
        ("roleScopeTagIds" | "roleScopeTags", serde_json::Value::Array(ids)) => {
            let names: BTreeSet<String> = ids.iter().map(|id| scope_tag(&value_text(id), links)).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        }
        ("platforms" | "platform", serde_json::Value::String(names)) => {
            names.split(',').map(|name| platform_name(name.trim())).collect::<Vec<_>>().join(", ")
        }
        _ => value_text(value),
    };
    Some(visible_on_page(&text).into_owned()).filter(|text| !text.is_empty() && text != "none")
}

/// A fact of an item in words, with the names of scope tags that the tenant is known to have.
#[must_use]
pub fn fact_words(key: &str, value: &serde_json::Value, names: &KnownNames) -> String {
    match (key, value) {
        ("roleScopeTagIds" | "roleScopeTags", serde_json::Value::Array(ids)) => {
            let name = |id: &serde_json::Value| {
                let id = value_text(id);
                let default = (id == "0").then(|| "Default".to_owned());
                let name = names.scope_tags.get(&id).map(|name| visible_on_page(name).into_owned());
                name.or(default).unwrap_or(id)
            };
            let names: BTreeSet<String> = ids.iter().map(name).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        }
        _ => fact_text(key, value, &[]).unwrap_or_else(|| "none".to_owned()),
    }
}

/// The name of a scope tag, where a link of the item has it. Every tenant has the tag 0, Default.
fn scope_tag(id: &str, links: &[Outgoing]) -> String {
    let mut links = links.iter().map(|one| &one.link);
    let named = links.find(|link| link.relationship == Relationship::ScopedBy && link.target_external_id == id);
    match (named.and_then(|link| link.name.clone()), id) {
        (Some(name), _) => name,
        (None, "0") => "Default".to_owned(),
        (None, id) => id.to_owned(),
    }
}

/// The words for a platform as Graph names it.
fn platform_name(name: &str) -> String {
    match name {
        "windows10" => "Windows 10".to_owned(),
        "windows10X" => "Windows 10X".to_owned(),
        "windows10AndLater" => "Windows 10 and later".to_owned(),
        "iOS" | "ios" => "iOS/iPadOS".to_owned(),
        "macOS" | "macos" => "macOS".to_owned(),
        "tvOS" => "tvOS".to_owned(),
        "visionOS" => "visionOS".to_owned(),
        "aosp" => "Android (AOSP)".to_owned(),
        "none" => "none".to_owned(),
        other => humanise(other),
    }
}

/// The point in time that a value tells. None where it tells none, as Microsoft's year 1 for *never*.
#[must_use]
pub fn value_moment(value: &serde_json::Value) -> Option<Timestamp> {
    let text = value.as_str().filter(|text| text.contains('T'))?;
    Timestamp::parse_rfc3339(text).filter(|at| at.as_millis() > 0)
}

/// An allow-listed value as text: lists by commas, objects as `key value`.
#[must_use]
pub fn value_text(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => visible_on_page(text).into_owned(),
        Value::Array(values) => values.iter().map(value_text).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !matches!(value, Value::Null | Value::Bool(false)) && value.as_u64() != Some(0))
            .map(|(key, value)| match value {
                Value::Bool(true) => humanise(key).to_lowercase(),
                _ => format!("{} {}", value_text(value), humanise(key).to_lowercase()),
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fact_is_told_in_names_and_what_says_nothing_is_left_out() {
        let fact = |key: &str, value: serde_json::Value| fact_text(key, &value, &[]);
        assert_eq!(fact("platforms", json!("windows10")).as_deref(), Some("Windows 10"));
        assert_eq!(fact("platforms", json!("iOS,macOS")).as_deref(), Some("iOS/iPadOS, macOS"));
        assert_eq!(fact("roleScopeTagIds", json!(["0", "0", "7"])).as_deref(), Some("7, Default"));
        for nothing in [json!("none"), json!(null), json!([]), json!("")] {
            assert_eq!(fact("templateFamily", nothing), None);
        }
    }

    #[test]
    fn values_are_words() {
        assert_eq!(property_label("lastModifiedDateTime"), "Last modified");
        assert_eq!(property_label("odataType"), "Object type");
        assert_eq!(property_label("iosEnabled"), "iOS enabled");
        assert_eq!(property_label("roleScopeTagIds"), "Scope tags");
        assert_eq!(value_moment(&json!("2026-01-02T03:04:05Z")).map(Timestamp::as_millis), Some(1_767_323_045_000));
        assert_eq!(value_moment(&json!("0001-01-01T00:00:00Z")), None);
        assert_eq!(value_moment(&json!("2026")), None);
        assert_eq!(value_text(&json!("a\u{202e}b\n")), "a\\u{202e}b\\n");
        assert_eq!(value_text(&json!(["a", 1, true])), "a, 1, yes");
        assert_eq!(value_text(&json!({"groups": 2, "all_users": true, "filters": 0})), "all users, 2 groups");
    }
}
