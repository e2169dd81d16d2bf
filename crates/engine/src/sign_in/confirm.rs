//! Proving again who one is, within a session.

use secrecy::SecretString;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_store::users::{self, User};
use tenantatlas_store::{Tx, known_browsers, pending_sign_ins, second_factors, sessions};

use super::Visitor;
use crate::account_notice::AccountNotice;
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::password::{Person, hash_password, verify_password};
use crate::second_factor::{CodeCheck, Proof, wrong_code};
use crate::token::new_token;

impl Engine {
    /// Confirms the password, and the second factor of whoever has one, for what is sensitive. Answers the new token of
    /// the session: the old one works no more.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when one of them does not fit, [`EngineError::TooMany`] after too many failures,
    /// [`EngineError::Forbidden`] when the session has ended.
    pub async fn confirm(
        &self,
        actor: &Actor,
        visitor: &Visitor,
        password: SecretString,
        code: &str,
    ) -> Result<String, EngineError> {
        let core = &self.core;
        let session = actor.session.ok_or(EngineError::Forbidden)?;
        let attempt = core.attempt_of(visitor, actor).await?;
        let Some(user) = core.person_with_password(actor, password).await? else {
            attempt.failed("password").await?;
            return Err(EngineError::invalid("password", "is not the one you sign in with. Check it and try again"));
        };
        attempt.proved(user.id).await?;
        let at = core.commands.clock.now();
        let mut tx = core.commands.db.write().await?;
        let user = users::lock(&mut tx, user.id).await?.ok_or(EngineError::Forbidden)?;
        let proof = if second_factors::is_active(&mut tx, user.id).await? {
            match core.check_code(&mut tx, user.id, code, at).await? {
                CodeCheck::Right(proof) => proof,
                other => {
                    attempt.count(&mut tx).await?;
                    if other == CodeCheck::Reused {
                        core.note_reused_code(&mut tx, actor, user.id).await?;
                    }
                    tx.commit().await?;
                    attempt.tell("code").await;
                    core.runner.publish_unread(user.id).await;
                    return Err(wrong_code());
                }
            }
        } else {
            Proof::None
        };
        let (token, hash) = new_token();
        if !sessions::renew(&mut tx, user.id, session, &hash, at, at).await? {
            return Err(EngineError::Forbidden);
        }
        attempt.succeeded(&mut tx).await?;
        let facts = json!({ "session": session, "second_factor": proof.as_str() });
        core.commands
            .record(&mut tx, actor, AuditEntry::new(AuditAction::SessionConfirmed, "user", user.id).with(facts))
            .await?;
        tx.commit().await?;
        core.runner.publish_unread(user.id).await;
        Ok(token)
    }

    /// Changes one's own password; the old one is asked for, and guessing it is slowed down as signing in is, since a
    /// session may be somebody else's finger on an unlocked screen. Every other session ends; that of the actor gets a new
    /// token, which is answered.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when the old password is wrong or the new one is not acceptable,
    /// [`EngineError::TooMany`] after too many failures.
    pub async fn change_password(
        &self,
        actor: &Actor,
        visitor: &Visitor,
        old: SecretString,
        new: SecretString,
    ) -> Result<Option<String>, EngineError> {
        let core = &self.core;
        Person { name: &actor.name, email: &actor.email }.check(&new)?;
        let attempt = core.attempt_of(visitor, actor).await?;
        if core.person_with_password(actor, old).await?.is_none() {
            attempt.failed("password").await?;
            return Err(EngineError::invalid("current", "is not the one you sign in with now"));
        }
        let id = actor.user_id.ok_or(EngineError::Forbidden)?;
        let password_hash = hash_password(&core.commands.vault, &new).await?;
        let entry = AuditEntry::new(AuditAction::PasswordChanged, "user", id).with(json!({ "by_self": true }));
        let token = core
            .execute(Command::new(actor, Right::SignedIn, entry), async |tx, _| {
                users::set_password_hash(tx, id, &password_hash, core.commands.clock.now()).await?;
                attempt.succeeded(tx).await?;
                core.end_what_the_password_opened(tx, actor, visitor).await
            })
            .await?;
        core.runner.publish_unread(id).await;
        Ok(token)
    }
}

impl Core {
    /// The person who acts, when this is their password.
    async fn person_with_password(&self, actor: &Actor, password: SecretString) -> Result<Option<User>, EngineError> {
        let id = actor.user_id.ok_or(EngineError::Forbidden)?;
        let found = users::get_with_password(&self.commands.db, id).await?;
        let stored = found.as_ref().and_then(|found| found.password_hash.clone());
        let fits = verify_password(&self.commands.vault, password, stored).await.fits();
        Ok(found.map(|found| found.user).filter(|user| fits && user.disabled_at.is_none()))
    }

    /// After a change of the password: every other session, sign-ins that wait and other browsers are forgotten, and the
    /// session in use gets a new token. When it was last confirmed stays as it is, since the second factor was not asked.
    async fn end_what_the_password_opened(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        visitor: &Visitor,
    ) -> Result<Option<String>, EngineError> {
        let id = actor.user_id.ok_or(EngineError::Forbidden)?;
        let at = self.commands.clock.now();
        sessions::revoke_all(tx, id, actor.session).await?;
        pending_sign_ins::remove_all(tx, id).await?;
        known_browsers::forget_all(tx, id, visitor.browser.as_ref()).await?;
        AccountNotice::PasswordChanged { by_self: true }.write(tx, id, at).await?;
        let Some(session) = actor.session else { return Ok(None) };
        let verified_at = sessions::verified_at(&mut *tx, id, session, at).await?.ok_or(EngineError::Forbidden)?;
        let (token, hash) = new_token();
        sessions::renew(tx, id, session, &hash, verified_at, at).await?;
        Ok(Some(token))
    }
}
