//! What is looked for among settings, as people write it: words, and filters such as `value:enabled`.
//!
//! ```text
//! query  = part { blank part } ;
//! part   = [ filter ":" ] ( word | '"' text '"' ) ;
//! filter = "setting" | "value" | "type" | "tenant" ;
//! ```
//! All parts must hold, of several types or tenants one.

use std::fmt;

use crate::registry::{PolicyType, aliases, registry};
use crate::settings::words_of;

/// The longest query, in characters.
pub const LONGEST_QUERY: usize = 500;
/// Parts of a query, at most.
const MOST_PARTS: usize = 12;
/// Names that are offered in place of one that is not known.
const NEAREST: usize = 3;
/// The filters, with what each takes.
pub const FILTERS: [(&str, &str); 4] = [
    ("setting", "words of the name of a setting, or its definition ID"),
    ("value", "words of its value, or a number"),
    ("type", "the key or name of a policy type"),
    ("tenant", "the name of a tenant"),
];

/// Where a text is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SoughtIn {
    /// In names, definition ids, categories and values.
    Anything,
    /// In names, definition ids and categories.
    Name,
    /// In values.
    Value,
}

/// One text that is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sought {
    /// Where.
    pub within: SoughtIn,
    /// The text, as it was written.
    pub text: String,
}

impl Sought {
    /// Its words, of which a value must have all.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        words_of(&self.text)
    }
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingQuery {
    /// Every text that must be found.
    pub sought: Vec<Sought>,
    /// The keys of the types; any where there is none.
    pub types: Vec<&'static str>,
    /// The tenants, as they were written; any where there is none.
    pub tenants: Vec<String>,
}

/// Why a query cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// Nothing was written.
    Empty,
    /// More than is read.
    TooLong,
    /// More parts than are looked for together.
    TooManyParts,
    /// A quotation mark that is not closed.
    Unclosed,
    /// A filter that is not known.
    UnknownFilter(String),
    /// A filter without anything behind it, or with nothing that could be found.
    NothingSought(String),
    /// A type that is not known, with those that are called much like it.
    UnknownType(String, Vec<&'static str>),
    /// A tenant that is not there, with those that are called much like it.
    UnknownTenant(String, Vec<String>),
    /// A text that is part of the names of more settings than are looked for together.
    TooBroad(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offer = |names: Vec<String>| match names.is_empty() {
            true => String::new(),
            false => format!(": did you mean {}?", names.join(", ")),
        };
        match self {
            Self::Empty => formatter.write_str(
                "Expected something to look for: words of a name or value, a definition ID, or a filter such as value:enabled.",
            ),
            Self::TooLong => write!(formatter, "Expected at most {LONGEST_QUERY} characters."),
            Self::TooManyParts => write!(formatter, "Expected at most {MOST_PARTS} words and filters."),
            Self::Unclosed => formatter.write_str("Expected a second quotation mark: one is not closed."),
            Self::UnknownFilter(name) => {
                let known: Vec<&str> = FILTERS.iter().map(|(name, _)| *name).collect();
                write!(
                    formatter,
                    "There is no filter \"{name}:\". Expected {}; a text with a colon is looked for in quotation marks.",
                    known.iter().map(|name| format!("{name}:")).collect::<Vec<_>>().join(", ")
                )
            }
            Self::NothingSought(part) => {
                let takes = FILTERS.iter().find(|(name, _)| part == name).map(|(_, takes)| *takes);
                match takes {
                    Some(takes) => write!(formatter, "Expected {takes} behind \"{part}:\"."),
                    None => write!(formatter, "Expected letters or digits in \"{part}\"."),
                }
            }
            Self::UnknownType(name, near) => write!(
                formatter,
                "There is no policy type \"{name}\"{}",
                end(offer(near.iter().map(|key| (*key).to_owned()).collect()))
            ),
            Self::TooBroad(text) => write!(
                formatter,
                "So many settings have \"{text}\" in their names that they are not looked for together. Expected a longer word."
            ),
            Self::UnknownTenant(name, near) => {
                write!(formatter, "There is no tenant \"{name}\" among yours{}", end(offer(near.clone())))
            }
        }
    }
}

fn end(offer: String) -> String {
    if offer.is_empty() { ".".to_owned() } else { offer }
}

impl std::error::Error for QueryError {}

/// A part as it was written.
struct Part {
    filter: Option<String>,
    text: String,
}

impl SettingQuery {
    /// Reads a query. Types are known here, tenants only to who asks.
    ///
    /// # Errors
    /// [`QueryError`], whose text says what was expected.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > LONGEST_QUERY {
            return Err(QueryError::TooLong);
        }
        let parts = parts(text)?;
        if parts.is_empty() {
            return Err(QueryError::Empty);
        }
        if parts.len() > MOST_PARTS {
            return Err(QueryError::TooManyParts);
        }
        let mut query = Self::default();
        for Part { filter, text } in parts {
            query.add(filter.as_deref(), text)?;
        }
        Ok(query)
    }

    fn add(&mut self, filter: Option<&str>, text: String) -> Result<(), QueryError> {
        let within = match filter {
            Some("type") => {
                let found = type_of(&text).ok_or_else(|| unknown_type(&text))?.key;
                if !self.types.contains(&found) {
                    self.types.push(found);
                }
                return Ok(());
            }
            Some("tenant") => {
                self.tenants.push(text);
                return Ok(());
            }
            Some("setting") => SoughtIn::Name,
            Some("value") => SoughtIn::Value,
            _ => SoughtIn::Anything,
        };
        let sought = Sought { within, text };
        if sought.words().is_empty() {
            return Err(QueryError::NothingSought(filter.map_or(sought.text, str::to_owned)));
        }
        if !self.sought.contains(&sought) {
            self.sought.push(sought);
        }
        Ok(())
    }
}

fn parts(text: &str) -> Result<Vec<Part>, QueryError> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (filter, after) = filter_of(rest)?;
        let (text, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(QueryError::Unclosed)?,
            None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        if !text.trim().is_empty() {
            parts.push(Part { filter, text: text.trim().to_owned() });
        } else if let Some(filter) = filter {
            return Err(QueryError::NothingSought(filter));
        }
        rest = after.trim_start();
    }
    Ok(parts)
}

/// The filter with which a part begins, in small letters, and what stands behind it. An address (`https://…`) and a single
/// letter (`C:\…`) are none.
fn filter_of(part: &str) -> Result<(Option<String>, &str), QueryError> {
    let Some((name, after)) = part.split_once(':') else { return Ok((None, part)) };
    let is_name = name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_name || after.starts_with("//") {
        return Ok((None, part));
    }
    let name = name.to_ascii_lowercase();
    if FILTERS.iter().any(|(known, _)| *known == name) {
        Ok((Some(name), after))
    } else {
        Err(QueryError::UnknownFilter(name))
    }
}

/// A type by its key or name, whatever the case.
fn type_of(text: &str) -> Option<&'static PolicyType> {
    let is = |name: &str| name.eq_ignore_ascii_case(text);
    registry().all().iter().copied().find(|known| is(known.key) || is(known.label))
}

fn unknown_type(text: &str) -> QueryError {
    let names = registry().all().iter().map(|known| {
        let names = [known.key, known.label].into_iter().chain(aliases(known).iter().copied());
        (known.key, names.map(|name| distance(text, name)).min().unwrap_or(usize::MAX))
    });
    QueryError::UnknownType(text.to_owned(), nearest(names.collect(), text))
}

/// That there is no tenant of this name, with those of `names` that are called much like it.
#[must_use]
pub fn unknown_tenant(text: &str, names: &[String]) -> QueryError {
    let names = names.iter().map(|name| (name.clone(), distance(text, name))).collect();
    QueryError::UnknownTenant(text.to_owned(), nearest(names, text))
}

/// Those that differ little enough to be meant, the most alike first.
fn nearest<T>(mut names: Vec<(T, usize)>, text: &str) -> Vec<T> {
    let most = text.chars().count().div_ceil(2);
    names.retain(|(_, distance)| *distance <= most);
    names.sort_by_key(|(_, distance)| *distance);
    names.into_iter().take(NEAREST).map(|(name, _)| name).collect()
}

/// How many characters must be changed to make a name of another, whatever their case; one that is within the other is near.
fn distance(text: &str, name: &str) -> usize {
    let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (text, name) = (lower(text), lower(name));
    if !text.is_empty() && name.windows(text.len()).any(|part| part == text) {
        return 1;
    }
    let mut above: Vec<usize> = (0..=name.len()).collect();
    for (row, one) in text.iter().enumerate() {
        let mut before = row + 1;
        let mut left = before;
        for (column, other) in name.iter().enumerate() {
            let changed = above.get(column).copied().unwrap_or_default() + usize::from(one != other);
            let added = above.get(column + 1).copied().unwrap_or_default() + 1;
            left = changed.min(added).min(left + 1);
            if let Some(cell) = above.get_mut(column) {
                *cell = before;
            }
            before = left;
        }
        if let Some(cell) = above.last_mut() {
            *cell = before;
        }
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(within: SoughtIn, text: &str) -> Sought {
        Sought { within, text: text.to_owned() }
    }

    fn refused(text: &str) -> String {
        SettingQuery::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn words_and_filters_are_told_apart() {
        let query = SettingQuery::parse(
            r#" BitLocker VALUE:enabled type:settingsCatalogPolicy tenant:"Contoso Ltd" setting:"Require encryption" "a: b""#,
        )
        .unwrap();
        assert_eq!(
            query.sought,
            [
                sought(SoughtIn::Anything, "BitLocker"),
                sought(SoughtIn::Value, "enabled"),
                sought(SoughtIn::Name, "Require encryption"),
                sought(SoughtIn::Anything, "a: b"),
            ]
        );
        assert_eq!(
            (query.types.as_slice(), query.tenants.as_slice()),
            (["settingsCatalogPolicy"].as_slice(), ["Contoso Ltd".to_owned()].as_slice())
        );
    }

    #[test]
    fn an_address_a_drive_a_time_and_a_definition_are_looked_for_as_they_stand() {
        for text in ["https://vpn.contoso.com/x", r"C:\Temp", "12:30", "./Device/Vendor/MSFT", "device_vendor_msft_x"] {
            assert_eq!(SettingQuery::parse(text).unwrap().sought, [sought(SoughtIn::Anything, text)], "{text}");
        }
    }

    #[test]
    fn a_type_is_named_by_its_key_or_its_label_whatever_the_case() {
        let known = registry().get("settingsCatalogPolicy").unwrap();
        for text in [known.key.to_lowercase(), format!("\"{}\"", known.label.to_uppercase())] {
            assert_eq!(SettingQuery::parse(&format!("type:{text}")).unwrap().types, [known.key]);
        }
    }

    #[test]
    fn what_was_expected_is_said_in_one_sentence() {
        assert!(refused("  ").starts_with("Expected something to look for"));
        assert_eq!(refused("value:\"a b"), "Expected a second quotation mark: one is not closed.");
        assert!(
            refused("vlaue:x").contains("There is no filter \"vlaue:\". Expected setting:, value:, type:, tenant:")
        );
        assert_eq!(refused("value: x"), "Expected words of its value, or a number behind \"value:\".");
        assert_eq!(refused("value:--"), "Expected words of its value, or a number behind \"value:\".");
        assert_eq!(refused("--"), "Expected letters or digits in \"--\".");
        assert!(refused(&"x ".repeat(13)).contains("at most 12"));
        assert!(refused(&"x".repeat(501)).contains("at most 500"));
        let unknown = refused("type:settingsCatalogPolcy");
        assert!(unknown.contains("did you mean settingsCatalogPolicy"), "{unknown}");
        assert_eq!(
            refused("type:qqqqqqqqqqqqqqqqqqqqqqqqqqqqq"),
            "There is no policy type \"qqqqqqqqqqqqqqqqqqqqqqqqqqqqq\"."
        );
        let names = ["Contoso".to_owned(), "Fabrikam".to_owned()];
        assert_eq!(
            unknown_tenant("Cotnoso", &names).to_string(),
            "There is no tenant \"Cotnoso\" among yours: did you mean Contoso?"
        );
    }

    #[test]
    fn the_distance_is_that_of_single_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "SAME"), 1, "within");
    }
}
