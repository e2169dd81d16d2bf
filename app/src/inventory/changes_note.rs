//! What a list of changes says, and what it does not.

use leptos::prelude::*;
use tenantatlas_store::inventory::{FirstRead, StateFilter};

use super::labels::type_label;
use super::list::total_words;
use super::load::InventoryView;
use crate::filter::ListFilter as _;
use crate::filter::inventory::InventoryFilter;
use crate::format::{counted, number, utc};
use crate::ui::drawn::Drawn as _;
use crate::ui::note::note;

/// Types that are named one by one.
const NAMED: usize = 3;

/// Beside a list of changes: of which types less is known than is asked for, and how many items went missing since then.
/// Nothing beside other lists.
pub fn changes_note(base: &str, address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    let by = shown.by_change.as_ref()?;
    let later = later_words(&by.first_read_later).map(|words| note("info", words));
    let missing = (by.missing.items > 0).then(|| {
        let href =
            InventoryFilter { state: Some(StateFilter::Missing), since: None, ..address.first_page() }.address(base);
        let words = format!("{} went missing since then", total_words(by.missing));
        view! { <p class="quiet-text"><a href=href data-stay="">{words}</a>"."</p> }
    });
    Some(view! { <div class="stack" id="changes-note">{later}{missing}</div> }.drawn())
}

/// `2 types were first read after that: Named locations (2026-11-27 20:17 UTC), …. What changed in them before is not known.`
/// Nothing where all were read by then.
#[must_use]
pub fn later_words(later: &[FirstRead]) -> Option<String> {
    if later.is_empty() {
        return None;
    }
    let named: Vec<String> = later
        .iter()
        .take(NAMED)
        .map(|one| format!("{} ({})", type_label(&one.policy_type), utc(one.at.as_millis())))
        .collect();
    let more = match later.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {} more", number(more as u64)),
    };
    let them = if later.len() == 1 { "it" } else { "them" };
    Some(format!(
        "{} first read to the end only after that time: {}{more}. What changed in {them} before is not known.",
        counted(later.len() as u64, "type was", "types were"),
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantatlas_domain::time::Timestamp;

    #[test]
    fn changes_since_before_the_first_read_are_not_claimed_to_be_known() {
        let read = |key: &str| FirstRead { policy_type: key.to_owned(), at: Timestamp::from_millis(0) };
        assert_eq!(later_words(&[]), None);
        let one = later_words(&[read("roleScopeTag")]).expect("words");
        assert!(one.starts_with("1 type was first read to the end only after that time: "), "{one}");
        assert!(one.ends_with("(1970-01-01 00:00 UTC). What changed in it before is not known."), "{one}");
        let many = later_words(&["a", "b", "c", "d", "e"].map(read)).expect("words");
        assert!(many.starts_with("5 types were") && many.contains(" and 2 more. What changed in them"), "{many}");
    }
}
