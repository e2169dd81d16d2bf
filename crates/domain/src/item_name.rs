//! What an item is called where Graph gave it no name.

use std::borrow::Cow;

use crate::invisible::visible_on_page;

/// The end of an id by which an item without a name is told from others, in characters.
const END: usize = 4;

/// Whether an object has no name of its own: none at all, or its id in the place of one.
#[must_use]
pub fn is_unnamed(display_name: &str, external_id: &str) -> bool {
    let name = display_name.trim();
    name.is_empty() || (name.eq_ignore_ascii_case(external_id) && uuid::Uuid::try_parse(name).is_ok())
}

/// The name of an item as a page shows it: what would not be seen is made visible, and an item without a name is told by
/// the end of its id, `(no name) …8e5f`.
#[must_use]
pub fn shown_name<'name>(display_name: &'name str, external_id: &str) -> Cow<'name, str> {
    if !is_unnamed(display_name, external_id) {
        return visible_on_page(display_name);
    }
    let start = external_id.char_indices().rev().nth(END - 1).map_or(0, |(start, _)| start);
    let mark = if start == 0 { "" } else { "…" };
    format!("(no name) {mark}{}", visible_on_page(&external_id[start..])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_a_name_is_told_by_the_end_of_its_id() {
        let guid = "0b7e3b3e-0000-4000-8000-0000000a8e5f";
        assert_eq!(shown_name("", guid), "(no name) …8e5f");
        assert_eq!(shown_name(&guid.to_uppercase(), guid), "(no name) …8e5f");
        assert_eq!(shown_name(" ", "ab"), "(no name) ab");
        assert_eq!(shown_name("de-DE", "de-DE"), "de-DE", "an id that is a word is a name");
        assert_eq!(shown_name(" =x\u{202e}", guid), " =x\\u{202e}");
    }
}
