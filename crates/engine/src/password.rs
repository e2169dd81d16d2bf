//! Passwords: argon2id, off the async threads, and the same work for people who do not exist.

use std::sync::OnceLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::error::EngineError;

/// Fewest characters of a password.
pub const MIN_PASSWORD_CHARACTERS: usize = 10;
/// Most bytes of a password; more would only be a way to make the server work.
pub const MAX_PASSWORD_BYTES: usize = 512;

/// Passwords that are worked on at the same time: each takes 19 MiB and a core. The others wait for their turn.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// argon2id, 19 MiB, 2 passes, 1 lane: the first recommendation of the OWASP password storage cheat sheet.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether a password may be set.
///
/// # Errors
/// [`EngineError::Invalid`] that says what is wrong with it.
pub fn check_password_rules(password: &SecretString) -> Result<(), EngineError> {
    let text = password.expose_secret();
    if text.chars().count() < MIN_PASSWORD_CHARACTERS {
        return Err(EngineError::invalid(
            "password",
            format!("must have at least {MIN_PASSWORD_CHARACTERS} characters"),
        ));
    }
    if text.len() > MAX_PASSWORD_BYTES {
        return Err(EngineError::invalid("password", format!("must have at most {MAX_PASSWORD_BYTES} bytes")));
    }
    Ok(())
}

/// Hashes a password into its PHC string.
///
/// # Errors
/// [`EngineError::Internal`] when the hash cannot be computed.
pub async fn hash_password(password: SecretString) -> Result<String, EngineError> {
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(move || {
        hasher()
            .hash_password(password.expose_secret().as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| EngineError::Internal(format!("password hash: {error}")))
    })
    .await
    .map_err(|_| EngineError::Internal("password hash was interrupted".to_owned()))?
}

/// Whether a password fits a PHC string. With `None` (no such person) the same work is done and the answer is no.
pub async fn verify_password(password: SecretString, stored: Option<String>) -> bool {
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let hash = stored.unwrap_or_else(|| dummy_hash().to_owned());
        let bytes = password.expose_secret().as_bytes();
        let fits = bytes.len() <= MAX_PASSWORD_BYTES && hasher().verify_password(bytes, hash.as_str()).is_ok();
        known && fits
    })
    .await
    .unwrap_or(false)
}

/// A hash with today's parameters that no password is known for.
fn dummy_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let unknown: [u8; 32] = rand::random();
        hasher().hash_password(&unknown).map(|hash| hash.to_string()).unwrap_or_default()
    })
}
