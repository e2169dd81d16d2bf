//! The form of a token: `tat_`, 43 letters and digits of chance (256 bits), and 6 that check them. Whoever looks for secrets in
//! texts knows it by that, and a token that was typed wrong is told without asking the database.

use secrecy::SecretString;
use tenantatlas_store::sessions::TokenHash;

use crate::token::hash_token;

/// What every token begins with.
pub const TOKEN_PREFIX: &str = "tat_";
/// Characters of chance.
const SECRET: usize = 43;
/// Characters that check them.
const CHECK: usize = 6;
/// The letters and digits of a token, in the order of their values.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token, and what the database keeps of it.
pub(super) fn new_secret() -> (SecretString, TokenHash) {
    let mut secret = String::with_capacity(SECRET);
    while secret.len() < SECRET {
        let bytes: [u8; 32] = rand::random();
        // 248 is the largest multiple of 62: beyond it some characters would come more often than others.
        let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| letter(u32::from(*byte) % 62));
        secret.extend(fair.take(SECRET - secret.len()));
    }
    let token = format!("{TOKEN_PREFIX}{secret}{}", check(&secret));
    let hash = hash_token(&token);
    (token.into(), hash)
}

/// Whether a text has the form of a token and checks.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(TOKEN_PREFIX) else { return false };
    let plain = rest.len() == SECRET + CHECK && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain && rest.split_at_checked(SECRET).is_some_and(|(secret, sum)| check(secret) == sum)
}

/// The CRC-32 of the characters (ISO 3309, as in zlib), to the base of 62, the highest digit first.
fn check(secret: &str) -> String {
    let mut sum = secret.bytes().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    });
    sum = !sum;
    let mut digits = ['0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = letter(sum % 62);
        sum /= 62;
    }
    digits.iter().collect()
}

fn letter(value: u32) -> char {
    let at = usize::try_from(value).unwrap_or_default();
    char::from(ALPHABET.get(at).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_known_by_its_form_and_a_slip_of_the_hand_is_told() {
        let made: HashSet<String> = (0..50).map(|_| new_secret().0.expose_secret().to_owned()).collect();
        assert_eq!(made.len(), 50);
        for token in &made {
            assert!(is_token(token) && token.len() == 53, "{token}");
            for at in 4..token.len() {
                let mut wrong: Vec<char> = token.chars().collect();
                wrong[at] = if wrong[at] == 'x' { 'y' } else { 'x' };
                assert!(!is_token(&wrong.into_iter().collect::<String>()), "{token} at {at}");
            }
        }
        for none in ["", "tat_", "tat_é", "tat_0", "Bearer", &"tat_".repeat(20), &format!("tat_{}", "é".repeat(49))] {
            assert!(!is_token(none), "{none}");
        }
    }

    #[test]
    fn the_check_is_the_crc_that_others_compute() {
        // The check value of CRC-32 for these nine digits is 0xcbf43926, 3421780262.
        assert_eq!(check("123456789"), "3jZRME");
    }

    #[test]
    fn what_is_kept_is_the_hash_of_the_whole_token() {
        let (token, hash) = new_secret();
        assert_eq!(hash, hash_token(token.expose_secret()));
    }
}
