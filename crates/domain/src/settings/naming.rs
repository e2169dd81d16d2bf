//! The names of definitions and of their options.

use std::collections::HashMap;

use super::setting::{Setting, SettingValue};

/// The name of a property, in bytes, at most: Microsoft's longest have some eighty.
const LONGEST_PROPERTY: usize = 120;

/// What a catalogue tells of a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefinitionName {
    /// Its name in the words of Microsoft's portal.
    pub name: String,
    /// Its category with those above, the topmost first.
    pub category: Vec<String>,
    /// The names of its options by their ids.
    pub options: HashMap<String, String>,
}

/// What the ids in a body are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glossary {
    /// The names of definitions by their ids.
    pub definitions: HashMap<String, DefinitionName>,
    /// The names of scope tags by their ids.
    pub scope_tags: HashMap<String, String>,
    /// The names of what values name by its id, such as groups, apps and locations, by the ids in lower case.
    pub objects: HashMap<String, String>,
}

impl Glossary {
    /// Names a setting and what stands below it. What is not known stays without a name.
    pub fn name(&self, setting: &mut Setting) {
        self.name_below("", setting);
    }

    /// The same of a setting below what a catalogue knows by this id; empty where that is nothing.
    pub(super) fn name_below(&self, above: &str, setting: &mut Setting) {
        let own = catalog_id(above, setting);
        if let Some(known) = own.as_deref().and_then(|id| self.find(id)) {
            if setting.name.is_none() {
                setting.name = Some(known.name.clone()).filter(|name| !name.trim().is_empty());
            }
            if setting.category.is_none() && !known.category.is_empty() {
                setting.category = Some(known.category.join(" › "));
            }
            if let Some(value) = &mut setting.value {
                name_options(known, value);
            }
            // An element of a collection of choices is called by its option.
            for part in setting.parts.iter_mut().filter(|part| part.definition_id.is_none() && part.name.is_none()) {
                part.name = known.options.get(&part.key).cloned();
            }
        }
        if setting.definition_id.is_none()
            && matches!(setting.key.as_str(), "roleScopeTagIds" | "roleScopeTags")
            && let Some(SettingValue::List(tags)) = &mut setting.value
        {
            tags.iter_mut().for_each(|tag| self.name_tag(tag));
        }
        if let Some(value) = &mut setting.value {
            self.name_object(value);
        }
        let above = own.as_deref().unwrap_or(above);
        setting.parts.iter_mut().for_each(|part| self.name_below(above, part));
    }

    /// Names what a value names by its id. It stays the same value.
    fn name_object(&self, value: &mut SettingValue) {
        match value {
            SettingValue::Text(id) if is_object_id(id) => {
                if let Some(name) = self.objects.get(&id.to_ascii_lowercase()) {
                    *value = SettingValue::Choice { id: std::mem::take(id), name: Some(name.clone()) };
                }
            }
            SettingValue::List(values) => values.iter_mut().for_each(|value| self.name_object(value)),
            _ => {}
        }
    }

    /// Every tenant has the tag 0, Default.
    fn name_tag(&self, tag: &mut SettingValue) {
        if let SettingValue::Text(id) = tag {
            let name = self.scope_tags.get(id).cloned().or_else(|| (id == "0").then(|| "Default".to_owned()));
            *tag = SettingValue::Choice { id: std::mem::take(id), name };
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&DefinitionName> {
        // Exports of others write ids in lower case, and so does Graph now and then.
        self.definitions.get(id).or_else(|| self.definitions.get(&id.to_ascii_lowercase()))
    }
}

/// By what a catalogue knows a setting below another one of it: by the id of its definition, or, of a property in the value of a
/// definition, by that id and the properties that lead to it, all in small letters. `None` for what it does not know, such as the
/// elements of a list.
pub(super) fn catalog_id(above: &str, setting: &Setting) -> Option<String> {
    match setting.definition_id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => Some(id.to_ascii_lowercase()),
        None if setting.is_property && !above.is_empty() && is_name(setting.key.trim_start_matches('$')) => {
            Some(format!("{above}/{}", setting.key.to_ascii_lowercase()))
        }
        None => None,
    }
}

/// Puts what a catalogue is asked for to name a setting, and what stands below it, into a list.
pub(super) fn catalog_ids(above: &str, setting: &Setting, into: &mut Vec<String>) {
    let own = catalog_id(above, setting);
    let below = own.as_deref().unwrap_or(above);
    setting.parts.iter().for_each(|part| catalog_ids(below, part, into));
    into.extend(own);
}

/// Puts the ids of definitions that are not known into a list: of a setting, and of what stands below it.
pub(super) fn unnamed_ids(glossary: &Glossary, setting: &Setting, into: &mut Vec<String>) {
    setting.parts.iter().for_each(|part| unnamed_ids(glossary, part, into));
    let id = setting.definition_id.as_deref().filter(|id| !id.is_empty() && setting.is_unnamed());
    into.extend(id.filter(|id| glossary.find(id).is_none()).map(str::to_ascii_lowercase));
}

/// Whether a key is written as names of properties are.
pub(super) fn is_name(key: &str) -> bool {
    key.len() <= LONGEST_PROPERTY
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '@')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'_'))
}

/// Puts the ids of objects that a value names into a list.
pub(super) fn object_ids<'value>(value: &'value SettingValue, into: &mut Vec<&'value str>) {
    match value {
        SettingValue::Text(id) if is_object_id(id) => into.push(id),
        SettingValue::List(values) => values.iter().for_each(|value| object_ids(value, into)),
        _ => {}
    }
}

/// Whether a text is a GUID, as objects of Microsoft have for an id.
fn is_object_id(text: &str) -> bool {
    let is_in_place = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_in_place)
}

pub(super) fn name_options(known: &DefinitionName, value: &mut SettingValue) {
    match value {
        SettingValue::Choice { id, name } => *name = known.options.get(id.as_str()).cloned(),
        // Intents tell an option by a text. It stays the same value.
        SettingValue::Text(id) => {
            if let Some(name) = known.options.get(id.as_str()).cloned() {
                *value = SettingValue::Choice { id: std::mem::take(id), name: Some(name) };
            }
        }
        SettingValue::List(values) => values.iter_mut().for_each(|value| name_options(known, value)),
        _ => {}
    }
}
