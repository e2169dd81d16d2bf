//! Bytes read as what a target needs.

use serde_json::{Map, Value};
use tenantatlas_domain::registry::{PolicyType, registry};

/// Names that mean something to the rules, so that objects out of nothing reach them.
const NAMES: &[&str] = &[
    "@odata.type",
    "id",
    "displayName",
    "name",
    "assignments",
    "target",
    "groupId",
    "collectionId",
    "settings",
    "value",
    "roleScopeTagIds",
    "deviceAndAppManagementAssignmentFilterId",
    "deviceAndAppManagementAssignmentFilterType",
    "createdDateTime",
    "lastModifiedDateTime",
    "version",
    "settingInstance",
    "simpleSettingValue",
    "choiceSettingValue",
    "settingDefinitionId",
    "children",
    "password",
    "omaSettings",
    "secretReferenceValueId",
    "platforms",
    "conditions",
    "users",
    "includeUsers",
    "applications",
    "includeApplications",
    "isAssigned",
    "scheduledActionsForRule",
];
/// Texts that mean something to the rules.
const TEXTS: &[&str] = &[
    "",
    "All",
    "None",
    "GuestsOrExternalUsers",
    "#microsoft.graph.groupAssignmentTarget",
    "#microsoft.graph.exclusionGroupAssignmentTarget",
    "#microsoft.graph.allDevicesAssignmentTarget",
    "#microsoft.graph.deviceManagementConfigurationStringSettingValue",
    "00000000-0000-0000-0000-000000000000",
    "acacacac-9df4-4c7d-9d50-4ef0226f57a9",
    "62e90394-69f5-4237-9190-012177145e10",
    "2026-01-01T00:00:00Z",
    "include",
    "0",
    "hmac-sha256:00",
    "PGEvPg==",
    "****",
    "windows10,macOS",
    "\u{202e}\u{0}",
];
/// The deepest that an object out of nothing goes.
const DEEPEST: u32 = 12;

/// A policy type, chosen by the first byte, and an object: the rest as JSON, or whatever can be made of it.
pub fn object(input: &[u8]) -> (&'static PolicyType, Value) {
    let types = registry().all();
    let (first, rest) = input.split_first().map_or((0, input), |(first, rest)| (usize::from(*first), rest));
    (types[first % types.len()], value(rest))
}

/// JSON: the bytes as they are where they are JSON, else a value that they lead to, byte by byte.
pub fn value(input: &[u8]) -> Value {
    serde_json::from_slice(input).ok().filter(keeps_its_numbers).unwrap_or_else(|| made(&mut input.iter().copied(), 0))
}

/// Whether every fraction is read as the same once it is written. serde_json reads some of seventeen digits as a
/// neighbour (its feature `float_roundtrip` is off): the same bytes always mean the same, which is all that a hash needs,
/// but reading what was written can give another number.
fn keeps_its_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => serde_json::from_str::<Value>(&number.to_string()).is_ok_and(|again| again == *value),
        Value::Array(elements) => elements.iter().all(keeps_its_numbers),
        Value::Object(members) => members.values().all(keeps_its_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn made(bytes: &mut impl Iterator<Item = u8>, depth: u32) -> Value {
    let Some(first) = bytes.next() else { return Value::Null };
    let count = usize::from(first >> 4) % 6;
    match first % 8 {
        0 | 1 | 6 if depth < DEEPEST => {
            let mut members = Map::new();
            for _ in 0..count {
                let Some(name) = bytes.next() else { break };
                let name = NAMES[usize::from(name) % NAMES.len()];
                members.insert(name.to_owned(), made(bytes, depth + 1));
            }
            Value::Object(members)
        }
        2 if depth < DEEPEST => (0..count).map(|_| made(bytes, depth + 1)).collect(),
        3 => Value::from(bytes.by_ref().take(count * 4).map(char::from).collect::<String>()),
        4 => Value::from(first >= 128),
        5 => Value::from(i64::from(first) - 100),
        _ => Value::from(TEXTS[usize::from(bytes.next().unwrap_or(0)) % TEXTS.len()]),
    }
}

/// The same with the elements of a set in another order, where Graph promises none.
pub fn in_another_order(object: &Value) -> Value {
    let mut other = object.clone();
    for set in ["assignments", "roleScopeTagIds"] {
        if let Some(Value::Array(elements)) = other.get_mut(set) {
            elements.reverse();
        }
    }
    other
}
