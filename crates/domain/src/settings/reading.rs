//! All settings of a body.

use serde_json::Value;

use super::assignment::Assignment;
use super::naming::{Glossary, catalog_ids, object_ids, unnamed_ids};
use super::setting::Setting;
use super::tree::Tree;
use crate::body::OBJECT_SLOT;
use crate::normalise::noise::holds_assignments;
use crate::registry::{PolicyType, Recipe};

/// The settings of one slot of a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The slot; [`OBJECT_SLOT`] for the object itself.
    pub slot: String,
    /// Its settings, in the order of the body.
    pub settings: Vec<Setting>,
}

/// The settings of a body, and to whom it is assigned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// By slot, that of the object first.
    pub sections: Vec<Section>,
    /// Its assignments, in the order of the body.
    pub assignments: Vec<Assignment>,
}

/// A setting in the flat list.
#[derive(Clone, Debug)]
pub struct Line<'settings> {
    /// The slot in which it stands.
    pub slot: &'settings str,
    /// Where it stands, by keys; elements of a list by their place, from 1.
    pub path: String,
    /// How far below its slot, from 0.
    pub depth: usize,
    /// Its place among the elements of a list that nothing names, from 1.
    pub place: Option<usize>,
    /// The setting.
    pub setting: &'settings Setting,
}

impl Settings {
    /// Reads the body of an object: all of its slots, put together.
    #[must_use]
    pub fn of(policy_type: &'static PolicyType, recipe: &'static Recipe, body: &Value) -> Self {
        let tree = Tree::new(policy_type, recipe, body);
        let slots = recipe.slots(policy_type);
        let mut read = Self { sections: vec![Section::default()], assignments: Vec::new() };
        let Some(members) = body.as_object() else { return read };
        for (key, value) in members {
            if holds_assignments(key)
                && let Some(rows) = value.as_array()
            {
                read.assignments.extend(rows.iter().map(|row| Assignment::of(&tree, row)));
                continue;
            }
            let settings = tree.of_object(members, key, value);
            let slot = slots.iter().find(|slot| **slot == key).copied().unwrap_or(OBJECT_SLOT);
            if settings.is_empty() {
                continue;
            }
            match read.sections.iter_mut().find(|section| section.slot == slot) {
                Some(section) => section.settings.extend(settings),
                None => read.sections.push(Section { slot: slot.to_owned(), settings }),
            }
        }
        read
    }

    /// How many settings there are, assignments aside.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sections.iter().flat_map(|section| &section.settings).map(Setting::count).sum()
    }

    /// Every setting and what holds it, in the order of the body.
    #[must_use]
    pub fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::new();
        for Section { slot, settings } in &self.sections {
            add_lines(slot, settings, "", 0, &mut lines);
        }
        lines
    }

    /// By what a catalogue is asked for the names of all settings, each once: the ids of definitions, and of the properties that
    /// stand in the values of some (`definition/property`), in small letters.
    #[must_use]
    pub fn definition_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let settings = self.sections.iter().flat_map(|section| &section.settings);
        settings.for_each(|setting| catalog_ids("", setting, &mut ids));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The ids of the definitions that neither the body nor a catalogue names, each once and in small letters.
    #[must_use]
    pub fn unnamed_definitions(&self, glossary: &Glossary) -> Vec<String> {
        let mut ids = Vec::new();
        let settings = self.sections.iter().flat_map(|section| &section.settings);
        settings.for_each(|setting| unnamed_ids(glossary, setting, &mut ids));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The ids of the objects that values name, each once.
    #[must_use]
    pub fn object_ids(&self) -> Vec<&str> {
        let mut ids = Vec::new();
        let lines = self.lines();
        lines.iter().filter_map(|line| line.setting.value.as_ref()).for_each(|value| object_ids(value, &mut ids));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Calls settings, categories and options by the names that a catalogue has for them.
    pub fn name_by(&mut self, glossary: &Glossary) {
        let settings = self.sections.iter_mut().flat_map(|section| &mut section.settings);
        settings.for_each(|setting| glossary.name(setting));
    }
}

fn add_lines<'settings>(
    slot: &'settings str,
    settings: &'settings [Setting],
    above: &str,
    depth: usize,
    lines: &mut Vec<Line<'settings>>,
) {
    for (at, setting) in settings.iter().enumerate() {
        let place = setting.key.is_empty().then_some(at + 1);
        let path = path_below(above, setting, at);
        lines.push(Line { slot, path: path.clone(), depth, place, setting });
        add_lines(slot, &setting.parts, &path, depth + 1, lines);
    }
}

/// The path of a setting, which is the one at this place below what has the path `above`.
pub(super) fn path_below(above: &str, setting: &Setting, at: usize) -> String {
    let own = if setting.key.is_empty() { format!("[{}]", at + 1) } else { setting.key.clone() };
    if above.is_empty() { own } else { format!("{above}/{own}") }
}
