//! The walk over one object that writes its normalised content.

use std::ops::Range;

use serde_json::{Map, Value};

use super::Normaliser;
use super::noise::{counts, holds_assignments, is_built_in, is_set};
use super::parts::Part;
use super::secrets::{Held, ObjectKind, held};
use super::withheld::Withheld;
use crate::canonical::{for_each_sorted, write_number, write_string};
use crate::references::ZERO_GUID;
use crate::registry::PolicyType;
use crate::time::Timestamp;

/// The filter of an assignment, and what it does.
const FILTER_ID: &str = "deviceAndAppManagementAssignmentFilterId";
const FILTER_TYPE: &str = "deviceAndAppManagementAssignmentFilterType";

/// What kind of place a value stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The object itself.
    Top,
    /// An element of a list of assignments.
    Assignment,
    /// Anywhere else.
    Inside,
}

/// One walk. `true` from a method means that something was written, `false` that
/// the value says nothing: null, an empty text, an empty list, an object without
/// content are all the same as absent. Zero and false are not.
pub(super) struct Walk<'walk> {
    policy_type: &'walk PolicyType,
    normaliser: &'walk Normaliser,
    built_in: bool,
    out: Vec<u8>,
    /// Where each member of the object itself stands in the text, without the comma before it.
    members: Vec<(Part, Range<usize>)>,
}

impl<'walk> Walk<'walk> {
    pub(super) fn new(policy_type: &'walk PolicyType, normaliser: &'walk Normaliser, object: &Value) -> Self {
        let built_in = is_built_in(policy_type, object);
        Self { policy_type, normaliser, built_in, out: Vec::with_capacity(2048), members: Vec::new() }
    }

    /// The canonical text of the normalised object.
    pub(super) fn finish(self, object: &Value) -> Vec<u8> {
        self.finish_in_parts(object).0
    }

    /// The same, and where in it each member of the object stands.
    pub(super) fn finish_in_parts(mut self, object: &Value) -> (Vec<u8>, Vec<(Part, Range<usize>)>) {
        let written = match object {
            Value::Object(members) => self.object(members, Place::Top),
            other => self.value("", other, Place::Top),
        };
        if !written {
            self.out.extend_from_slice(b"{}");
        }
        (self.out, self.members)
    }

    fn value(&mut self, key: &str, value: &Value, place: Place) -> bool {
        match value {
            Value::Null => false,
            Value::Bool(flag) => {
                self.out.extend_from_slice(if *flag { b"true" } else { b"false" });
                true
            }
            Value::Number(number) => {
                write_number(number, &mut self.out);
                true
            }
            Value::String(text) => self.text(key, text),
            Value::Array(elements) => self.list(key, elements),
            Value::Object(members) => match Withheld::of(value) {
                Some(withheld) => self.withheld(&withheld),
                None => self.object(members, place),
            },
        }
    }

    /// What stands in a body for a value that was withheld counts as the value did: by its fingerprint.
    fn withheld(&mut self, withheld: &Withheld<'_>) -> bool {
        let Some(fingerprint) = withheld.counted() else { return false };
        write_string(fingerprint, &mut self.out);
        true
    }

    fn text(&mut self, key: &str, text: &str) -> bool {
        let says_nothing = match key {
            "locale" | "language" => text.is_empty() || text == "os-default",
            _ => text.is_empty(),
        };
        if says_nothing {
            return false;
        }
        match moment(text) {
            Some(moment) => write_string(&moment, &mut self.out),
            None => write_string(text, &mut self.out),
        }
        true
    }

    fn list(&mut self, key: &str, elements: &[Value]) -> bool {
        let place = if holds_assignments(key) { Place::Assignment } else { Place::Inside };
        let opening = self.out.len();
        self.out.push(b'[');
        let sorted = elements.len() > 1 && is_set(key);
        let mut ranges = Vec::new();
        let mut empty = true;
        for element in elements {
            let mark = self.out.len();
            if !empty {
                self.out.push(b',');
            }
            let start = self.out.len();
            // That there is an element counts, even if nothing in it does.
            if !self.value(key, element, place) {
                if !element.is_object() {
                    self.out.truncate(mark);
                    continue;
                }
                self.out.extend_from_slice(b"{}");
            }
            empty = false;
            if sorted {
                ranges.push((sort_name(key, element), start..self.out.len()));
            }
        }
        if empty {
            self.out.truncate(opening);
            return false;
        }
        if ranges.len() > 1 {
            let text = &self.out;
            let order = |a: &(&str, Range<usize>), b: &(&str, Range<usize>)| {
                a.0.cmp(b.0).then_with(|| text[a.1.clone()].cmp(&text[b.1.clone()]))
            };
            if !ranges.is_sorted_by(|a, b| order(a, b).is_le()) {
                ranges.sort_by(order);
                let mut reordered = Vec::with_capacity(text.len() - opening);
                for (_, range) in &ranges {
                    reordered.push(b',');
                    reordered.extend_from_slice(&text[range.clone()]);
                }
                reordered[0] = b'[';
                self.out.truncate(opening);
                self.out.append(&mut reordered);
            }
        }
        self.out.push(b']');
        true
    }

    fn object(&mut self, members: &Map<String, Value>, place: Place) -> bool {
        let opening = self.out.len();
        self.out.push(b'{');
        let kind = ObjectKind::of(members);
        let mut empty = true;
        for_each_sorted(members, |key, value| {
            if !self.counts(key, members, place, kind) {
                return;
            }
            let mark = self.out.len();
            if !empty {
                self.out.push(b',');
            }
            let start = self.out.len();
            write_string(key, &mut self.out);
            self.out.push(b':');
            let written = match Withheld::of(value) {
                Some(withheld) => self.withheld(&withheld),
                None => match held(kind, members, key, value) {
                    Held::Open => self.value(key, value, Place::Inside),
                    Held::Unreadable(_) => false,
                    Held::Content | Held::Kept(_) => self.secret(key, value),
                },
            };
            if written {
                empty = false;
                if place == Place::Top {
                    self.members.push((Part::of(self.policy_type, key), start..self.out.len()));
                }
            } else {
                self.out.truncate(mark);
            }
        });
        if empty && place == Place::Inside {
            // Of which nothing but the id is left is a pointer: the id is its content.
            if let Some(Value::String(id)) = members.get("id").filter(|id| id.as_str() != Some("")) {
                self.out.extend_from_slice(b"\"id\":");
                write_string(id, &mut self.out);
                empty = false;
            }
        }
        if empty {
            self.out.truncate(opening);
            return false;
        }
        self.out.push(b'}');
        true
    }

    /// Whether a property counts at all.
    fn counts(&self, key: &str, members: &Map<String, Value>, place: Place, kind: ObjectKind) -> bool {
        // That a value was made for one tenant makes it no part of the comparison.
        let made_for_one = kind == ObjectKind::DefenderBlob && key == "simpleSettingValue";
        let of_assignment = place == Place::Assignment && key == "source";
        let of_no_filter = matches!(key, FILTER_ID | FILTER_TYPE) && names_no_filter(members);
        !made_for_one
            && !of_assignment
            && !of_no_filter
            && counts(self.policy_type, key, members, place == Place::Top, place == Place::Inside, self.built_in)
    }

    /// The canonical text of a single value; empty where it says nothing.
    pub(super) fn of_value(mut self, key: &str, value: &Value) -> Vec<u8> {
        self.value(key, value, Place::Inside);
        self.out
    }

    /// Writes the fingerprint of the normalised value in its place.
    fn secret(&mut self, key: &str, value: &Value) -> bool {
        let mark = self.out.len();
        let written = self.value(key, value, Place::Inside);
        if written {
            let fingerprint = self.normaliser.fingerprint(&self.out[mark..]);
            self.out.truncate(mark);
            write_string(&fingerprint, &mut self.out);
        }
        written
    }
}

/// Whether the target of an assignment names no filter: an id that is none makes none, whatever the type says, and so does the type
/// for none.
fn names_no_filter(members: &Map<String, Value>) -> bool {
    let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
    let id = text(FILTER_ID);
    id.is_empty() || id == ZERO_GUID || text(FILTER_TYPE) == "none"
}

/// By what an element of a set sorts before its text: settings by their definition.
fn sort_name<'value>(key: &str, element: &'value Value) -> &'value str {
    if !matches!(key, "settings" | "children") {
        return "";
    }
    let instance = element.get("settingInstance").unwrap_or(element);
    instance.get("settingDefinitionId").and_then(Value::as_str).unwrap_or_default()
}

/// A date and time in UTC to the second; `None` for any other text.
pub(crate) fn moment(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !(20..=40).contains(&bytes.len()) || bytes[4] != b'-' || !matches!(bytes[10], b'T' | b't') {
        return None;
    }
    let mut moment = Timestamp::parse_rfc3339(text)?.to_rfc3339();
    moment.truncate("2026-03-01T12:00:00".len());
    moment.push('Z');
    Some(moment)
}
