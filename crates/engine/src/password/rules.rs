//! Which passwords may be set: long enough, and none of those that are tried first.
//!
//! Length and block list, no rules about kinds of characters and no end of validity: NIST SP 800-63B, section 5.1.1.2, and
//! OWASP ASVS 4.0.3, section 2.1. Every character of Unicode may stand in a password. It is compared as it was typed and
//! not normalised (NFKC): the same keyboard sends the same bytes, and a hash of other bytes could not be undone.

use std::collections::HashSet;
use std::sync::OnceLock;

use secrecy::{ExposeSecret, SecretString};

use crate::error::EngineError;

/// Fewest characters of a password; several spaces in a row count as one.
pub const MIN_PASSWORD_CHARACTERS: usize = 12;
/// Most characters of a password.
pub const MAX_PASSWORD_CHARACTERS: usize = 128;
/// Most bytes of a password: every character of the longest may take four.
pub const MAX_PASSWORD_BYTES: usize = 512;

/// Fewest different characters.
const MIN_DIFFERENT: usize = 4;
/// Fewest letters and digits that are left when what everybody knows of the person is taken out.
const MIN_OF_ITS_OWN: usize = 6;
/// Words of the person that are shorter stand in other words too and are left alone.
const SHORTEST_WORD: usize = 4;
/// Names of the product as people write them.
const PRODUCT: [&str; 3] = ["tenantatlas", "tenant atlas", "tenant-atlas"];
/// Characters in the order in which they lie beside each other.
const ROWS: [&str; 7] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Passwords that many people have, in lower case: the most frequent ones of zxcvbn that have eight characters or more,
/// and the words of six and seven letters among them, which are tried with digits behind (`LICENSE-zxcvbn`).
static COMMON: &str = include_str!("common.txt");

/// The person that a password is for: it must not be made of their name or address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person<'a> {
    pub name: &'a str,
    pub email: &'a str,
}

impl Person<'_> {
    /// Whether they may have this password.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] that says what is wrong with it and what to do.
    pub(crate) fn check(self, password: &SecretString) -> Result<(), EngineError> {
        let text = password.expose_secret();
        check_length(text)?;
        let lower = text.to_lowercase();
        if is_pattern(&lower) {
            return refuse(
                "is one pattern that repeats or counts on. Take several words that have nothing to do with each other",
            );
        }
        if is_common(&lower) {
            return refuse(
                "is one that many people have, so it is tried first. Take several words that have nothing to do with each other",
            );
        }
        if self.is_told_by(&lower) {
            return refuse(
                "is made of your name, your e-mail address or the name of this product. Take words that nobody connects with you",
            );
        }
        Ok(())
    }

    /// Whether hardly anything is left without what everybody knows of the person.
    fn is_told_by(self, lower: &str) -> bool {
        let (name, email) = (self.name.trim().to_lowercase(), self.email.trim().to_lowercase());
        let (local, domain) = email.split_once('@').unwrap_or_default();
        let parts =
            |text: &str| text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
        let mut words = vec![email.clone(), name.clone(), local.to_owned(), domain.to_owned()];
        words.extend(parts(&name));
        words.extend(parts(local));
        words.extend(PRODUCT.map(str::to_owned));
        words.retain(|word| word.chars().count() >= SHORTEST_WORD);
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut rest = lower.to_owned();
        for word in words {
            rest = rest.replace(&word, " ");
        }
        rest != lower && rest.chars().filter(|letter| letter.is_alphanumeric()).count() < MIN_OF_ITS_OWN
    }
}

fn refuse(message: &str) -> Result<(), EngineError> {
    Err(EngineError::invalid("password", message))
}

fn check_length(text: &str) -> Result<(), EngineError> {
    let mut before = ' ';
    let mut count = 0;
    for letter in text.chars() {
        if letter != ' ' || before != ' ' {
            count += 1;
        }
        before = letter;
    }
    if count < MIN_PASSWORD_CHARACTERS {
        return refuse(&format!(
            "must have at least {MIN_PASSWORD_CHARACTERS} characters, spaces in a row counted as one. A sentence is fine"
        ));
    }
    if text.len() > MAX_PASSWORD_BYTES || text.chars().count() > MAX_PASSWORD_CHARACTERS {
        return refuse(&format!("must have at most {MAX_PASSWORD_CHARACTERS} characters"));
    }
    Ok(())
}

/// Whether it has hardly any different characters, repeats a short piece, or follows one of [`ROWS`] either way.
fn is_pattern(lower: &str) -> bool {
    let letters: Vec<char> = lower.chars().collect();
    let different: HashSet<char> = letters.iter().copied().collect();
    different.len() < MIN_DIFFERENT || period(&letters) <= letters.len() / 3 || follows_rows(&letters)
}

/// The length of the shortest piece that the whole is a repetition of; the last one may be cut off.
fn period(letters: &[char]) -> usize {
    (1..letters.len())
        .find(|period| letters.iter().skip(*period).eq(&letters[..letters.len() - period]))
        .unwrap_or(letters.len())
}

/// Whether nearly every character lies beside the one before it in a row, or is the same.
fn follows_rows(letters: &[char]) -> bool {
    let beside = |one: char, other: char| {
        one == other
            || ROWS.iter().any(|row| {
                let row: Vec<char> = row.chars().collect();
                row.windows(2).any(|pair| pair == [one, other] || pair == [other, one])
            })
    };
    let steps = letters.windows(2).filter(|pair| beside(pair[0], pair[1])).count();
    // A few steps aside: "abcdef123456" has one.
    steps + 3 > letters.len()
}

/// Whether it is a common password, also with digits and signs around it, or one such repeated.
fn is_common(lower: &str) -> bool {
    static LIST: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let list = LIST.get_or_init(|| COMMON.lines().collect());
    let letters: Vec<char> = lower.chars().collect();
    let piece: String = letters[..period(&letters)].iter().collect();
    let bare = |text: &str| text.trim_matches(|letter: char| !letter.is_alphabetic()).to_owned();
    [lower.to_owned(), bare(lower), bare(&piece), piece].iter().any(|text| list.contains(text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(password: &str) -> Option<String> {
        let person = Person { name: "Ada Lovelace", email: "countess@analytical.example" };
        match person.check(&SecretString::from(password.to_owned())) {
            Ok(()) => None,
            Err(EngineError::Invalid { field: "password", message }) => Some(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn passwords_that_are_tried_first_cannot_be_set() {
        for (password, why) in [
            ("short", "at least 12"),
            ("1234567890", "at least 12"),
            ("            ", "at least 12"),
            ("one      two", "at least 12"),
            ("\0\0\0\0\0\0\0\0\0\0\0\0", "one pattern"),
            ("aaaaaaaaaaaa", "one pattern"),
            ("abababababab", "one pattern"),
            ("abcabcabcabc", "one pattern"),
            ("wxyzwxyzwxyzw", "one pattern"),
            ("123456789012", "one pattern"),
            ("098765432109", "one pattern"),
            ("abcdef123456", "one pattern"),
            ("qwertyuiop12", "one pattern"),
            ("1qaz2wsx3edc", "one pattern"),
            ("Password12345!", "many people"),
            ("!!!123password", "many people"),
            ("passwordpassword", "many people"),
            ("Sunshine2026", "many people"),
            ("countess@analytical.example", "your name"),
            ("Countess-1815", "your name"),
            ("Ada Lovelace 1815", "your name"),
            ("TenantAtlas2026!", "your name"),
        ] {
            let found = refusal(password).unwrap_or_else(|| panic!("{password:?} was taken"));
            assert!(found.contains(why), "{password:?}: {found}");
        }
        assert!(refusal(&"long sentence ".repeat(10)).is_some_and(|message| message.contains("at most 128")));
    }

    #[test]
    fn sentences_in_any_script_can_be_set_up_to_the_limit() {
        let longest: String = (0..128_u32).filter_map(|index| char::from_u32(0x1F300 + index * 7 % 90)).collect();
        for password in [
            "correct horse battery",
            "demo-password",
            "a much longer sentence",
            "пароль из слов",
            "合言葉は誰にも教えません決して",
            "839204716352",
            "Lovelace was no relation of mine",
            longest.as_str(),
        ] {
            assert_eq!(refusal(password), None, "{password:?}");
        }
    }

    #[test]
    fn the_block_list_is_large_and_in_lower_case() {
        let long = COMMON.lines().filter(|word| word.chars().count() >= 8).count();
        assert!(long >= 3_000, "{long}");
        assert!(COMMON.lines().all(|word| word == word.to_lowercase() && !word.is_empty()));
    }
}
