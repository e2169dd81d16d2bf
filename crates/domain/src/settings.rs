//! The settings of a body, as people read them: each with where it stands, by which definition, in which category, and with
//! its value (`docs/rules.md`, section Versions); and the difference of two bodies, setting by setting.
//!
//! One reader for every kind of body: instances of the settings catalogue, definition values of administrative templates,
//! settings of intents, and the properties of all other objects. What counts is what counts for the content of the object
//! (see [`crate::normalise`]): annotations, times and counters are no settings.

mod assignment;
mod catalogue;
mod difference;
mod naming;
mod pairing;
mod reading;
mod search;
mod setting;
mod templates;
mod tree;
mod wording;

pub use assignment::{Assignment, AssignmentChange, AssignmentSide};
pub use difference::{Difference, NotComparable, Note, Row, difference};
pub use naming::{DefinitionName, Glossary};
pub use reading::{Line, Section, Settings};
pub use search::{SearchEntry, SearchLine, search_lines, words_of};
pub use setting::{ChangeKind, Order, Setting, SettingValue, UnknownChangeKind};
pub use wording::{properties_titled, property_title};

#[cfg(test)]
mod tests;
