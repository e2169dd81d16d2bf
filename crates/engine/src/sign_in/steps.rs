//! The steps of a sign-in.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::pending_sign_ins::{NewPendingSignIn, SetUpOfSignIn};
use tenantatlas_store::sessions::{self, NewSession, TokenHash};
use tenantatlas_store::users::{self, User, UserWithPassword};
use tenantatlas_store::{StoreError, Tx, known_browsers, pending_sign_ins, second_factors};
use uuid::Uuid;

use super::attempt::Attempt;
use super::{Opened, SECOND_STEP_LASTS, SET_UP_STEP_LASTS, SignIn, Visitor, after};
use crate::account_notice::AccountNotice;
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::password::{Fit, hash_password, verify_password};
use crate::second_factor::{CodeCheck, Proof, SetUp};
use crate::token::new_token;

/// A password that was right.
struct Proved {
    user: User,
    /// The hash that it was compared with.
    hash: String,
    /// The hash to keep from now on, when that one is outdated.
    new_hash: Option<String>,
}

impl Engine {
    /// The first step: e-mail and password. The same answer, after the same work, for an unknown person, a wrong password
    /// and a disabled person.
    ///
    /// # Errors
    /// [`EngineError::TooMany`] after too many failures, when too many sign in at once, or this person too often, and when
    /// the database fails.
    pub async fn sign_in(&self, visitor: &Visitor, email: &str, password: SecretString) -> Result<SignIn, EngineError> {
        let core = &self.core;
        let found = users::find_by_email(&core.commands.db, email).await?;
        let anonymous = Actor::anonymous().from_address(Some(visitor.address));
        let account = found.as_ref().map(|found| found.user.id);
        let attempt = core.attempt(visitor, &anonymous, account, email).await?;
        let Some(proved) = core.prove(found, password).await? else {
            attempt.failed("password").await?;
            return Ok(SignIn::Refused);
        };
        let user = proved.user.id;
        attempt.proved(user).await?;
        let step = core.begin_session(visitor, &attempt, &proved).await?;
        core.runner.publish_unread(user).await;
        Ok(step)
    }

    /// The second step: a code of the authenticator, or a recovery code, for a sign-in that waits.
    ///
    /// # Errors
    /// [`EngineError::TooMany`] after too many failures, and when the database fails.
    pub async fn sign_in_with_code(
        &self,
        visitor: &Visitor,
        waiting: &TokenHash,
        code: &str,
    ) -> Result<SignIn, EngineError> {
        let core = &self.core;
        let Some(user) = pending_sign_ins::find(&core.commands.db, waiting, core.commands.clock.now()).await? else {
            return Ok(SignIn::Ended);
        };
        let anonymous = Actor::anonymous().from_address(Some(visitor.address));
        let attempt = core.attempt(visitor, &anonymous, Some(user.id), &user.email).await?;
        let step = core.second_step(visitor, &attempt, user.id, waiting, code).await?;
        if matches!(step, SignIn::Refused) {
            attempt.tell("code").await;
        }
        core.runner.publish_unread(user.id).await;
        Ok(step)
    }

    /// The second step of somebody who has no second factor and needs one: the first code of the one being set up.
    ///
    /// # Errors
    /// [`EngineError::TooMany`] after too many failures, and when the database fails.
    pub async fn sign_in_with_set_up(
        &self,
        visitor: &Visitor,
        waiting: &TokenHash,
        code: &str,
    ) -> Result<SignIn, EngineError> {
        let core = &self.core;
        let Some(user) = pending_sign_ins::find(&core.commands.db, waiting, core.commands.clock.now()).await? else {
            return Ok(SignIn::Ended);
        };
        let anonymous = Actor::anonymous().from_address(Some(visitor.address));
        let attempt = core.attempt(visitor, &anonymous, Some(user.id), &user.email).await?;
        let mut tx = core.commands.db.write().await?;
        let Some(user) = core.take_up(&mut tx, user.id, waiting).await? else { return Ok(SignIn::Ended) };
        match core.enrol_at_sign_in(&mut tx, user.id, waiting, code).await? {
            Some(true) => {}
            Some(false) => {
                attempt.count(&mut tx).await?;
                core.tell_of_wrong_code(&mut tx, visitor, user.id, waiting).await?;
                tx.commit().await?;
                attempt.tell("set_up").await;
                core.runner.publish_unread(user.id).await;
                return Ok(SignIn::Refused);
            }
            None => return Ok(SignIn::Ended),
        }
        let at = core.commands.clock.now();
        pending_sign_ins::take(&mut tx, waiting, at).await?;
        // Whoever else knows the password was setting up a second factor of their own.
        let others = pending_sign_ins::remove_others(&mut tx, user.id, waiting).await?;
        core.tell_of_unfinished(&mut tx, others, at).await?;
        let added = AuditEntry::new(AuditAction::SecondFactorAdded, "user", user.id);
        let before = (person(&user, visitor), added);
        let opened = core.open(&mut tx, visitor, &user, &attempt, Proof::Totp, Some(before)).await?;
        tx.commit().await?;
        core.runner.publish_unread(user.id).await;
        Ok(SignIn::Opened(opened))
    }

    /// What a sign-in that waits for a second factor to be set up shows: a secret and recovery codes of its own, since others
    /// may know the password too. `None` when there is none such.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_up_at_sign_in(&self, waiting: &TokenHash) -> Result<Option<SetUp>, EngineError> {
        let core = &self.core;
        let Some(user) = pending_sign_ins::find(&core.commands.db, waiting, core.commands.clock.now()).await? else {
            return Ok(None);
        };
        if second_factors::is_active(&core.commands.db, user.id).await? {
            return Ok(None);
        }
        let set_up = pending_sign_ins::set_up(&core.commands.db, waiting, core.commands.clock.now()).await?;
        set_up.map(|set_up| core.shown_at_sign_in(&set_up, &user.email)).transpose()
    }

    /// Whether a sign-in waits for a code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waits_for_code(&self, waiting: &TokenHash) -> Result<bool, EngineError> {
        let core = &self.core;
        let Some(user) = pending_sign_ins::find(&core.commands.db, waiting, core.commands.clock.now()).await? else {
            return Ok(false);
        };
        Ok(second_factors::is_active(&core.commands.db, user.id).await?)
    }
}

impl Core {
    /// Compares a password. `None` when it does not fit, or the person cannot sign in.
    async fn prove(
        &self,
        found: Option<UserWithPassword>,
        password: SecretString,
    ) -> Result<Option<Proved>, EngineError> {
        let stored = found.as_ref().and_then(|found| found.password_hash.clone());
        let fit = verify_password(&self.commands.vault, password.clone(), stored).await;
        let fitting = found.filter(|found| fit.fits() && found.user.disabled_at.is_none());
        let Some(UserWithPassword { user, password_hash: Some(hash) }) = fitting else { return Ok(None) };
        let new_hash =
            if fit == Fit::Outdated { Some(hash_password(&self.commands.vault, &password).await?) } else { None };
        Ok(Some(Proved { user, hash, new_hash }))
    }

    /// After the right password: a session, or a second step.
    async fn begin_session(
        self: &Arc<Self>,
        visitor: &Visitor,
        attempt: &Attempt,
        proved: &Proved,
    ) -> Result<SignIn, EngineError> {
        let mut tx = self.commands.db.write().await?;
        let user = match users::lock(&mut tx, proved.user.id).await? {
            Some(user) if self.is_still(&mut tx, user.id, &proved.hash).await? => user,
            _ => return Ok(SignIn::Refused),
        };
        if let Some(new) = &proved.new_hash {
            users::replace_password_hash(&mut tx, user.id, &proved.hash, new).await?;
        }
        let step = if second_factors::is_active(&mut tx, user.id).await? {
            SignIn::Code(self.wait(&mut tx, visitor, attempt, user.id, None).await?)
        } else if self.config.sessions.require_second_factor.applies_to(&user) {
            let set_up = self.new_set_up(&mut tx, user.id).await?;
            SignIn::SetUp(self.wait(&mut tx, visitor, attempt, user.id, Some(set_up)).await?)
        } else {
            SignIn::Opened(self.open(&mut tx, visitor, &user, attempt, Proof::None, None).await?)
        };
        tx.commit().await?;
        Ok(step)
    }

    /// Whether the password was not changed while it was compared.
    async fn is_still(&self, tx: &mut Tx, user: UserId, hash: &str) -> Result<bool, StoreError> {
        let found = users::get_with_password(tx, user).await?;
        Ok(found.and_then(|found| found.password_hash).is_some_and(|stored| stored == hash))
    }

    /// Begins to wait for the second step. The right password leaves a trace, whatever comes of it.
    async fn wait(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        attempt: &Attempt,
        user: UserId,
        set_up: Option<SetUpOfSignIn>,
    ) -> Result<String, StoreError> {
        let (token, token_hash) = new_token();
        let at = self.commands.clock.now();
        let (waits_for, lasts) =
            if set_up.is_some() { ("set_up", SET_UP_STEP_LASTS) } else { ("code", SECOND_STEP_LASTS) };
        let new = NewPendingSignIn {
            token_hash,
            user_id: user,
            expires_at: after(at, lasts),
            address: visitor.address.to_string(),
            user_agent: visitor.user_agent.clone(),
            set_up,
        };
        let ended = pending_sign_ins::create(tx, &new, at).await?;
        self.tell_of_unfinished(tx, ended, at).await?;
        let anonymous = Actor::anonymous().from_address(Some(visitor.address));
        let entry = attempt.entry(AuditAction::PasswordAccepted).with(json!({ "waits_for": waits_for }));
        self.commands.record(tx, &anonymous, entry).await?;
        Ok(token)
    }

    /// The person of a sign-in that still waits, kept from every change.
    async fn take_up(&self, tx: &mut Tx, user: UserId, waiting: &TokenHash) -> Result<Option<User>, StoreError> {
        let Some(user) = users::lock(tx, user).await? else { return Ok(None) };
        let waits = pending_sign_ins::find(&mut *tx, waiting, self.commands.clock.now()).await?;
        Ok(waits.filter(|found| found.id == user.id).map(|_| user))
    }

    async fn second_step(
        self: &Arc<Self>,
        visitor: &Visitor,
        attempt: &Attempt,
        user: UserId,
        waiting: &TokenHash,
        code: &str,
    ) -> Result<SignIn, EngineError> {
        let at = self.commands.clock.now();
        let mut tx = self.commands.db.write().await?;
        let Some(user) = self.take_up(&mut tx, user, waiting).await? else { return Ok(SignIn::Ended) };
        let step = match self.check_code(&mut tx, user.id, code, at).await? {
            CodeCheck::Right(proof) => {
                pending_sign_ins::take(&mut tx, waiting, at).await?;
                SignIn::Opened(self.open(&mut tx, visitor, &user, attempt, proof, None).await?)
            }
            CodeCheck::Reused => {
                attempt.count(&mut tx).await?;
                let anonymous = Actor::anonymous().from_address(Some(visitor.address));
                pending_sign_ins::tell(&mut tx, waiting).await?;
                self.note_reused_code(&mut tx, &anonymous, user.id).await?;
                SignIn::Refused
            }
            CodeCheck::Wrong => {
                attempt.count(&mut tx).await?;
                self.tell_of_wrong_code(&mut tx, visitor, user.id, waiting).await?;
                SignIn::Refused
            }
        };
        tx.commit().await?;
        Ok(step)
    }

    /// Opens a session. One that this browser had before ends, whosoever it was: the token changes at every sign-in.
    pub(super) async fn open(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        user: &User,
        attempt: &Attempt,
        proof: Proof,
        before: Option<(Actor, AuditEntry)>,
    ) -> Result<Opened, EngineError> {
        attempt.succeeded(tx).await?;
        self.open_for(tx, visitor, user, attempt.known_browser, proof, before).await
    }

    /// The same without an attempt that was counted. `before` is what the audit log says of what came first.
    pub(super) async fn open_for(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        user: &User,
        known_browser: bool,
        proof: Proof,
        before: Option<(Actor, AuditEntry)>,
    ) -> Result<Opened, EngineError> {
        let at = self.commands.clock.now();
        let policy = self.config.sessions;
        let (token, hash) = new_token();
        let replaced = match &visitor.session {
            Some(old) => sessions::revoke(tx, old).await?,
            None => None,
        };
        let session = NewSession {
            id: Uuid::now_v7(),
            user_id: user.id,
            idle_expires_at: after(at, policy.idle.min(policy.lifetime)),
            expires_at: after(at, policy.lifetime),
            user_agent: visitor.user_agent.clone(),
            address: visitor.address.to_string(),
        };
        sessions::create(tx, &hash, &session, at).await?;
        let browser_token = self.know_browser(tx, visitor, user, known_browser, at).await?;
        users::record_sign_in(tx, user.id, at).await?;
        if let Some((actor, entry)) = before {
            self.commands.record(tx, &actor, entry).await?;
        }
        if let Some(ended) = replaced {
            let facts = json!({ "session": ended.id, "by": "sign_in" });
            let entry = AuditEntry::new(AuditAction::SessionClosed, "user", ended.user_id).with(facts);
            self.commands.record(tx, &person(user, visitor), entry).await?;
        }
        let entry = AuditEntry::new(AuditAction::SessionOpened, "user", user.id).with(json!({
            "session": session.id,
            "known_browser": known_browser,
            "second_factor": proof.as_str(),
        }));
        self.commands.record(tx, &person(user, visitor), entry).await?;
        Ok(Opened { user_id: user.id, token, browser_token, lifetime: policy.lifetime })
    }

    /// Remembers the browser, and tells the person of one that is new to them; the very first one is no news.
    async fn know_browser(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        user: &User,
        known: bool,
        at: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        if let Some(browser) = visitor.browser.filter(|_| known) {
            known_browsers::remember(tx, user.id, &browser, at).await?;
            return Ok(None);
        }
        // A cookie that is known for another person serves for this one too: a family shares a browser.
        let (token, hash) = match visitor.browser {
            Some(browser) if known_browsers::is_anyones(&mut *tx, &browser).await? => (None, browser),
            _ => {
                let (token, hash) = new_token();
                (Some(token), hash)
            }
        };
        known_browsers::remember(tx, user.id, &hash, at).await?;
        if user.last_sign_in_at.is_some() {
            let address = visitor.address.to_string();
            let user_agent = visitor.user_agent.chars().take(300).collect();
            AccountNotice::NewBrowser { address, user_agent }.write(tx, user.id, at).await?;
        }
        Ok(token)
    }
}

/// A person who has just signed in, as the audit log names them.
fn person(user: &User, visitor: &Visitor) -> Actor {
    Actor::person(user.id, user.name.clone(), user.email.clone()).from_address(Some(visitor.address))
}
