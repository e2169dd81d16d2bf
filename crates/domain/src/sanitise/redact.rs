//! Error text without what must never be seen in it.
//!
//! Errors of Microsoft's services quote requests, addresses and settings. Before
//! such a text is stored, logged or shown, everything that looks like a
//! credential or a person is taken out. The rules err on the side of taking out
//! too much: a text with a hole can still be looked up by its request id.

use std::borrow::Cow;

use super::secret::is_secret_key;

const REDACTED: &str = "[redacted]";
const E_MAIL: &str = "[e-mail]";

/// The shortest run of base64 characters that counts as key material.
const LONG_RUN: usize = 40;

/// The text without bearer tokens, JWTs, PEM blocks, values of secret-looking
/// names, long base64, and e-mail addresses and user principal names. Redacting
/// twice changes nothing.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut redacted = Cow::Borrowed(text);
    // Taking something out can join what stood on its sides, so the rules run
    // until none applies. Every round but the last replaces something by a mark
    // that no rule applies to, so a few are enough.
    for _ in 0..8 {
        let mut changed = false;
        for rule in [pem_blocks, secret_values, tokens, long_runs, e_mails] {
            if let Some(next) = rule(&redacted).filter(|next| next.as_str() != redacted.as_ref()) {
                redacted = Cow::Owned(next);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    redacted.into_owned()
}

/// Replaces byte ranges of a text; `None` when there are none.
fn replace(text: &str, ranges: &[(usize, usize)], mark: &str) -> Option<String> {
    if ranges.is_empty() {
        return None;
    }
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    for (start, end) in ranges {
        replaced.push_str(&text[copied..*start]);
        replaced.push_str(mark);
        copied = *end;
    }
    replaced.push_str(&text[copied..]);
    Some(replaced)
}

/// `-----BEGIN …` up to its end line, or to the end of the text.
fn pem_blocks(text: &str) -> Option<String> {
    let mut ranges = Vec::new();
    let mut from = 0;
    while let Some(begin) = text[from..].find("-----BEGIN ").map(|at| from + at) {
        let end = text[begin..].find("-----END ").map_or(text.len(), |at| {
            let after = begin + at + "-----END ".len();
            text[after..].find("-----").map_or(text.len(), |dashes| after + dashes + 5)
        });
        ranges.push((begin, end));
        from = end;
    }
    replace(text, &ranges, REDACTED)
}

/// `name=value`, `name: value`, `"name":"value"` (also with the quotes escaped,
/// as JSON inside JSON has them) where the name is one of a secret.
fn secret_values(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut ranges = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        if !is_name_byte(bytes[position]) {
            position += 1;
            continue;
        }
        let start = position;
        while position < bytes.len() && is_name_byte(bytes[position]) {
            position += 1;
        }
        let name = &text[start..position];
        if !is_secret_key(name) || names_an_error(name) {
            continue;
        }
        let mut at = position;
        while at < bytes.len() && matches!(bytes[at], b'"' | b'\'' | b'\\' | b' ') {
            at += 1;
        }
        if at >= bytes.len() || !matches!(bytes[at], b'=' | b':') {
            continue;
        }
        at += 1;
        while at < bytes.len() && bytes[at] == b' ' {
            at += 1;
        }
        // The scheme of an Authorization header is no secret, what follows is.
        for scheme in ["bearer ", "basic "] {
            if text.get(at..at + scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme)) {
                at += scheme.len();
            }
        }
        let (value_start, value_end) = value_range(bytes, at);
        if value_end > value_start && !text[value_start..].starts_with(REDACTED) {
            ranges.push((value_start, value_end));
        }
        position = value_end.max(position);
    }
    replace(text, &ranges, REDACTED)
}

/// Whether a name is that of an error about a secret (`InvalidAuthenticationToken`):
/// what follows is the message.
fn names_an_error(name: &str) -> bool {
    ["invalid", "missing", "expired"]
        .iter()
        .any(|start| name.get(..start.len()).is_some_and(|word| word.eq_ignore_ascii_case(start)))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Where a value that begins at `at` has its content: between its quotes, or up
/// to the next thing that cannot belong to it.
fn value_range(bytes: &[u8], at: usize) -> (usize, usize) {
    let backslashes = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
    let quote_at = at + backslashes;
    match bytes.get(quote_at) {
        Some(quote @ (b'"' | b'\'')) => {
            let start = quote_at + 1;
            let mut escapes = 0;
            for (offset, byte) in bytes[start..].iter().enumerate() {
                if *byte == b'\\' {
                    escapes += 1;
                } else if byte == quote && escapes <= backslashes {
                    return (start, start + offset - escapes);
                } else {
                    escapes = 0;
                }
            }
            (start, bytes.len())
        }
        _ => {
            let length = bytes[at..]
                .iter()
                .take_while(|byte| {
                    !byte.is_ascii_whitespace() && !matches!(byte, b'&' | b',' | b';' | b'"' | b'\'' | b')' | b'}')
                })
                .count();
            (at, at + length)
        }
    }
}

/// What follows `Bearer`, and JWTs wherever they are.
fn tokens(text: &str) -> Option<String> {
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(byte);
    let bytes = text.as_bytes();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        let begins_word = position == 0 || !bytes[position - 1].is_ascii_alphanumeric();
        if begins_word && is_token_byte(&bytes[position]) {
            let length = bytes[position..].iter().take_while(|byte| is_token_byte(byte)).count();
            let end = position + length;
            let word = &bytes[position..end];
            if word.eq_ignore_ascii_case(b"bearer") {
                let spaces = bytes[end..].iter().take_while(|byte| **byte == b' ').count();
                let token = bytes[end + spaces..].iter().take_while(|byte| is_token_byte(byte)).count();
                if spaces > 0 && token > 0 {
                    ranges.push((end + spaces, end + spaces + token));
                    position = end + spaces + token;
                    continue;
                }
            } else if word.starts_with(b"eyJ") && length >= 20 || word.windows(3).any(|part| part == b"8Q~") {
                ranges.push((position, end));
                position = end;
                continue;
            }
            // Step over one name only: a token may begin after `=` or `/`.
            position += bytes[position..end].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count().max(1);
            continue;
        }
        position += 1;
    }
    replace(text, &ranges, REDACTED)
}

/// Long runs of base64 that look like random bytes. Addresses are spared: the
/// GUIDs in them are cut out first, and what is left has few digits.
fn long_runs(text: &str) -> Option<String> {
    let is_run_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_~".contains(byte);
    let bytes = text.as_bytes();
    let mut ranges = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        let length = bytes[position..].iter().take_while(|byte| is_run_byte(byte)).count();
        if length >= LONG_RUN && has_random_piece(&bytes[position..position + length]) {
            ranges.push((position, position + length));
        }
        position += length.max(1);
    }
    replace(text, &ranges, REDACTED)
}

fn has_random_piece(run: &[u8]) -> bool {
    let mut piece_start = 0;
    let mut position = 0;
    while position < run.len() {
        if is_guid(&run[position..]) {
            if looks_random(&run[piece_start..position]) {
                return true;
            }
            position += 36;
            piece_start = position;
        } else {
            position += 1;
        }
    }
    looks_random(&run[piece_start.min(run.len())..])
}

fn looks_random(piece: &[u8]) -> bool {
    let count = |test: fn(&u8) -> bool| piece.iter().filter(|byte| test(byte)).count();
    piece.len() >= LONG_RUN
        && count(u8::is_ascii_digit) * 20 >= piece.len()
        && count(u8::is_ascii_uppercase) * 5 >= piece.len()
        && count(u8::is_ascii_lowercase) > 0
}

/// Whether the bytes begin with a GUID.
fn is_guid(bytes: &[u8]) -> bool {
    bytes.len() >= 36
        && bytes[..36].iter().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// E-mail addresses and user principal names. Annotations of OData
/// (`settings@odata.nextLink`) have the same shape and are left alone.
fn e_mails(text: &str) -> Option<String> {
    if !text.contains('@') {
        return None;
    }
    let is_local = |character: char| character.is_alphanumeric() || "._%+#-".contains(character);
    let is_domain = |character: char| character.is_alphanumeric() || ".-".contains(character);
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = text[..at].char_indices().rev().take_while(|(_, character)| is_local(*character)).last();
        let Some((start, _)) = start else { continue };
        let after = &text[at + 1..];
        let length = after.find(|character| !is_domain(character)).unwrap_or(after.len());
        let domain = after[..length].trim_end_matches(['.', '-']);
        let ends_in_letters = domain
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.chars().count() >= 2 && end.chars().all(char::is_alphabetic));
        if !ends_in_letters || domain.starts_with("odata.") || domain.starts_with("microsoft.graph") {
            continue;
        }
        if ranges.last().is_none_or(|(_, end)| *end <= start) {
            ranges.push((start, at + 1 + domain.len()));
        }
    }
    replace(text, &ranges, E_MAIL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_and_keys_are_taken_out() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2dyYXBoIn0.c2lnbmF0dXJl";
        assert_eq!(redact(&format!("token {jwt} was refused")), "token [redacted] was refused");
        assert_eq!(redact("Authorization: Bearer abc.def"), "Authorization: Bearer [redacted]");
        assert_eq!(redact("sent bearer abc123, retry"), "sent bearer [redacted], retry");
        let pem = "key -----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY----- is bad";
        assert_eq!(redact(pem), "key [redacted] is bad");
        assert_eq!(redact("key -----BEGIN CERTIFICATE-----\nMIIEvQ"), "key [redacted]");
        let base64 = "TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24=";
        assert_eq!(redact(&format!("blob '{base64}'")), "blob '[redacted]'");
        assert_eq!(redact("used Ab18Q~x.yz_0123456789abcdef-ghij"), "used [redacted]");
    }

    #[test]
    fn values_of_secret_names_are_taken_out_in_every_notation() {
        assert_eq!(
            redact("POST client_id=1&client_secret=hunter2&scope=x"),
            "POST client_id=1&client_secret=[redacted]&scope=x"
        );
        assert_eq!(
            redact(r#"{"wifiPassword":"pass \"word\"","ssid":"a"}"#),
            r#"{"wifiPassword":"[redacted]","ssid":"a"}"#
        );
        assert_eq!(redact(r#"{\"password\":\"hunter2\",\"a\":1}"#), r#"{\"password\":\"[redacted]\",\"a\":1}"#);
        assert_eq!(redact("GET /blob?sv=2024&sig=aB%2F1&x=1"), "GET /blob?sv=2024&sig=[redacted]&x=1");
        assert_eq!(redact("password: hunter2 was wrong"), "password: [redacted] was wrong");
        assert_eq!(redact("preSharedKey = 'a b c'"), "preSharedKey = '[redacted]'");
    }

    #[test]
    fn people_are_taken_out_and_annotations_are_not() {
        assert_eq!(redact("User jane.doe@contoso.com not found."), "User [e-mail] not found.");
        assert_eq!(redact("'bob_x.com#EXT#@contoso.onmicrosoft.com'"), "'[e-mail]'");
        assert_eq!(redact("follow settings@odata.nextLink"), "follow settings@odata.nextLink");
    }

    #[test]
    fn plain_words_addresses_and_ids_stay() {
        for text in [
            "",
            "Resource not found for the segment 'inventoryPolicies'.",
            "GET /beta/deviceManagement/configurationPolicies/0193f1e7-7c00-7000-8000-00000000abcd/settings failed",
            "deviceManagement/deviceEnrollmentConfigurations/windows10EnrollmentCompletionPageConfiguration",
            "request-id 6fb2f1a1-96bf-4a32-a3a9-56c3cb0a5a5f, error 403 Forbidden",
            "InvalidAuthenticationToken: Access token has expired or is not yet valid.",
            "passwordMinimumLength must be between 4 and 16",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    proptest! {
        #[test]
        fn redacting_twice_changes_nothing(text in "\\PC{0,120}") {
            let once = redact(&text);
            prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn redacting_texts_made_of_secrets_twice_changes_nothing(
            parts in proptest::collection::vec(proptest::sample::select(&[
                "password", "=", ":", "\"", "'", "\\", " ", "&", "Bearer ", "eyJhbGciOiJSUzI1NiJ9.e30", "a@b.co", "@",
                "client_secret", "-----BEGIN X", "-----END X", "-----", "8Q~", "/", "[redacted]", "[", "]", "é", ".",
                "TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5", "0193f1e7-7c00-7000-8000-00000000abcd",
            ][..]), 0..14)
        ) {
            let once = redact(&parts.concat());
            prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn no_planted_secret_survives(
            secret in "[A-Za-z0-9!#%+.~_-]{8,40}",
            frame in proptest::sample::select(&[
                "client_secret=<>&x=1", "{\"password\":\"<>\"}", "{\\\"sharedSecret\\\":\\\"<>\\\"}",
                "Authorization: Bearer <>", "preSharedKey: <>", "wifiPassword='<>'", "access_token=<>",
            ][..])
        ) {
            // A lone sign of the marks themselves would be found in them.
            prop_assume!(!"[redacted]".contains(&secret));
            let text = frame.replace("<>", &secret);
            prop_assert!(!redact(&text).contains(&secret), "{}", redact(&text));
        }
    }
}
