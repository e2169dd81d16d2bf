//! Sessions that are there: found, used, ended.

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::sessions::{self, SignedIn, TokenHash};
use tenantatlas_store::{known_browsers, second_factors, users};
use uuid::Uuid;

use super::{Visitor, after};
use crate::engine::{Core, Engine};
use crate::error::EngineError;

/// The use of a session is written again at most so often, milliseconds.
const TOUCH_INTERVAL: i64 = 60_000;

impl Engine {
    /// The session of a token and its person; `None` when it is unknown, has ended, or the person cannot sign in. Notes the
    /// use of the session now and then, so that it does not end for lack of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token: &TokenHash) -> Result<Option<SignedIn>, EngineError> {
        let found = self.core.standing(token).await?;
        let now = self.now();
        if let Some(SignedIn { session, .. }) = &found
            && now.as_millis() - session.last_used_at.as_millis() > TOUCH_INTERVAL
        {
            let (core, id) = (std::sync::Arc::clone(&self.core), session.id);
            tokio::spawn(async move {
                let touched = async {
                    let mut tx = core.commands.db.write().await?;
                    sessions::touch(&mut tx, id, now, after(now, core.config.sessions.idle)).await?;
                    tx.commit().await
                };
                if let Err(error) = touched.await {
                    tracing::warn!(%error, "the use of a session could not be noted");
                }
            });
        }
        Ok(found)
    }

    /// The same without noting a use: for what a page that is left open asks by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_at_rest(&self, token: &TokenHash) -> Result<Option<SignedIn>, EngineError> {
        self.core.standing(token).await
    }

    /// Whether a session token still stands for this person. Asking is no use of the session: a page that is left open
    /// must not keep it from ending.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_stands_for(&self, token: &TokenHash, user: UserId) -> Result<bool, EngineError> {
        Ok(self.core.standing(token).await?.is_some_and(|found| found.user.id == user))
    }

    /// Ends the session of a browser. A token that stands for none is worth nothing already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, visitor: &Visitor) -> Result<(), EngineError> {
        let core = &self.core;
        let Some(token) = &visitor.session else { return Ok(()) };
        let mut tx = core.commands.db.write().await?;
        let Some(ended) = sessions::revoke(&mut tx, token).await? else { return Ok(()) };
        let Some(user) = users::get(&mut tx, ended.user_id).await? else { return Ok(()) };
        let actor = Actor::person(user.id, user.name, user.email).from_address(Some(visitor.address));
        let entry = AuditEntry::new(AuditAction::SessionClosed, "user", user.id).with(json!({ "session": ended.id }));
        core.commands.record(&mut tx, &actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Ends every session of a person and forgets their browsers. Open streams notice within seconds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out_everywhere(&self, actor: &Actor) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = AuditEntry::new(AuditAction::SessionClosedEverywhere, "user", user);
        self.core
            .execute(Command::new(actor, Right::SignedIn, entry), async |tx, _| {
                sessions::revoke_all(tx, user, None).await?;
                known_browsers::forget_all(tx, user, None).await?;
                Ok(())
            })
            .await
    }

    /// Ends one of a person's own sessions.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when it is not theirs.
    pub async fn end_session(&self, actor: &Actor, id: Uuid) -> Result<(), EngineError> {
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = AuditEntry::new(AuditAction::SessionRevoked, "user", user).with(json!({ "session": id }));
        self.core
            .execute(Command::new(actor, Right::SignedIn, entry), async |tx, _| {
                if sessions::revoke_one(tx, user, id).await? {
                    Ok(())
                } else {
                    Err(EngineError::NotFound("the session"))
                }
            })
            .await
    }
}

impl Core {
    /// The session of a token, unless its person must have a second factor and has none: they set it up at the sign-in
    /// that comes next, also when the rule or their right is newer than the session.
    async fn standing(&self, token: &TokenHash) -> Result<Option<SignedIn>, EngineError> {
        let Some(found) = sessions::find(&self.commands.db, token, self.commands.clock.now()).await? else {
            return Ok(None);
        };
        let required = self.config.sessions.require_second_factor.applies_to(&found.user);
        if required && !second_factors::is_active(&self.commands.db, found.user.id).await? {
            return Ok(None);
        }
        Ok(Some(found))
    }
}
