//! The words for what is in the inventory.

use tenantatlas_domain::live::humanise;
use tenantatlas_domain::registry::{Category, Platform, registry};

/// The words for a policy type.
#[must_use]
pub fn type_label(key: &str) -> String {
    registry().get(key).map_or_else(|| humanise(key), |known| known.label.to_owned())
}

/// The words for a platform, by its stored name.
#[must_use]
pub fn platform_label(name: &str) -> String {
    let known = Platform::ALL.iter().find(|one| one.as_str() == name);
    known.map_or_else(|| name.to_owned(), |one| one.label().to_owned())
}

/// The words for a category, by its stored name.
#[must_use]
pub fn category_label(slug: &str) -> String {
    let known = Category::ALL.iter().find(|one| one.slug() == slug);
    known.map_or_else(|| humanise(slug), |one| one.label().to_owned())
}
