//! Names that people type: of tenants, of people, of saved views.

use tenantatlas_domain::invisible::is_legible;

use crate::error::EngineError;

/// A name without the blanks around it.
///
/// # Errors
/// [`EngineError::Invalid`] for the field `name`, when nothing is left, when it is longer than so many characters, or when
/// it holds characters that are not seen: it could look like another name, or turn the text around it.
pub(crate) fn checked(name: &str, longest: usize) -> Result<String, EngineError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > longest || !is_legible(name) {
        let words = format!("must have 1 to {longest} characters, and none that is not seen");
        return Err(EngineError::invalid("name", words));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_another_is_refused() {
        assert_eq!(checked(" Contoso ", 7).expect("a name"), "Contoso");
        assert!(checked("می‌خواهم", 20).is_ok(), "joiners are part of how some names are written");
        for name in ["", " \u{a0}", "Contoso!", "Con\u{200b}t", "a\u{202e}b", "\u{feff}a", "a\u{1b}b", "a\nb"] {
            assert!(matches!(checked(name, 7), Err(EngineError::Invalid { field: "name", .. })), "{name:?}");
        }
    }
}
