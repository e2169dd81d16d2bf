//! Instances of the settings catalogue (Microsoft Graph, `deviceManagementConfigurationSettingInstance`).

use serde_json::{Map, Value};

use super::setting::{Order, Setting, SettingValue};
use super::tree::{Tree, says_nothing};
use crate::canonical::to_canonical_string;
use crate::normalise::secrets::ObjectKind;

/// What an object has that is an instance, in one of its kinds.
const VALUES: [&str; 6] = [
    "choiceSettingValue",
    "choiceSettingCollectionValue",
    "simpleSettingValue",
    "simpleSettingCollectionValue",
    "groupSettingValue",
    "groupSettingCollectionValue",
];

/// Whether an object is an instance of a setting.
pub(super) fn is_instance(members: &Map<String, Value>) -> bool {
    let kind = members.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    members.get("settingDefinitionId").is_some_and(Value::is_string)
        && (kind.ends_with("SettingInstance")
            || kind.ends_with("SettingCollectionInstance")
            || kind.ends_with("SettingGroupInstance")
            || VALUES.iter().any(|value| members.contains_key(*value)))
}

/// The instances in a list of settings; `None` where it is a list of something else.
pub(super) fn instances(tree: &Tree, elements: &[Value]) -> Option<Vec<Setting>> {
    elements
        .iter()
        .map(|element| {
            let members = element.as_object()?;
            let inner = members.get("settingInstance").unwrap_or(element).as_object()?;
            is_instance(inner).then(|| instance(tree, inner))
        })
        .collect()
}

/// One instance with all that stands below it.
pub(super) fn instance(tree: &Tree, members: &Map<String, Value>) -> Setting {
    let definition = members.get("settingDefinitionId").and_then(Value::as_str).unwrap_or_default();
    let mut setting = Setting {
        key: definition.to_owned(),
        definition_id: Some(definition.to_owned()),
        counts: true,
        is_noise: ObjectKind::of(members) == ObjectKind::DefenderBlob,
        ..Setting::default()
    };
    let mut rest = Map::new();
    for (key, value) in members {
        match (key.as_str(), value) {
            (_, value) if says_nothing(key, value) => {}
            ("settingDefinitionId" | "@odata.type", _) => {}
            ("choiceSettingValue", Value::Object(choice)) => {
                let (value, parts) = chosen(tree, choice, &mut rest);
                setting.value = value;
                setting.parts.extend(parts);
            }
            ("choiceSettingCollectionValue", Value::Array(choices)) => several_chosen(tree, &mut setting, choices),
            ("simpleSettingValue", Value::Object(simple)) => setting.value = simple_value(tree, simple, &mut rest),
            ("simpleSettingCollectionValue", Value::Array(values)) => {
                let values = values.iter().filter_map(Value::as_object);
                let values = values.filter_map(|simple| simple_value(tree, simple, &mut Map::new()));
                (setting.value, setting.order) = (Some(SettingValue::List(values.collect())), Order::Noted);
            }
            ("groupSettingValue", Value::Object(group)) => setting.parts.extend(children(tree, group)),
            ("groupSettingCollectionValue", Value::Array(groups)) => {
                setting.order = Order::Noted;
                let groups = groups.iter().filter_map(Value::as_object);
                setting.parts.extend(groups.map(|group| group_value(tree, group)));
            }
            (key, value) if key.ends_with("TemplateReference") => {
                rest.insert(key.to_owned(), value.clone());
            }
            // A kind of value that is not known yet is read like any other object.
            (key, value) => setting.parts.extend(tree.of_members(&Map::from_iter([(key.to_owned(), value.clone())]))),
        }
    }
    if setting.is_noise {
        setting.value = setting.value.map(as_content);
    }
    setting.rest = (!rest.is_empty()).then(|| to_canonical_string(&Value::Object(rest)));
    setting
}

/// A blob that was made for one tenant is content, not a choice.
fn as_content(value: SettingValue) -> SettingValue {
    match value {
        SettingValue::Text(text) => SettingValue::Content(text),
        other => other,
    }
}

/// The option that is chosen, and what stands below it.
fn chosen(
    tree: &Tree,
    choice: &Map<String, Value>,
    rest: &mut Map<String, Value>,
) -> (Option<SettingValue>, Vec<Setting>) {
    keep_rest(choice, rest);
    let value = choice.get("value").and_then(Value::as_str).filter(|id| !id.is_empty()).map(SettingValue::choice);
    (value, children(tree, choice))
}

fn several_chosen(tree: &Tree, setting: &mut Setting, choices: &[Value]) {
    setting.order = Order::Noted;
    let mut values = Vec::new();
    for choice in choices.iter().filter_map(Value::as_object) {
        let (value, parts) = chosen(tree, choice, &mut Map::new());
        if let (Some(SettingValue::Choice { id, .. }), false) = (&value, parts.is_empty()) {
            setting.parts.push(Setting { key: id.clone(), parts, ..Setting::default() });
        }
        values.extend(value);
    }
    setting.value = Some(SettingValue::List(values));
}

fn simple_value(tree: &Tree, simple: &Map<String, Value>, rest: &mut Map<String, Value>) -> Option<SettingValue> {
    keep_rest(simple, rest);
    let value = simple.get("value").filter(|value| !says_nothing("", value))?;
    tree.told(simple, "value", value)
}

fn group_value(tree: &Tree, group: &Map<String, Value>) -> Setting {
    let parts = children(tree, group);
    Setting { counts: parts.is_empty(), parts, ..Setting::default() }
}

/// What stands below a value.
fn children(tree: &Tree, value: &Map<String, Value>) -> Vec<Setting> {
    let children = value.get("children").and_then(Value::as_array).into_iter().flatten();
    children.filter_map(|child| tree.element(child)).collect()
}

/// What a value says beside itself: its template, a note.
fn keep_rest(value: &Map<String, Value>, rest: &mut Map<String, Value>) {
    for (key, more) in value {
        if !matches!(key.as_str(), "value" | "children" | "@odata.type") && !says_nothing(key, more) {
            rest.insert(key.clone(), more.clone());
        }
    }
}
