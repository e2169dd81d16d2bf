//! What a selection is called. A run and a scope have the name of their selection.

use std::collections::BTreeSet;

use super::Selection;
use crate::registry::{Category, PolicyType, registry};

/// Types that are named one by one; more of them are counted.
const NAMED: usize = 2;

impl Selection {
    /// What it reads, as part of a sentence: `everything`, `Compliance`, `24 foundations`, `3 types and all foundations`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.policy_types.len() >= registry().default_on().count() {
            return "everything".to_owned();
        }
        let mut parts = types_in_words(&self.policy_types);
        parts.extend(self.categories.iter().map(|slug| {
            let known = Category::ALL.iter().find(|category| category.slug() == slug);
            known.map_or_else(|| slug.clone(), |category| category.label().to_owned())
        }));
        if self.include_foundations {
            parts.push("all foundations".to_owned());
        }
        parts.join(" and ")
    }

    /// The same as a name of its own: `Everything`.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.words();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        name
    }
}

/// The words for these types, by key: a whole category or all foundations by that, few of them by their names.
fn types_in_words(keys: &[String]) -> Vec<String> {
    let label = |key: &String| registry().get(key).map_or_else(|| key.clone(), |known| known.label.to_owned());
    let chosen: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    let is_all_of = |wanted: &dyn Fn(&PolicyType) -> bool| {
        let all: BTreeSet<&str> = registry().default_on().filter(|one| wanted(one)).map(|one| one.key).collect();
        all.len() > 1 && all == chosen
    };
    if chosen.len() > 1 && is_all_of(&|one| one.foundation) {
        return vec![format!("{} foundations", chosen.len())];
    }
    if let Some(category) = Category::ALL.iter().find(|category| is_all_of(&|one| one.category == **category)) {
        return vec![category.label().to_owned()];
    }
    match keys.len() {
        0..=NAMED => keys.iter().map(label).collect(),
        many => vec![format!("{many} types")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: &[&str], categories: &[&str], include_foundations: bool) -> Selection {
        Selection {
            policy_types: keys.iter().map(|key| (*key).to_owned()).collect(),
            categories: categories.iter().map(|slug| (*slug).to_owned()).collect(),
            include_foundations,
            include_dependencies: true,
        }
    }

    #[test]
    fn two_selections_of_one_tenant_are_told_apart_by_their_names() {
        let label = |key: &str| registry().get(key).expect("a type").label;
        assert_eq!(Selection::full(registry()).name(), "Everything");
        assert_eq!(of(&["conditionalAccessPolicy"], &[], false).name(), label("conditionalAccessPolicy"));
        assert_eq!(
            of(&["mobileApp", "conditionalAccessPolicy"], &[], false).name(),
            format!("{} and {}", label("mobileApp"), label("conditionalAccessPolicy"))
        );
        assert_eq!(of(&["mobileApp", "conditionalAccessPolicy", "x"], &[], true).name(), "3 types and all foundations");
        assert_eq!(of(&[], &["updates"], false).name(), Category::Updates.label());
    }

    #[test]
    fn a_whole_category_and_all_foundations_are_called_by_what_they_are() {
        let keys = |wanted: &dyn Fn(&PolicyType) -> bool| -> Vec<&str> {
            registry().default_on().filter(|one| wanted(one)).map(|one| one.key).collect()
        };
        let foundations = keys(&|one| one.foundation);
        assert_eq!(of(&foundations, &[], false).name(), format!("{} foundations", foundations.len()));
        let compliance = keys(&|one| one.category == Category::Compliance);
        assert!(compliance.len() > 1);
        assert_eq!(of(&compliance, &[], false).name(), Category::Compliance.label());
    }
}
