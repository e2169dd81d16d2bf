//! Bearer tokens, kept until shortly before they expire, fetched once however many wait for them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use http::HeaderValue;
use serde::Deserialize;
use tenantatlas_domain::reason::ReasonCode;
use tokio::time::Instant;
use tracing::Instrument;

use crate::credential::Connection;
use crate::error::GraphError;

/// A token is not used during this last part of its life.
const SKEW: Duration = Duration::from_secs(300);

pub(crate) struct Token {
    /// `Bearer …`, marked sensitive, so that no `Debug` shows it.
    pub(crate) authorization: HeaderValue,
    /// The `roles` claim: granted application permissions. `None` when the token is opaque.
    pub(crate) roles: Option<Vec<String>>,
    use_until: Instant,
}

impl Token {
    /// `None` when the text is no bearer token (RFC 6750, section 2.1, taken widely: visible characters of ASCII).
    pub(crate) fn new(access_token: &str, lifetime: Duration, now: Instant) -> Option<Self> {
        if access_token.is_empty() || !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {access_token}")).ok()?;
        authorization.set_sensitive(true);
        let skew = SKEW.min(lifetime / 5);
        // A cloud that promises centuries is believed for a day, and one that promises nothing for half a minute: each
        // request would sign in anew, and a 401 fetches another token anyway.
        let use_until = now + (lifetime - skew).clamp(Duration::from_secs(30), Duration::from_secs(24 * 3600));
        Some(Self { authorization, roles: roles(access_token), use_until })
    }

    /// Takes the token out of a text that came back.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let bearer = self.authorization.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        bearer
            .filter(|bearer| !bearer.is_empty())
            .map_or_else(|| text.to_owned(), |bearer| text.replace(bearer, "[token]"))
    }

    /// A token that carries no application permission at all: the admin has not consented.
    pub(crate) fn is_without_consent(&self) -> bool {
        self.roles.as_ref().is_some_and(Vec::is_empty)
    }
}

/// Reads the `roles` claim. The signature is not checked: this is for telling people what was granted, the decision
/// is Graph's. A token without the claim has no roles.
fn roles(access_token: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        roles: Vec<String>,
    }
    let mut parts = access_token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let mut roles = claims.roles;
    roles.sort_unstable();
    roles.dedup();
    Some(roles)
}

/// What a token is good for. The credential takes part by its fingerprint, so that a corrected secret is tried at
/// once and a withdrawn one is not covered by an old token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    login: String,
    tenant: String,
    client_id: String,
    scope: String,
    credential: [u8; 32],
}

impl TokenKey {
    pub(crate) fn new(connection: &Connection) -> Self {
        Self {
            login: connection.endpoints.login().to_string(),
            tenant: connection.tenant.clone(),
            client_id: connection.client_id.clone(),
            scope: connection.endpoints.scope(),
            credential: connection.credential.fingerprint(),
        }
    }
}

type Fetched = Result<Arc<Token>, GraphError>;

enum Slot {
    Ready(Arc<Token>),
    Flight(Shared<BoxFuture<'static, Fetched>>),
}

#[derive(Clone, Default)]
pub(crate) struct TokenCache {
    slots: Arc<Mutex<HashMap<TokenKey, Slot>>>,
}

impl TokenCache {
    /// The cached token, or the one being fetched, or the one that `fetch` brings. An error reaches everyone who
    /// waited for it and is then forgotten. The fetch goes on when those who wait for it give up.
    pub(crate) async fn get<F>(&self, key: &TokenKey, fetch: impl FnOnce() -> F + Send) -> Fetched
    where
        F: Future<Output = Result<Token, GraphError>> + Send + 'static,
    {
        let flight = {
            let mut slots = self.slots();
            match slots.get(key) {
                Some(Slot::Ready(token)) if Instant::now() < token.use_until => return Ok(Arc::clone(token)),
                // A flight that has landed and is still here was torn down before it could tidy up.
                Some(Slot::Flight(flight)) if flight.peek().is_none() => flight.clone(),
                _ => {
                    let now = Instant::now();
                    slots.retain(|_, slot| !matches!(slot, Slot::Ready(token) if token.use_until <= now));
                    let flight = self.start(key.clone(), fetch());
                    slots.insert(key.clone(), Slot::Flight(flight.clone()));
                    flight
                }
            }
        };
        flight.await
    }

    /// Forgets the token that is kept; one that is being fetched is fresh enough.
    pub(crate) fn forget(&self, key: &TokenKey) {
        let mut slots = self.slots();
        if matches!(slots.get(key), Some(Slot::Ready(_))) {
            slots.remove(key);
        }
    }

    /// Forgets a token that Graph refused, unless it has been replaced already.
    pub(crate) fn invalidate(&self, key: &TokenKey, refused: &Arc<Token>) {
        let mut slots = self.slots();
        if matches!(slots.get(key), Some(Slot::Ready(token)) if Arc::ptr_eq(token, refused)) {
            slots.remove(key);
        }
    }

    fn start<F>(&self, key: TokenKey, fetch: F) -> Shared<BoxFuture<'static, Fetched>>
    where
        F: Future<Output = Result<Token, GraphError>> + Send + 'static,
    {
        let cache = self.clone();
        let task = async move {
            let fetched = fetch.await.map(Arc::new);
            let mut slots = cache.slots();
            match &fetched {
                Ok(token) => slots.insert(key, Slot::Ready(Arc::clone(token))),
                Err(_) => slots.remove(&key),
            };
            fetched
        };
        let task = tokio::spawn(task.in_current_span());
        let landed = task.map(|joined| {
            joined.unwrap_or_else(|_| Err(GraphError::new(ReasonCode::Internal, "the sign-in was interrupted")))
        });
        landed.boxed().shared()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<TokenKey, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use secrecy::SecretString;
    use tokio::time::{advance, sleep};

    use super::*;
    use crate::credential::Credential;
    use crate::endpoints::CloudEndpoints;

    fn key(secret: &str) -> TokenKey {
        TokenKey::new(&Connection {
            endpoints: CloudEndpoints::global(),
            tenant: "contoso.com".into(),
            client_id: "app".into(),
            credential: Credential::ClientSecret(SecretString::from(secret)),
        })
    }

    async fn token(seconds: u64) -> Result<Token, GraphError> {
        sleep(Duration::from_millis(50)).await;
        Ok(Token::new("opaque", Duration::from_secs(seconds), Instant::now()).unwrap())
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_roles_of_a_token_are_read() {
        assert_eq!(roles(&jwt(r#"{"roles":["B","A","B"]}"#)), Some(vec!["A".into(), "B".into()]));
        assert_eq!(roles(&jwt(r#"{"aud":"x"}"#)), Some(vec![]));
        assert_eq!(roles("opaque"), None);
        assert_eq!(roles("a.b.c"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_who_waits_shares_one_request() {
        let (cache, fetches, key) = (TokenCache::default(), AtomicU32::new(0), key("a"));
        let fetch = || {
            fetches.fetch_add(1, Ordering::Relaxed);
            token(3_599)
        };
        let tokens = join_all((0..20).map(|_| cache.get(&key, fetch))).await;
        assert!(tokens.iter().all(|one| Arc::ptr_eq(one.as_ref().unwrap(), tokens[0].as_ref().unwrap())));
        cache.get(&key, fetch).await.unwrap();
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_before_it_expires() {
        let (cache, key) = (TokenCache::default(), key("a"));
        let first = cache.get(&key, || token(3_600)).await.unwrap();
        advance(Duration::from_secs(3_290)).await;
        assert!(Arc::ptr_eq(&first, &cache.get(&key, || token(3_600)).await.unwrap()));
        advance(Duration::from_secs(20)).await;
        assert!(!Arc::ptr_eq(&first, &cache.get(&key, || token(3_600)).await.unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_shared_and_not_kept() {
        let (cache, fetches, key) = (TokenCache::default(), AtomicU32::new(0), key("a"));
        let fail = || {
            fetches.fetch_add(1, Ordering::Relaxed);
            async {
                sleep(Duration::from_millis(5)).await;
                Err(GraphError::new(ReasonCode::AuthFailed, "no"))
            }
        };
        assert!(join_all((0..5).map(|_| cache.get(&key, fail))).await.iter().all(Result::is_err));
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        assert!(cache.get(&key, || token(60)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_forgotten_once() {
        let (cache, key) = (TokenCache::default(), key("a"));
        let old = cache.get(&key, || token(3_600)).await.unwrap();
        cache.invalidate(&key, &old);
        let new = cache.get(&key, || token(3_600)).await.unwrap();
        cache.invalidate(&key, &old);
        assert!(Arc::ptr_eq(&new, &cache.get(&key, || token(3_600)).await.unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn another_credential_gets_a_token_of_its_own() {
        let cache = TokenCache::default();
        let first = cache.get(&key("a"), || token(3_600)).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &cache.get(&key("b"), || token(3_600)).await.unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_survives_the_one_who_asked_first() {
        let (cache, key) = (TokenCache::default(), key("a"));
        let impatient = tokio::time::timeout(Duration::from_millis(1), cache.get(&key, || token(3_600))).await;
        assert!(impatient.is_err());
        let never = || async { unreachable!("a second request") };
        assert!(cache.get(&key, never).await.is_ok());
    }
}
