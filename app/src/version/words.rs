//! What stands in a version, in words.

use tenantatlas_domain::body::OBJECT_SLOT;
use tenantatlas_domain::live::humanise;
use tenantatlas_domain::references::{TargetKind, filter_words, target_words};
use tenantatlas_domain::settings::{AssignmentSide, property_title};
use tenantatlas_store::inventory::KnownNames;

/// What the settings of a slot are called that have no category.
#[must_use]
pub fn slot_label(slot: &str) -> String {
    if slot == OBJECT_SLOT { "General".to_owned() } else { property_title(slot) }
}

/// Whom a row of assignments names.
#[must_use]
pub fn target_label(names: &KnownNames, kind: TargetKind, id: &str) -> String {
    let (name, unnamed) = names.in_directory(id);
    target_words(kind, id, name, unnamed).into_owned()
}

/// How a row of assignments is meant, beside that its target is included or excluded.
#[must_use]
pub fn side_details(names: &KnownNames, side: &AssignmentSide) -> Vec<String> {
    let filter = side.filter.as_ref();
    let mut words: Vec<String> =
        filter.map(|filter| filter_words(filter.mode, &filter.id, names.filter(&filter.id))).into_iter().collect();
    words.extend(side.more.iter().map(|(property, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{} {value}", humanise(property.rsplit('/').next().unwrap_or(property)).to_lowercase())
    }));
    words
}

/// How a row of assignments is meant.
#[must_use]
pub fn side_words(names: &KnownNames, side: &AssignmentSide) -> String {
    let mut words = vec![if side.excluded { "excluded" } else { "included" }.to_owned()];
    words.extend(side_details(names, side));
    words.join(", ")
}
