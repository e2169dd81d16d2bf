//! Random tokens that stand for something: a session, a sign-in that waits, a known browser, a link.

use sha2::{Digest as _, Sha256};
use tenantatlas_store::sessions::TokenHash;

/// A new token of 256 random bits: what whoever holds it keeps, and what the database does.
#[must_use]
pub fn new_token() -> (String, TokenHash) {
    let bytes: [u8; 32] = rand::random();
    let secret = hex::encode(bytes);
    let hash = hash_token(&secret);
    (secret, hash)
}

/// What the database knows of a token. A plain hash is enough for 256 random bits.
#[must_use]
pub fn hash_token(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_new_and_only_its_hash_is_kept() {
        let (one, hash) = new_token();
        let (other, _) = new_token();
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
        assert_eq!(hash, hash_token(&one));
    }
}
