//! Tokens of the REST API (`docs/rules.md`, section Tokens): made, used, taken back.

mod secret;

use std::net::IpAddr;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, AuditEvent, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::api_tokens::{self, ApiToken, ApiTokenOwner, NewApiToken};
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::tenants::Tenant;
use tenantatlas_store::{members, tenants, users};
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::token::hash_token;
use crate::typed_name;
pub use secret::{TOKEN_PREFIX, is_token};

/// The longest name of a token, characters.
const MAX_NAME: usize = 80;
/// How far ahead the end of a token may lie, days.
pub const LONGEST_TOKEN_DAYS: i64 = 366;
/// Tokens of one person, or of one tenant, that are good for something at a time.
const MOST_TOKENS: u64 = 50;
/// Tenants that a person's token may name.
const MOST_TENANTS: usize = 200;
/// The use of a token is written again at most so often, milliseconds.
const TOUCH_INTERVAL: i64 = 60_000;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What it is called, for people.
    pub name: String,
    /// The most that it allows. Never more than who makes it may do themselves.
    pub role: Role,
    /// Whose it is.
    pub owner: ApiTokenOwner,
    /// When it ends, within [`LONGEST_TOKEN_DAYS`].
    pub expires_at: Timestamp,
}

/// A token that proved itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedToken(pub ApiToken);

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedToken {
    /// It is no token: cut off, or typed wrong.
    Malformed,
    /// There is no such token, any more or at all.
    Unknown,
    /// It was taken back.
    Revoked,
    /// Its end has passed.
    Ended,
    /// Its person can no longer sign in.
    OwnerDisabled,
}

/// A token that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRefusal {
    /// Why.
    pub why: RefusedToken,
    /// Which one, where it is known.
    token: Option<Box<ApiToken>>,
}

impl RefusedToken {
    /// The name for audit log and figures; it stays.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Ended => "ended",
            Self::OwnerDisabled => "owner_disabled",
        }
    }

    /// What is wrong and what to do.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => {
                "This is no token: expected tat_ and 49 letters and digits, as it was shown when it was made. Look whether it was cut off or typed wrong."
            }
            Self::Unknown => "There is no such token. Make one under Account, or with `tenantatlas token create`.",
            Self::Revoked => "The token was revoked. Make another one.",
            Self::Ended => "The token is past its end. Make another one.",
            Self::OwnerDisabled => "The person whose token this is can no longer sign in.",
        }
    }
}

impl AuthenticatedToken {
    /// Who acts with it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        actor(&self.0)
    }
}

fn actor(token: &ApiToken) -> Actor {
    let ApiToken { id, name, user_id, owner_email, .. } = token;
    Actor::token(*id, name.clone(), user_id.zip(owner_email.clone()))
}

impl Engine {
    /// Makes a token. Its secret is told here and never again. A person makes tokens of their own, and whoever decides about the
    /// members of a tenant makes those of the tenant; the command line makes them for anybody.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for name, role, tenants or end, [`EngineError::Conflict`] when there are too many,
    /// [`EngineError::NotFound`] for tenant or person, [`EngineError::Forbidden`], [`EngineError::Confirm`].
    pub async fn create_token(&self, actor: &Actor, new: &NewToken) -> Result<(Uuid, SecretString), EngineError> {
        let name = typed_name::checked(&new.name, MAX_NAME)?;
        let now = self.now();
        check_end(new.expires_at, now)?;
        let (id, (secret, hash)) = (Uuid::now_v7(), secret::new_secret());
        let entry = AuditEntry::new(AuditAction::TokenCreated, "token", id)
            .with(json!({ "name": name, "role": new.role, "expires_at": new.expires_at.to_rfc3339() }));
        let (right, entry) = match &new.owner {
            ApiTokenOwner::Person(..) => (Right::SignedIn, entry),
            ApiTokenOwner::Tenant(tenant) => (Right::Tenant(*tenant, Action::ManageMembers), entry.of(*tenant)),
        };
        let record = NewApiToken {
            id,
            name,
            role: new.role,
            owner: new.owner.clone(),
            created_by: actor.name.clone(),
            expires_at: new.expires_at,
        };
        self.core
            .execute(Command::new(actor, right, entry).sensitive(), async |tx, _| {
                check_reach(tx, actor, &record).await?;
                if api_tokens::count_standing(&mut *tx, &record.owner, now).await? >= MOST_TOKENS {
                    let words =
                        format!("there are {MOST_TOKENS} tokens already: revoke those that nothing uses any more");
                    return Err(EngineError::Conflict(words));
                }
                Ok(api_tokens::create(tx, &hash, &record, now).await?)
            })
            .await?;
        Ok((id, secret))
    }

    /// Takes a token back for good: by its person, by those who manage its tenant, and by administrators. What runs stays;
    /// streams that are open with it end within seconds.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Conflict`] when it was taken back already.
    pub async fn revoke_token(&self, actor: &Actor, id: Uuid) -> Result<(), EngineError> {
        let found = api_tokens::get(self.reader(), id).await?;
        let entry = AuditEntry::new(AuditAction::TokenRevoked, "token", id);
        let (right, entry) = match &found {
            Some(ApiToken { tenant_id: Some(tenant), .. }) => {
                (Right::Tenant(*tenant, Action::EditConnection), entry.of(*tenant))
            }
            Some(token) if token.user_id == actor.user_id => (Right::SignedIn, entry),
            _ => (Right::Platform, entry),
        };
        let entry = match &found {
            Some(token) => entry.with(json!({ "name": token.name })),
            None => entry,
        };
        let now = self.now();
        self.core
            .execute(Command::new(actor, right, entry), async |tx, _| {
                let token = api_tokens::get(&mut *tx, id).await?.ok_or(EngineError::NotFound("the token"))?;
                if !api_tokens::revoke(tx, token.id, &actor.name, now).await? {
                    return Err(EngineError::Conflict("the token was revoked already".to_owned()));
                }
                Ok(())
            })
            .await
    }

    /// The token that a request shows; notes its use now and then.
    ///
    /// # Errors
    /// When the database fails; the inner one says why the token is refused.
    pub async fn authenticate_token(
        &self,
        secret: &SecretString,
    ) -> Result<Result<AuthenticatedToken, TokenRefusal>, EngineError> {
        let unknown = |why| Ok(Err(TokenRefusal { why, token: None }));
        if !is_token(secret.expose_secret()) {
            return unknown(RefusedToken::Malformed);
        }
        let found = api_tokens::find(self.reader(), &hash_token(secret.expose_secret())).await?;
        let now = self.now();
        let Some(token) = found else { return unknown(RefusedToken::Unknown) };
        if !token.stands(now) {
            let why = match &token {
                ApiToken { revoked_at: Some(_), .. } => RefusedToken::Revoked,
                ApiToken { owner_disabled: true, .. } => RefusedToken::OwnerDisabled,
                _ => RefusedToken::Ended,
            };
            return Ok(Err(TokenRefusal { why, token: Some(Box::new(token)) }));
        }
        if token.last_used_at.is_none_or(|at| (now.as_millis() - at.as_millis()).abs() > TOUCH_INTERVAL) {
            self.touch_token(token.id, now);
        }
        Ok(Ok(AuthenticatedToken(token)))
    }

    /// Writes into the audit log that a token is worth nothing any more, in the name of the token; gathered like every refusal. A
    /// token that nobody knows is nobody's, and is not written down.
    pub async fn record_refused_token(&self, refused: &TokenRefusal, from: Option<IpAddr>) {
        let Some(token) = &refused.token else { return };
        let event = AuditEvent {
            action: AuditAction::TokenRefused,
            tenant: token.tenant_id,
            resource_type: "token",
            resource_id: token.id.to_string(),
            outcome: Outcome::Denied,
            facts: json!({ "reason": refused.why.as_str(), "name": token.name }),
        };
        // A refusal that cannot be written is logged where it is written.
        let _ = self.record_event(&actor(token).from_address(from), event).await;
    }

    /// Notes the use of a token beside the answer.
    fn touch_token(&self, id: Uuid, now: Timestamp) {
        let core = Arc::clone(&self.core);
        tokio::spawn(async move {
            let touched = async {
                let mut tx = core.commands.db.write().await?;
                api_tokens::touch(&mut tx, id, now).await?;
                tx.commit().await
            };
            if let Err(error) = touched.await {
                tracing::warn!(%error, "the use of a token could not be noted");
            }
        });
    }

    /// What a token allows in a tenant now; `None` when it is past its end or taken back, or the tenant does not exist for it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_role(&self, id: Uuid, tenant: TenantId) -> Result<Option<Role>, EngineError> {
        match api_tokens::get(self.reader(), id).await? {
            Some(token) if token.stands(self.now()) => Ok(api_tokens::role_in(self.reader(), &token, tenant).await?),
            _ => Ok(None),
        }
    }

    /// The tenants that exist for a token, by name, each with what it allows there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_tenants(&self, token: &AuthenticatedToken) -> Result<Vec<(Tenant, Role)>, EngineError> {
        let mut visible = api_tokens::visible(self.reader(), &token.0).await?;
        visible.sort_by_cached_key(|(tenant, _)| (tenant.name.to_lowercase(), tenant.id));
        Ok(visible)
    }
}

fn check_end(expires_at: Timestamp, now: Timestamp) -> Result<(), EngineError> {
    let ahead = expires_at.as_millis().saturating_sub(now.as_millis());
    if ahead <= 0 || ahead > LONGEST_TOKEN_DAYS * DAY {
        let words = format!("must be a time in the future, at most {LONGEST_TOKEN_DAYS} days from now");
        return Err(EngineError::invalid("expires", words));
    }
    Ok(())
}

/// Refuses a token that allows more than who makes it, or names what is not theirs.
async fn check_reach(tx: &mut tenantatlas_store::Tx, actor: &Actor, new: &NewApiToken) -> Result<(), EngineError> {
    let (user, named) = match &new.owner {
        // Who decides about members is an owner: no role is above theirs.
        ApiTokenOwner::Tenant(_) => return Ok(()),
        ApiTokenOwner::Person(user, named) => (*user, named),
    };
    // The command line makes tokens for others; nobody else does.
    if actor.user_id.is_some_and(|own| own != user) {
        return Err(EngineError::Forbidden);
    }
    let owner = users::lock(tx, user).await?.ok_or(EngineError::NotFound("the person"))?;
    if named.len() > MOST_TENANTS {
        return Err(EngineError::invalid("tenants", format!("must be {MOST_TENANTS} at most, or none for all")));
    }
    let mut own = Vec::new();
    for tenant in named {
        let role = members::effective_role(&mut *tx, *tenant, user).await?;
        own.push(role.ok_or(EngineError::NotFound("the tenant"))?);
    }
    if named.is_empty() {
        own = match owner.platform_admin {
            true => vec![Role::Owner],
            false => tenants::list_visible(&mut *tx, user).await?.into_iter().map(|one| one.role).collect(),
        };
    }
    match own.into_iter().max() {
        Some(most) if new.role <= most => Ok(()),
        Some(most) => {
            Err(EngineError::invalid("role", format!("must not be above your own, which is {}", most.as_str())))
        }
        None => Err(EngineError::invalid("tenants", "must name a tenant of yours, and you have none yet")),
    }
}
