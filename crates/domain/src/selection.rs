//! What one run is to read, and the hash that names the choice (`docs/rules.md`, section Selection).

mod words;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::canonical::to_canonical_string;
use crate::registry::{Category, PolicyType, Registry, registry};

/// A choice of what to read, as a person made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Selection {
    /// Keys of policy types.
    #[serde(default)]
    pub policy_types: Vec<String>,
    /// Slugs of categories: each adds its types that are on by default.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Whether every foundation is read as well.
    pub include_foundations: bool,
    /// Whether what the items point to is looked up as well.
    pub include_dependencies: bool,
}

/// The lower-case hexadecimal SHA-256 of the canonical JSON of a selection. With
/// the tenant it names a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SelectionHash(String);

impl SelectionHash {
    /// The 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SelectionHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The text is no selection hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a selection hash has 64 lower-case hexadecimal digits")]
pub struct InvalidSelectionHash;

impl FromStr for SelectionHash {
    type Err = InvalidSelectionHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for SelectionHash {
    type Error = InvalidSelectionHash;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(text)) } else { Err(InvalidSelectionHash) }
    }
}

impl From<SelectionHash> for String {
    fn from(hash: SelectionHash) -> Self {
        hash.0
    }
}

/// Why a part of a selection was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// No policy type has this key.
    UnknownType,
    /// No category has this slug.
    UnknownCategory,
}

impl DropReason {
    /// One sentence for a person.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::UnknownType => "No policy type has this key: choose one from the list of types.",
            Self::UnknownCategory => "No category has this name: choose one from the list of types.",
        }
    }
}

/// A part of a selection that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DroppedType {
    /// The key or slug as it was given.
    pub key: String,
    /// Why.
    pub reason: DropReason,
}

/// A selection that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Nothing is left to read; this never means "everything".
    #[error("the selection holds no known policy type: choose at least one")]
    Empty {
        /// What was dropped.
        dropped: Vec<DroppedType>,
    },
}

/// A selection after filtering: what it is called and what will be read.
#[derive(Clone, Debug)]
pub struct ResolvedSelection {
    /// The selection with known keys only, sorted, each once.
    pub selection: Selection,
    /// Its hash.
    pub hash: SelectionHash,
    /// The types to read, in registry order: those chosen, those of the chosen
    /// categories, and the foundations when they are wanted.
    pub plan: Vec<&'static PolicyType>,
    /// What was dropped.
    pub dropped: Vec<DroppedType>,
}

impl Selection {
    /// The full inventory: every type that is on by default, no categories,
    /// foundations and dependencies on.
    #[must_use]
    pub fn full(registry: &Registry) -> Self {
        let keys: BTreeSet<_> = registry.default_on().map(|policy_type| policy_type.key).collect();
        Self {
            policy_types: keys.into_iter().map(str::to_owned).collect(),
            categories: Vec::new(),
            include_foundations: true,
            include_dependencies: true,
        }
    }

    /// Filters the choice through the registry.
    ///
    /// A type that is off by default may be named. Foundations are added to the
    /// plan only, not to the choice, so that they do not change its hash.
    ///
    /// # Errors
    /// [`SelectionError::Empty`] when no known type and no known category is left,
    /// whatever the two switches say.
    pub fn resolve(&self) -> Result<ResolvedSelection, SelectionError> {
        let registry = registry();
        let mut dropped = Vec::new();
        let mut policy_types = BTreeSet::new();
        for key in &self.policy_types {
            if registry.get(key).is_some() {
                policy_types.insert(key.as_str());
            } else {
                dropped.push(DroppedType { key: key.clone(), reason: DropReason::UnknownType });
            }
        }
        let mut categories = BTreeSet::new();
        for slug in &self.categories {
            if slug.parse::<Category>().is_ok() {
                categories.insert(slug.as_str());
            } else {
                dropped.push(DroppedType { key: slug.clone(), reason: DropReason::UnknownCategory });
            }
        }
        if policy_types.is_empty() && categories.is_empty() {
            return Err(SelectionError::Empty { dropped });
        }
        let plan = registry
            .all()
            .iter()
            .copied()
            .filter(|policy_type| {
                policy_types.contains(policy_type.key)
                    || policy_type.default_on
                        && (categories.contains(policy_type.category.slug())
                            || self.include_foundations && policy_type.foundation)
            })
            .collect();
        let selection = Self {
            policy_types: policy_types.into_iter().map(str::to_owned).collect(),
            categories: categories.into_iter().map(str::to_owned).collect(),
            include_foundations: self.include_foundations,
            include_dependencies: self.include_dependencies,
        };
        let hash = selection.hash();
        Ok(ResolvedSelection { selection, hash, plan, dropped })
    }

    /// The canonical JSON of the choice, lists sorted and without doubles. It
    /// is not filtered: [`Selection::resolve`] does that.
    #[must_use]
    pub fn canonical_json(&self) -> String {
        let sorted = |texts: &[String]| -> BTreeSet<String> { texts.iter().cloned().collect() };
        to_canonical_string(&json!({
            "categories": sorted(&self.categories),
            "include_dependencies": self.include_dependencies,
            "include_foundations": self.include_foundations,
            "policy_types": sorted(&self.policy_types),
        }))
    }

    /// SHA-256 of [`Selection::canonical_json`].
    #[must_use]
    pub fn hash(&self) -> SelectionHash {
        let digest = Sha256::digest(self.canonical_json().as_bytes());
        SelectionHash(crate::normalise::to_hex(&digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selection(policy_types: &[&str], categories: &[&str], include_foundations: bool) -> Selection {
        Selection {
            policy_types: policy_types.iter().map(|key| (*key).to_owned()).collect(),
            categories: categories.iter().map(|slug| (*slug).to_owned()).collect(),
            include_foundations,
            include_dependencies: false,
        }
    }

    fn plan(selection: &Selection) -> Vec<&'static str> {
        selection.resolve().unwrap().plan.iter().map(|policy_type| policy_type.key).collect()
    }

    #[test]
    fn the_hash_is_the_one_that_other_tools_compute() {
        let chosen = selection(&["mobileApp", "deviceConfiguration", "mobileApp"], &[], true);
        let json = r#"{"categories":[],"include_dependencies":false,"include_foundations":true,"policy_types":["deviceConfiguration","mobileApp"]}"#;
        assert_eq!(chosen.canonical_json(), json);
        // printf %s "$json" | sha256sum
        assert_eq!(chosen.hash().as_str(), "d505f6b74e9e843cdf032918814ae5153c8f7f60bfb6838daabc72c1c1d04914");
        assert_eq!(chosen.hash().to_string().parse(), Ok(chosen.hash()));
    }

    #[test]
    fn unknown_parts_are_dropped_and_reported() {
        let resolved = selection(&["mobileApp", "nope", "mobileApp"], &["apps", "void"], false).resolve().unwrap();
        assert_eq!(resolved.selection, selection(&["mobileApp"], &["apps"], false));
        assert_eq!(
            resolved.dropped,
            [
                DroppedType { key: "nope".to_owned(), reason: DropReason::UnknownType },
                DroppedType { key: "void".to_owned(), reason: DropReason::UnknownCategory },
            ]
        );
    }

    #[test]
    fn an_empty_choice_is_an_error_and_not_everything() {
        for empty in [selection(&[], &[], true), selection(&["nope"], &["void"], true), Selection::default()] {
            assert!(matches!(empty.resolve(), Err(SelectionError::Empty { .. })));
        }
    }

    #[test]
    fn foundations_are_in_the_plan_and_not_in_the_choice() {
        let chosen = selection(&["mobileApp"], &[], true);
        let resolved = chosen.resolve().unwrap();
        assert_eq!(resolved.selection, chosen);
        assert!(resolved.plan.iter().all(|policy_type| policy_type.key == "mobileApp" || policy_type.foundation));
        assert_eq!(resolved.plan.len(), 1 + registry().foundations().count());
        assert_eq!(plan(&selection(&["mobileApp", "assignmentFilter"], &[], false)), ["mobileApp", "assignmentFilter"]);
    }

    #[test]
    fn a_category_adds_its_types_that_are_on_and_a_named_type_is_read_even_if_off() {
        let updates = plan(&selection(&[], &["updates"], false));
        assert_eq!(updates.len(), 6);
        assert!(!plan(&selection(&[], &["apps"], false)).contains(&"managedEBook"));
        assert_eq!(plan(&selection(&["managedEBook"], &[], false)), ["managedEBook"]);
    }

    #[test]
    fn the_full_inventory_is_every_type_that_is_on() {
        let full = Selection::full(registry());
        let resolved = full.resolve().unwrap();
        assert_eq!(resolved.selection, full);
        assert!(resolved.dropped.is_empty());
        assert_eq!(resolved.plan.len(), registry().default_on().count());
        assert!(full.include_foundations && full.include_dependencies && full.categories.is_empty());
    }

    proptest! {
        #[test]
        fn the_same_choice_in_any_order_gives_the_same_hash(
            (keys, shuffled) in proptest::collection::vec(
                proptest::sample::select(registry().all()).prop_map(|policy_type| policy_type.key), 1..20,
            ).prop_flat_map(|keys| (Just(keys.clone()), Just(keys).prop_shuffle())),
            twice in any::<bool>(),
            foundations in any::<bool>(),
        ) {
            let mut other = shuffled;
            if twice {
                other.extend(other.clone());
            }
            let one = selection(&keys, &["entra", "apps"], foundations).resolve().unwrap();
            let two = selection(&other, &["apps", "entra", "apps"], foundations).resolve().unwrap();
            prop_assert_eq!(&one.hash, &two.hash);
            prop_assert_eq!(&one.selection, &two.selection);
            prop_assert_eq!(one.selection.hash(), one.hash);
            prop_assert_eq!(one.selection.resolve().unwrap().selection, one.selection);
        }
    }
}
