//! Each test of a difference is named after the false report that it prevents.

mod differences;
mod reading;
mod search;

use serde_json::{Value, json};

use super::*;
use crate::body::{Body, Lack, put_together};
use crate::normalise::Normaliser;
use crate::reason::ReasonCode;
use crate::registry::{recipe, registry};

/// The settings of an object of a type, as they are read from its sealed body, and what is lacking.
fn read(key: &str, object: Value) -> (Settings, Vec<Lack>) {
    read_without(key, object, &[])
}

fn read_without(key: &str, object: Value, refused: &[(String, ReasonCode)]) -> (Settings, Vec<Lack>) {
    let policy_type = registry().get(key).unwrap();
    let recipe = recipe(policy_type).unwrap();
    let body = Body::of(&Normaliser::new(&[7; 32]), policy_type, recipe, object, refused);
    let whole = put_together(body.slots.into_iter().map(|slot| (slot.name, slot.value)));
    (Settings::of(policy_type, recipe, &whole), body.lacks)
}

fn compared(old: &(Settings, Vec<Lack>), new: &(Settings, Vec<Lack>)) -> Difference {
    difference((&old.0, &old.1), (&new.0, &new.1))
}

fn differs(key: &str, old: Value, new: Value) -> Difference {
    compared(&read(key, old), &read(key, new))
}

/// The changes of a difference, each as one line.
fn told(difference: &Difference) -> Vec<String> {
    let value = |value: &Option<SettingValue>| value.as_ref().map_or("-".to_owned(), SettingValue::words);
    let line = |row: &Row| {
        let change = row.change.map(ChangeKind::as_str).unwrap_or_default();
        format!("{change} {}: {} > {}", row.path, value(&row.old), value(&row.new))
    };
    difference.changes().map(line).collect()
}

const GRAPH: &str = "#microsoft.graph.deviceManagementConfiguration";

fn choice(definition: &str, option: &str, children: impl Into<Value>) -> Value {
    let children = children.into();
    json!({"@odata.type": format!("{GRAPH}ChoiceSettingInstance"), "settingDefinitionId": definition,
        "settingInstanceTemplateReference": null,
        "choiceSettingValue": {"value": option, "settingValueTemplateReference": null, "children": children}})
}

fn simple(definition: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    json!({"@odata.type": format!("{GRAPH}SimpleSettingInstance"), "settingDefinitionId": definition,
        "simpleSettingValue": {"@odata.type": format!("{GRAPH}StringSettingValue"), "value": value}})
}

fn texts(definition: &str, values: &[&str]) -> Value {
    let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
    json!({"@odata.type": format!("{GRAPH}SimpleSettingCollectionInstance"), "settingDefinitionId": definition,
        "simpleSettingCollectionValue": values})
}

fn groups(definition: &str, groups: &[Vec<Value>]) -> Value {
    let groups: Vec<Value> = groups.iter().map(|children| json!({"children": children})).collect();
    json!({"@odata.type": format!("{GRAPH}GroupSettingCollectionInstance"), "settingDefinitionId": definition,
        "groupSettingCollectionValue": groups})
}

fn catalogue(instances: &[Value]) -> Value {
    let rows = instances.iter().enumerate();
    let rows: Vec<Value> =
        rows.map(|(at, instance)| json!({"id": at.to_string(), "settingInstance": instance})).collect();
    json!({"id": "p", "name": "Policy", "settingCount": rows.len(), "settings": rows})
}
