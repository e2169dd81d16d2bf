//! Values of administrative templates, and settings of intents.

use serde_json::{Map, Value};

use super::setting::{Order, Setting, SettingValue};
use super::tree::{Tree, says_nothing};
use crate::normalise::WITHHELD;

/// The settings of a list of this name, where it is one of definition values or of settings of an intent.
pub(super) fn settings(tree: &Tree, key: &str, elements: &[Value]) -> Option<Vec<Setting>> {
    match key {
        "definitionValues" => elements.iter().map(|element| definition_value(tree, element)).collect(),
        "categories" => categories(tree, elements),
        "settings" => of_intent(tree, elements, None),
        _ => None,
    }
}

fn text<'value>(members: &'value Map<String, Value>, key: &str) -> Option<&'value str> {
    members.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A definition that is switched on or off, and what is entered into its fields (Microsoft Graph,
/// `groupPolicyDefinitionValue`).
fn definition_value(tree: &Tree, element: &Value) -> Option<Setting> {
    let members = element.as_object()?;
    let definition = members.get("definition").and_then(Value::as_object);
    let told = |key: &str| definition.and_then(|definition| text(definition, key));
    let id = told("id").or_else(|| text(members, "id")).unwrap_or_default();
    let presentations = members.get("presentationValues").and_then(Value::as_array).into_iter().flatten();
    Some(Setting {
        key: id.to_owned(),
        definition_id: Some(id.to_owned()),
        name: told("displayName").map(|name| match told("classType") {
            Some("user") => format!("{name} (User)"),
            _ => name.to_owned(),
        }),
        category: told("categoryPath").map(category_path),
        value: members.get("enabled").and_then(Value::as_bool).map(switch),
        counts: true,
        parts: presentations.filter_map(|value| presentation_value(tree, value.as_object()?)).collect(),
        ..Setting::default()
    })
}

/// Whether a definition is switched on, in the words of Microsoft's portal.
fn switch(enabled: bool) -> SettingValue {
    let (id, name) = if enabled { ("enabled", "Enabled") } else { ("disabled", "Disabled") };
    SettingValue::Choice { id: id.to_owned(), name: Some(name.to_owned()) }
}

/// `\Windows Components\Search` as the categories, the topmost first.
fn category_path(path: &str) -> String {
    path.split('\\').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" › ")
}

fn presentation_value(tree: &Tree, members: &Map<String, Value>) -> Option<Setting> {
    let presentation = members.get("presentation").and_then(Value::as_object);
    let told = |key: &str| presentation.and_then(|presentation| text(presentation, key));
    let id = told("id").or_else(|| text(members, "id")).unwrap_or_default();
    let mut setting = Setting {
        key: id.to_owned(),
        definition_id: Some(id.to_owned()),
        name: told("label").map(|label| label.trim().trim_end_matches(':').to_owned()).filter(|name| !name.is_empty()),
        counts: true,
        ..Setting::default()
    };
    match (members.get("value"), members.get("values")) {
        (Some(value), _) if !says_nothing("", value) => setting.value = tree.told(members, "value", value),
        (_, Some(Value::Array(values))) => {
            let single: Option<Vec<SettingValue>> = values.iter().map(SettingValue::scalar).collect();
            // The order of lists and of pairs is that of the portal.
            setting.order = Order::Kept;
            match single {
                Some(values) => setting.value = Some(SettingValue::List(values)),
                None => setting.parts = values.iter().filter_map(|value| pair(tree, value)).collect(),
            }
        }
        _ => {}
    }
    Some(setting)
}

/// `{name, value}` of a list of pairs.
fn pair(tree: &Tree, value: &Value) -> Option<Setting> {
    let members = value.as_object()?;
    let Some(name) = text(members, "name") else { return tree.element(value) };
    let value = members.get("value").and_then(|value| tree.told(members, "value", value));
    Some(Setting { key: name.to_owned(), value, counts: true, ..Setting::default() })
}

/// The settings of an intent below its categories.
fn categories(tree: &Tree, elements: &[Value]) -> Option<Vec<Setting>> {
    let mut found = Vec::new();
    for category in elements {
        let members = category.as_object()?;
        let settings = members.get("settings")?.as_array()?;
        found.extend(of_intent(tree, settings, text(members, "displayName"))?);
    }
    Some(found)
}

/// The settings of an intent; `None` where a list is one of something else.
fn of_intent(tree: &Tree, elements: &[Value], category: Option<&str>) -> Option<Vec<Setting>> {
    elements.iter().map(|element| intent_setting(tree, element, category)).collect()
}

/// A setting of an intent, its value as JSON within a text (Microsoft Graph, `deviceManagementSettingInstance`).
fn intent_setting(tree: &Tree, element: &Value, category: Option<&str>) -> Option<Setting> {
    let members = element.as_object()?;
    let definition = text(members, "definitionId")?;
    let mut setting = Setting {
        key: definition.to_owned(),
        definition_id: Some(definition.to_owned()),
        category: category.map(str::to_owned),
        counts: true,
        ..Setting::default()
    };
    let inner = members.get("value").and_then(Value::as_array);
    if let Some(parts) = inner.filter(|inner| !inner.is_empty()).and_then(|inner| of_intent(tree, inner, None)) {
        setting.parts = parts;
        return Some(setting);
    }
    match members.get("valueJson") {
        Some(Value::String(json)) => read_json(tree, &mut setting, json),
        Some(other) => setting.value = tree.told(members, "valueJson", other),
        None => {
            let value = members.get("value").filter(|value| !says_nothing("", value));
            setting.value = value.and_then(|value| tree.told(members, "value", value));
        }
    }
    Some(setting)
}

fn read_json(tree: &Tree, setting: &mut Setting, json: &str) {
    let Ok(value) = serde_json::from_str::<Value>(json) else {
        setting.value = Some(SettingValue::Text(json.to_owned()));
        return;
    };
    match value {
        Value::Array(elements) => {
            let single: Option<Vec<SettingValue>> = elements.iter().map(SettingValue::scalar).collect();
            setting.order = Order::Kept;
            match single {
                Some(values) if values.is_empty() => {}
                Some(values) => setting.value = Some(SettingValue::List(values)),
                None => setting.parts = elements.iter().filter_map(|element| tree.element(element)).collect(),
            }
        }
        Value::Object(members) if !members.contains_key(WITHHELD) => {
            setting.parts = tree.of_members(&members);
        }
        single => setting.value = SettingValue::scalar(&single),
    }
}
