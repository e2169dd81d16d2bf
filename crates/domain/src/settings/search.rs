//! A body as lines that can be searched: each setting with what may be known of it to whoever holds the file, what only the
//! key of the tenant opens, and the words by which it is found (`docs/rules.md`, section Search of settings).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::naming::{Glossary, catalog_id, is_name, name_options, object_ids};
use super::reading::{Section, Settings};
use super::setting::{Setting, SettingValue};

/// Lines of one body, at most.
const MOST_LINES: usize = 60_000;
/// Different words of one value, at most.
const MOST_WORDS: usize = 2_000;
/// A word is told from others by so many characters.
const LONGEST_WORD: usize = 64;
/// The id of a setting, in bytes, at most.
const LONGEST_KEY: usize = 600;

/// One setting, as the search keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchLine {
    /// Which setting it is, by Microsoft's names alone: the id of its definition in small letters, or the properties that
    /// lead to it. Never a text of the object.
    pub key: String,
    /// Equal for the same setting with the same value in another version of the object.
    pub held: String,
    /// Equal for equal values of one setting; `None` where there is no value, or none that may be compared.
    pub value: Option<String>,
    /// The words of its value, each once; none of scripts, payloads and whatever is withheld.
    pub words: Vec<String>,
    /// The words of the name and category that the body itself tells.
    pub names: Vec<String>,
    /// What is shown of it.
    pub entry: SearchEntry,
}

/// What is shown of a setting that was found: for those alone who may see bodies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchEntry {
    /// The slot in which it stands; empty for the object itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub slot: String,
    /// Where it stands, see [`super::Line::path`].
    pub path: String,
    /// Its key, see [`Setting::key`].
    pub key: String,
    /// The id of its definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition_id: Option<String>,
    /// Its name, where the body tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its category, where the body tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Its value. A script or payload is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SettingValue>,
    /// How long the script or payload is that stands there, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<usize>,
}

impl SearchEntry {
    /// The setting with the names that a catalogue has for it, and those that its tenant has for what its value names; it is the one of
    /// this [`SearchLine::key`].
    #[must_use]
    pub fn named(&self, key: &str, catalogue: &Glossary, of_tenant: Option<&Glossary>) -> Setting {
        let below = key.rsplit_once('/').filter(|(_, own)| own.eq_ignore_ascii_case(&self.key));
        let mut setting = Setting {
            key: self.key.clone(),
            definition_id: self.definition_id.clone(),
            name: self.name.clone(),
            category: self.category.clone(),
            value: self.value.clone(),
            counts: true,
            is_property: self.definition_id.is_none() && below.is_some(),
            ..Setting::default()
        };
        let above = below.map_or("", |(above, _)| above);
        for glossary in of_tenant.into_iter().chain([catalogue]) {
            glossary.name_below(above, &mut setting);
        }
        setting
    }

    /// The ids of the objects that its value names.
    #[must_use]
    pub fn object_ids(&self) -> Vec<&str> {
        let mut ids = Vec::new();
        if let Some(value) = &self.value {
            object_ids(value, &mut ids);
        }
        ids
    }

    /// What is called so where nothing else is: the last part of its path that has a name.
    #[must_use]
    pub fn title(&self, setting: &Setting) -> String {
        let above = || {
            let mut parts = self.path.rsplit('/').filter(|part| !part.starts_with('['));
            parts.next().map(|part| Setting { key: part.to_owned(), ..Setting::default() })
        };
        setting.title().or_else(|| above().and_then(|above| above.title())).unwrap_or_else(|| self.path.clone())
    }

    /// Its value in one line; `not set` where there is none.
    #[must_use]
    pub fn value_words(&self, setting: &Setting) -> String {
        match (&setting.value, self.content) {
            (Some(value), _) => value.words_of(setting.property()),
            (None, Some(bytes)) => format!("content of {bytes} bytes"),
            (None, None) => "not set".to_owned(),
        }
    }
}

/// The words of a text in small letters, each once: what stands between characters that are neither letters, digits nor
/// underscores, each word by its first 64 characters.
#[must_use]
pub fn words_of(text: &str) -> Vec<String> {
    let mut words = BTreeSet::new();
    add_words(text, &mut words);
    words.into_iter().collect()
}

fn add_words(text: &str, words: &mut BTreeSet<String>) {
    let parts = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    for part in parts.filter(|part| part.chars().any(char::is_alphanumeric)) {
        if words.len() >= MOST_WORDS {
            return;
        }
        words.insert(part.to_lowercase().chars().take(LONGEST_WORD).collect());
    }
}

/// Every setting of a body, in the order of the body. The glossary tells the names of options, by which values are found.
#[must_use]
pub fn search_lines(settings: &Settings, glossary: &Glossary) -> Vec<SearchLine> {
    let mut lines = Vec::new();
    for Section { slot, settings } in &settings.sections {
        let place =
            Place { slot, path: String::new(), like: slot.clone(), key: slot.clone(), catalogued: String::new() };
        add(settings, &place, glossary, &mut lines);
    }
    lines.truncate(MOST_LINES);
    lines
}

/// Where settings stand.
struct Place<'slot> {
    slot: &'slot str,
    path: String,
    /// The same without the places of elements that nothing names: an element that moved is the same one.
    like: String,
    key: String,
    /// By what a catalogue knows it or what it stands in; empty where it does not.
    catalogued: String,
}

impl Place<'_> {
    fn below(&self, setting: &Setting, at: usize) -> Self {
        let like = if setting.key.is_empty() { "[]" } else { &setting.key };
        Self {
            slot: self.slot,
            path: super::reading::path_below(&self.path, setting, at),
            like: format!("{}/{like}", self.like),
            key: self.key_of(setting),
            catalogued: catalog_id(&self.catalogued, setting).unwrap_or_else(|| self.catalogued.clone()),
        }
    }

    /// By Microsoft's names alone: what names an element of a list is left out, since it is a text of the object.
    fn key_of(&self, setting: &Setting) -> String {
        let key = match catalog_id(&self.catalogued, setting) {
            Some(id) => id,
            None if setting.is_property && is_name(&setting.key) && self.key.is_empty() => setting.key.clone(),
            None if setting.is_property && is_name(&setting.key) && self.key != setting.key => {
                format!("{}/{}", self.key, setting.key)
            }
            None => self.key.clone(),
        };
        if key.len() > LONGEST_KEY { self.key.clone() } else { key }
    }
}

impl<'slot> Place<'slot> {
    fn line(&self, setting: &Setting, glossary: &Glossary) -> SearchLine {
        let value = setting.value.as_ref().filter(|_| !setting.is_noise);
        let content = match &setting.value {
            Some(SettingValue::Content(text)) => Some(text.len()),
            _ => None,
        };
        let shown = setting.value.clone().filter(|value| !matches!(value, SettingValue::Content(_)));
        SearchLine {
            key: self.key.clone(),
            held: format!("{}={}", self.like, value.map(SettingValue::counted).unwrap_or_default()),
            value: value.map(SettingValue::counted),
            words: value_words(setting, &self.catalogued, glossary),
            names: names_of(setting),
            entry: SearchEntry {
                slot: self.slot.to_owned(),
                path: self.path.clone(),
                key: setting.key.clone(),
                definition_id: setting.definition_id.clone(),
                name: setting.name.clone(),
                category: setting.category.clone(),
                value: shown,
                content,
            },
        }
    }
}

fn add(settings: &[Setting], above: &Place<'_>, glossary: &Glossary, lines: &mut Vec<SearchLine>) {
    for (at, setting) in settings.iter().enumerate() {
        if lines.len() >= MOST_LINES {
            return;
        }
        let place = above.below(setting, at);
        if setting.counts {
            lines.push(place.line(setting, glossary));
        }
        add(&setting.parts, &place, glossary, lines);
    }
}

fn names_of(setting: &Setting) -> Vec<String> {
    let mut words = BTreeSet::new();
    for text in [&setting.name, &setting.category].into_iter().flatten() {
        add_words(text, &mut words);
    }
    words.into_iter().collect()
}

fn value_words(setting: &Setting, catalogued: &str, glossary: &Glossary) -> Vec<String> {
    let Some(mut value) = setting.value.clone().filter(|_| !setting.is_noise) else { return Vec::new() };
    if let Some(known) = glossary.find(catalogued).filter(|known| !known.options.is_empty()) {
        name_options(known, &mut value);
    }
    let mut words = BTreeSet::new();
    add_value(&value, &mut words);
    words.into_iter().collect()
}

fn add_value(value: &SettingValue, words: &mut BTreeSet<String>) {
    match value {
        SettingValue::Flag(flag) => add_words(if *flag { "yes true" } else { "no false" }, words),
        SettingValue::Number(number) => add_words(&number.to_string(), words),
        SettingValue::Text(text) => add_words(text, words),
        SettingValue::Choice { id, name } => {
            add_words(id, words);
            add_words(name.as_deref().unwrap_or_default(), words);
        }
        SettingValue::List(values) => values.iter().for_each(|value| add_value(value, words)),
        SettingValue::Content(_) | SettingValue::Withheld { .. } => {}
    }
}
