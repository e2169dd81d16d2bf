//! Recovery codes: for whoever has lost their authenticator. Each works once.

use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::Vault;
use tenantatlas_store::second_factors::CodeHash;
use zeroize::Zeroizing;

use super::totp;

/// Codes that a person gets at once.
pub(crate) const CODES: usize = 10;
/// Random bytes of a code: 120 bits, above the 112 from which a plain hash is enough (NIST SP 800-63B, section 5.1.2.2).
const CODE_BYTES: usize = 15;
/// What the hashes of codes are keyed for.
const PURPOSE: &str = "recovery code";
/// Characters that stand together when a code is shown.
const GROUP: usize = 4;

/// New codes, one a line, as they are shown.
pub(crate) fn new_codes() -> SecretString {
    let codes: Vec<String> = (0..CODES)
        .map(|_| {
            let bytes = Zeroizing::new(rand::random::<[u8; CODE_BYTES]>());
            grouped(&totp::encode(bytes.as_slice()).to_lowercase(), '-')
        })
        .collect();
    SecretString::from(codes.join("\n"))
}

/// The codes of a list, as they are shown.
pub(crate) fn list(codes: &SecretString) -> Vec<String> {
    codes.expose_secret().lines().map(str::to_owned).collect()
}

/// The keyed hashes of a list.
pub(crate) fn hashes(vault: &Vault, user: UserId, codes: &SecretString) -> Vec<CodeHash> {
    codes.expose_secret().lines().map(|code| hash(vault, user, code)).collect()
}

/// What the database is told of a new code.
fn hash(vault: &Vault, user: UserId, code: &str) -> CodeHash {
    vault.keyed_hash(PURPOSE, &subject(user, code))
}

/// What the database may know of a code, however it was typed: the root key may have been replaced since it was made.
pub(crate) fn possible_hashes(vault: &Vault, user: UserId, code: &str) -> Vec<CodeHash> {
    vault.keyed_hashes(PURPOSE, &subject(user, code))
}

fn subject(user: UserId, code: &str) -> Zeroizing<String> {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Zeroizing::new(format!("{user} {}", plain.to_ascii_lowercase()))
}

/// Text in groups, easier to copy by hand.
pub(crate) fn grouped(text: &str, between: char) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join(&between.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_different_codes_of_120_bits_are_made() {
        let codes = list(&new_codes());
        let different: std::collections::BTreeSet<&String> = codes.iter().collect();
        assert_eq!((codes.len(), different.len()), (CODES, CODES));
        assert!(codes.iter().all(|code| code.len() == 29 && code.split('-').count() == 6), "{codes:?}");
    }
}
