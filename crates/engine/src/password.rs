//! Passwords at rest: argon2id over a keyed hash, off the async threads, and the same work for people who do not exist.
//!
//! The key of the hash (a pepper, OWASP ASVS 4.0.3, requirement 2.4.5) comes from the key file of the server, which lies
//! apart from the database: whoever has only the database cannot try passwords at all.

mod rules;

use std::sync::OnceLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tenantatlas_store::Vault;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::EngineError;

pub(crate) use rules::Person;
pub use rules::{MAX_PASSWORD_BYTES, MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS};

/// Stands before the PHC string of a hash that was made over the keyed hash of the password. Hashes without it are from
/// before there was a key; they are replaced when their person signs in.
const KEYED: &str = "keyed-1";
/// The same for a hash under a root key that took the place of another, whose name follows up to the PHC string.
const KEYED_BY: &str = "keyed-2.";
/// What the hash is keyed for.
const PURPOSE: &str = "password";

/// Passwords that are worked on at the same time: each takes 19 MiB and a core. The others wait for their turn.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// argon2id, 19 MiB, 2 passes, 1 lane: the first recommendation of the OWASP password storage cheat sheet.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password for the database.
///
/// # Errors
/// [`EngineError::Internal`] when the hash cannot be computed.
pub(crate) async fn hash_password(vault: &Vault, password: &SecretString) -> Result<String, EngineError> {
    let keyed = vault.named_hash(PURPOSE, password.expose_secret());
    let (input, mark) = (Zeroizing::new(keyed.hash), mark_of(keyed.key.as_deref()));
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(move || {
        hasher()
            .hash_password(input.as_slice())
            .map(|hash| format!("{mark}{hash}"))
            .map_err(|error| EngineError::Internal(format!("password hash: {error}")))
    })
    .await
    .map_err(|_| EngineError::Internal("password hash was interrupted".to_owned()))?
}

/// What a comparison of a password with a stored hash found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is another password, or there is no such person.
    No,
    /// It fits, and the hash is one as it is made today.
    Yes,
    /// It fits, and the hash should be replaced by one as it is made today.
    Outdated,
}

impl Fit {
    /// Whether it fits.
    pub(crate) fn fits(self) -> bool {
        self != Self::No
    }
}

/// What stands before a hash under the root key of this name, or the first one.
fn mark_of(key: Option<&str>) -> String {
    key.map_or_else(|| KEYED.to_owned(), |name| format!("{KEYED_BY}{name}"))
}

/// The mark of a stored hash, with the name of its key, and the PHC string; `None` for one without a key.
fn split(stored: &str) -> Option<(Option<&str>, &str)> {
    if let Some(hash) = stored.strip_prefix(KEYED) {
        return Some((None, hash));
    }
    let rest = stored.strip_prefix(KEYED_BY)?;
    let end = rest.find('$')?;
    Some((Some(&rest[..end]), &rest[end..]))
}

/// Compares a password with a stored hash. With `None` (no such person) the same work is done and the answer is no.
pub(crate) async fn verify_password(vault: &Vault, password: SecretString, stored: Option<String>) -> Fit {
    let name = stored.as_deref().and_then(split).and_then(|(name, _)| name);
    let input = Zeroizing::new(vault.hash_named(name, PURPOSE, password.expose_secret()));
    let replaced = vault.named_hash(PURPOSE, "").key.as_deref() != name;
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(move || {
        let hash = stored.as_deref().unwrap_or_else(|| dummy_hash());
        let short = password.expose_secret().len() <= MAX_PASSWORD_BYTES;
        let (fits, outdated) = match split(hash) {
            Some((_, hash)) => (verifies(input.as_slice(), hash), replaced || !has_todays_parameters(hash)),
            None => (verifies(password.expose_secret().as_bytes(), hash), true),
        };
        match (stored.is_some() && short && fits, outdated) {
            (false, _) => Fit::No,
            (true, false) => Fit::Yes,
            (true, true) => Fit::Outdated,
        }
    })
    .await
    .unwrap_or(Fit::No)
}

fn verifies(input: &[u8], hash: &str) -> bool {
    hasher().verify_password(input, hash).is_ok()
}

fn has_todays_parameters(hash: &str) -> bool {
    let params = hasher();
    let params = params.params();
    let wanted = format!("$argon2id$v=19$m={},t={},p={}$", params.m_cost(), params.t_cost(), params.p_cost());
    hash.starts_with(&wanted)
}

/// A hash as it is made today that no password is known for.
fn dummy_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let unknown: [u8; 32] = rand::random();
        hasher().hash_password(&unknown).map(|hash| format!("{KEYED}{hash}")).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantatlas_store::testing::TestDatabase;

    async fn vault(database: &TestDatabase) -> Vault {
        let path = database.folder().expect("a folder").join("key");
        Vault::open(&database.db, &path).await.expect("a vault")
    }

    #[tokio::test]
    async fn a_stolen_database_without_the_key_file_verifies_no_password() {
        let (one, other) = (TestDatabase::sqlite().await, TestDatabase::sqlite().await);
        let (own, foreign) = (vault(&one).await, vault(&other).await);
        let password = SecretString::from("correct horse battery");
        let hash = hash_password(&own, &password).await.expect("a hash");
        assert_eq!(verify_password(&own, password.clone(), Some(hash.clone())).await, Fit::Yes);
        assert_eq!(verify_password(&foreign, password.clone(), Some(hash.clone())).await, Fit::No);
        let bare = hash.strip_prefix(KEYED).expect("the mark").to_owned();
        assert_eq!(verify_password(&own, password, Some(bare)).await, Fit::No, "it is no hash of the password itself");
        assert_eq!(verify_password(&own, SecretString::from("another one"), Some(hash)).await, Fit::No);
    }

    #[tokio::test]
    async fn a_password_from_before_the_key_and_before_the_rules_still_fits_and_is_to_be_hashed_anew() {
        let database = TestDatabase::sqlite().await;
        let vault = vault(&database).await;
        let old = hasher().hash_password(b"short").expect("a hash").to_string();
        assert_eq!(verify_password(&vault, SecretString::from("short"), Some(old.clone())).await, Fit::Outdated);
        assert_eq!(verify_password(&vault, SecretString::from("other"), Some(old)).await, Fit::No);
        assert_eq!(verify_password(&vault, SecretString::from("short"), None).await, Fit::No);
    }
}
