//! Characters that are not seen but do something: move the cursor, colour a terminal, turn the direction of text around,
//! or hide what begins behind them; and the forms in which they can be seen.

use std::borrow::Cow;

/// Whether a character is a control character (Unicode general category Cc: C0, DEL, C1), a format character (Cf: bidi
/// marks, embeddings, overrides and isolates, zero-width characters, the byte order mark, tags) or a line or paragraph
/// separator (Zl, Zp). The ranges are those of `DerivedGeneralCategory.txt` of Unicode 17.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// Text that can do nothing to a terminal but be read: control characters, line breaks, bidi overrides and all other
/// format characters are shown as escapes (`\u{1b}`), so that a name can neither move the cursor nor write a line of its
/// own nor look like another.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_invisible)
}

/// The same for pages. The joiners U+200C and U+200D stay as they are: names in Persian and emoji are written with them,
/// and they turn no text around.
#[must_use]
pub fn visible_on_page(text: &str) -> Cow<'_, str> {
    escaped(text, |character| is_invisible(character) && !matches!(character, '\u{200c}' | '\u{200d}'))
}

/// Whether a name can be read whole: it holds nothing that a page would have to make visible. Names that people type must be
/// like this.
#[must_use]
pub fn is_legible(name: &str) -> bool {
    matches!(visible_on_page(name), Cow::Borrowed(_))
}

/// A name of a tenant, a person or a saved view as it was stored, in the form in which it is shown, [`visible_on_page`].
/// Records hold their names in this form from the moment they are read, so that no page, message or command can forget it.
/// Nothing else is made of such a name: it is no evidence, and what people type now is legible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameOfRecord(String);

impl From<String> for NameOfRecord {
    fn from(stored: String) -> Self {
        match visible_on_page(&stored) {
            Cow::Owned(shown) => Self(shown),
            Cow::Borrowed(_) => Self(stored),
        }
    }
}

impl From<NameOfRecord> for String {
    fn from(NameOfRecord(name): NameOfRecord) -> Self {
        name
    }
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => shown.extend(character.escape_default()),
            _ if hidden(character) => shown.extend(character.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_nothing_to_a_terminal() {
        for (name, shown) in [
            ("Windows – Baseline 🦀", "Windows – Baseline 🦀"),
            ("\u{1b}[2J\u{1b}]0;owned\u{7}", "\\u{1b}[2J\\u{1b}]0;owned\\u{7}"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("safe\u{202e}exe.tnemucod\u{2066}", "safe\\u{202e}exe.tnemucod\\u{2066}"),
            ("zero\u{200b}width\u{feff}\u{2028}", "zero\\u{200b}width\\u{feff}\\u{2028}"),
            ("\u{e0041}\u{ad}", "\\u{e0041}\\u{ad}"),
        ] {
            assert_eq!(visible(name), shown);
            assert_eq!(visible_on_page(name), shown);
        }
    }

    #[test]
    fn a_name_of_a_record_is_read_in_the_form_in_which_it_is_shown() {
        let read = |stored: &str| String::from(NameOfRecord::from(stored.to_owned()));
        assert_eq!(read("Contoso\u{202e}"), "Contoso\\u{202e}");
        assert_eq!(read("Contoso"), "Contoso");
        assert!(is_legible("👩‍💻 Contoso") && !is_legible("Con\u{200b}toso") && !is_legible("a\tb"));
    }

    #[test]
    fn no_character_that_does_something_is_left() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            assert!(!visible(&text).contains(is_invisible), "{character:?}");
        }
    }

    #[test]
    fn a_page_shows_names_that_are_written_with_joiners_as_they_are() {
        for name in ["می‌خواهم", "👩‍💻 Developers"] {
            assert_eq!(visible_on_page(name), name);
            assert_ne!(visible(name), name);
        }
    }
}
