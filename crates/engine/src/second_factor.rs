//! The second factor of a person: time-based one-time codes, and recovery codes for when the authenticator is lost.
//!
//! Setting one up shows the secret and the recovery codes until a code proves that the authenticator has it; then both are
//! never shown again. Everything here asks for a password (and code) that was confirmed lately. What is shown is shown to the
//! session that began it, and at sign-in to the sign-in that began it: whoever else knows the password must not learn the
//! secret that the person is about to confirm.

mod recovery;
mod totp;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right, require_confirmed};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::pending_sign_ins::SetUpOfSignIn;
use tenantatlas_store::second_factors::{self, SecondFactor};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::users::{self, User};
use tenantatlas_store::{Tx, known_browsers, pending_sign_ins, sessions};
use uuid::Uuid;

use crate::account_notice::AccountNotice;
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::sign_in::Visitor;

/// How long a set-up may take; after that it begins anew.
pub(crate) const SET_UP_LASTS: Duration = Duration::from_secs(3_600);

/// What a person needs to set up their authenticator. It has no `Debug`: it must not reach a log.
pub struct SetUp {
    /// The secret in base 32, in groups, for typing.
    pub secret: String,
    /// The address that an authenticator reads from a QR code.
    pub uri: String,
    /// The recovery codes that will be in force.
    pub recovery_codes: Vec<String>,
}

/// Whether a person has a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactorState {
    /// Since when it is asked for; `None` when it is not.
    pub since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
    /// Whether a set-up has begun, or new recovery codes wait to be put in force.
    pub begun: bool,
    /// Whether the rules of this server want one.
    pub required: bool,
}

/// What a code proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nobody asked for one.
    None,
    /// A code of the authenticator.
    Totp,
    /// A recovery code; so many are left.
    RecoveryCode { left: u64 },
}

impl Proof {
    /// The name as the audit log keeps it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Totp => "totp",
            Self::RecoveryCode { .. } => "recovery_code",
        }
    }
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    /// It fits, and is used up.
    Right(Proof),
    /// It fitted and was used before.
    Reused,
    /// It does not fit.
    Wrong,
}

impl Engine {
    /// Whether a person has a second factor.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when there is no such person.
    pub async fn second_factor(&self, user: UserId) -> Result<SecondFactorState, EngineError> {
        let core = &self.core;
        let person = users::get(&core.commands.db, user).await?.ok_or(EngineError::NotFound("the person"))?;
        let factor = second_factors::get(&core.commands.db, user).await?;
        let shown = factor
            .as_ref()
            .is_some_and(|factor| factor.new_recovery_codes(&core.commands.vault).is_ok_and(|codes| codes.is_some()));
        Ok(SecondFactorState {
            since: factor.and_then(|factor| factor.confirmed_at),
            recovery_codes: second_factors::recovery_codes_left(&core.commands.db, user).await?,
            begun: shown,
            required: core.config.sessions.require_second_factor.applies_to(&person),
        })
    }

    /// What a set-up that has begun shows: secret and recovery codes; of a factor that is in force, new recovery codes only.
    ///
    /// # Errors
    /// [`EngineError::Confirm`] when the person must prove again who they are.
    pub async fn second_factor_set_up(&self, actor: &Actor) -> Result<Option<SetUp>, EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        require_confirmed(&core.commands.db, actor, core.commands.clock.now()).await?;
        let person = users::get(&core.commands.db, user).await?.ok_or(EngineError::Forbidden)?;
        core.shown_set_up(actor.session, &person).await
    }

    /// Begins to set up a second factor. Another session of the same person does not see it.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when there is one, [`EngineError::Confirm`].
    pub async fn begin_second_factor(&self, actor: &Actor) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = AuditEntry::new(AuditAction::SecondFactorBegun, "user", user);
        core.execute(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
            let session = actor.session.ok_or(EngineError::Confirm)?;
            if core.begin_set_up(tx, user, session).await? {
                Ok(())
            } else {
                Err(EngineError::Conflict(
                    "There is a second factor already: remove it before you set up another.".to_owned(),
                ))
            }
        })
        .await
    }

    /// Puts the second factor in force that was being set up, with a code that shows that the authenticator has it.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when the code does not fit, [`EngineError::TooMany`], [`EngineError::Confirm`].
    pub async fn confirm_second_factor(&self, actor: &Actor, visitor: &Visitor, code: &str) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let attempt = core.attempt_of(visitor, actor).await?;
        let entry = AuditEntry::new(AuditAction::SecondFactorAdded, "user", user);
        let done = core
            .execute(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
                let session = actor.session.ok_or(EngineError::Confirm)?;
                if core.finish_set_up(tx, user, session, code).await? { Ok(()) } else { Err(wrong_code()) }
            })
            .await;
        attempt.note(&done, "set_up").await?;
        core.runner.publish_unread(user).await;
        done
    }

    /// Takes one's own second factor away.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when the rules of the server want one, [`EngineError::Invalid`] when the code does not
    /// fit, [`EngineError::TooMany`], [`EngineError::Confirm`].
    pub async fn remove_second_factor(&self, actor: &Actor, visitor: &Visitor, code: &str) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let attempt = core.attempt_of(visitor, actor).await?;
        let entry = AuditEntry::new(AuditAction::SecondFactorRemoved, "user", user).with(json!({ "by_self": true }));
        let reused = AtomicBool::new(false);
        let done = core
            .execute(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
                let person = users::get(&mut *tx, user).await?.ok_or(EngineError::Forbidden)?;
                if core.config.sessions.require_second_factor.applies_to(&person) {
                    return Err(EngineError::Conflict(
                        "The rules of this server want a second factor, so it cannot be taken away.".to_owned(),
                    ));
                }
                let at = core.commands.clock.now();
                match core.check_code(tx, user, code, at).await? {
                    CodeCheck::Right(_) => {}
                    check @ (CodeCheck::Reused | CodeCheck::Wrong) => {
                        reused.store(check == CodeCheck::Reused, Ordering::Relaxed);
                        return Err(wrong_code());
                    }
                }
                second_factors::remove(tx, user).await?;
                Ok(AccountNotice::SecondFactorRemoved { by_self: true }.write(tx, user, at).await?)
            })
            .await;
        attempt.note(&done, "second_factor").await?;
        if reused.into_inner() {
            // What the command wrote was taken back with it.
            let mut tx = core.commands.db.write().await?;
            core.note_reused_code(&mut tx, actor, user).await?;
            tx.commit().await?;
        }
        core.runner.publish_unread(user).await;
        done
    }

    /// Makes new recovery codes, which are shown until they are put in force.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] without a second factor, [`EngineError::Confirm`].
    pub async fn new_recovery_codes(&self, actor: &Actor) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = AuditEntry::new(AuditAction::RecoveryCodesMade, "user", user);
        core.execute(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
            let session = actor.session.ok_or(EngineError::Confirm)?;
            if second_factors::show_recovery_codes(tx, &core.commands.vault, user, session, &recovery::new_codes())
                .await?
            {
                Ok(())
            } else {
                Err(EngineError::NotFound("the second factor"))
            }
        })
        .await
    }

    /// Puts the new recovery codes in force that are being shown; the old ones work no more.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when none are shown, [`EngineError::Confirm`].
    pub async fn keep_recovery_codes(&self, actor: &Actor) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = AuditEntry::new(AuditAction::RecoveryCodesReplaced, "user", user);
        core.execute(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
            let factor = second_factors::lock(tx, user).await?.filter(|factor| factor.confirmed_at.is_some());
            let factor = factor.filter(|factor| factor.shown_in == actor.session);
            let codes = factor.map(|factor| factor.new_recovery_codes(&core.commands.vault)).transpose()?.flatten();
            let codes = codes.ok_or(EngineError::NotFound("the list of new recovery codes"))?;
            let at = core.commands.clock.now();
            second_factors::set_recovery_codes(tx, user, &recovery::hashes(&core.commands.vault, user, &codes), at)
                .await?;
            Ok(AccountNotice::RecoveryCodesReplaced.write(tx, user, at).await?)
        })
        .await?;
        core.runner.publish_unread(user).await;
        Ok(())
    }

    /// Takes a person's second factor away, for those who manage people: somebody lost authenticator and recovery codes.
    /// Ends their sessions.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`] when there is none, [`EngineError::Confirm`].
    pub async fn reset_second_factor(&self, actor: &Actor, user: UserId) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = AuditEntry::new(AuditAction::SecondFactorRemoved, "user", user).with(json!({ "by_self": false }));
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, _| {
            if !second_factors::remove(tx, user).await? {
                return Err(EngineError::NotFound("the second factor of this person"));
            }
            sessions::revoke_all(tx, user, None).await?;
            pending_sign_ins::remove_all(tx, user).await?;
            known_browsers::forget_all(tx, user, None).await?;
            Ok(AccountNotice::SecondFactorRemoved { by_self: false }.write(tx, user, core.commands.clock.now()).await?)
        })
        .await?;
        core.runner.publish_unread(user).await;
        Ok(())
    }
}

impl Core {
    /// Begins a set-up in a session. Answers `false` when a second factor is in force.
    async fn begin_set_up(&self, tx: &mut Tx, user: UserId, session: Uuid) -> Result<bool, EngineError> {
        let (secret, codes) = (totp::new_secret(), recovery::new_codes());
        Ok(second_factors::begin(tx, &self.commands.vault, user, session, &secret, &codes, self.commands.clock.now())
            .await?)
    }

    /// Secret and recovery codes for a sign-in that sets up a second factor.
    pub(crate) async fn new_set_up(&self, tx: &mut Tx, user: UserId) -> Result<SetUpOfSignIn, EngineError> {
        let (secret, codes) = (totp::new_secret(), recovery::new_codes());
        Ok(SetUpOfSignIn::seal(tx, &self.commands.vault, user, &secret, &codes).await?)
    }

    /// What a set-up shows to its person in the session that began it; `None` when none has begun there, or it took too
    /// long.
    async fn shown_set_up(&self, session: Option<Uuid>, person: &User) -> Result<Option<SetUp>, EngineError> {
        let Some(factor) = second_factors::get(&self.commands.db, person.id).await? else { return Ok(None) };
        if session.is_none() || factor.shown_in != session || !self.is_current(&factor) {
            return Ok(None);
        }
        let Some(codes) = factor.new_recovery_codes(&self.commands.vault)? else { return Ok(None) };
        if factor.confirmed_at.is_some() {
            let recovery_codes = recovery::list(&codes);
            return Ok(Some(SetUp { secret: String::new(), uri: String::new(), recovery_codes }));
        }
        Ok(Some(shown(&factor.secret(&self.commands.vault)?, &codes, &person.email)))
    }

    /// What a sign-in shows that sets up a second factor.
    pub(crate) fn shown_at_sign_in(&self, set_up: &SetUpOfSignIn, email: &str) -> Result<SetUp, EngineError> {
        Ok(shown(&set_up.secret(&self.commands.vault)?, &set_up.recovery_codes(&self.commands.vault)?, email))
    }

    /// Whether a set-up may still be finished.
    fn is_current(&self, factor: &SecondFactor) -> bool {
        let age = self.commands.clock.now().as_millis() - factor.created_at.as_millis();
        factor.confirmed_at.is_some() || u128::try_from(age).is_ok_and(|age| age <= SET_UP_LASTS.as_millis())
    }

    /// Puts the set-up of a sign-in in force when the code is right. Answers whether it was; `None` when there is no such
    /// set-up, or a second factor is in force already.
    pub(crate) async fn enrol_at_sign_in(
        &self,
        tx: &mut Tx,
        user: UserId,
        waiting: &TokenHash,
        code: &str,
    ) -> Result<Option<bool>, EngineError> {
        let at = self.commands.clock.now();
        if second_factors::is_active(&mut *tx, user).await? {
            return Ok(None);
        }
        let Some(set_up) = pending_sign_ins::set_up(&mut *tx, waiting, at).await? else { return Ok(None) };
        let secret = set_up.secret(&self.commands.vault)?;
        let Some(step) = totp::matching_step(&secret, &digits(code), at) else { return Ok(Some(false)) };
        if !second_factors::enrol(tx, &self.commands.vault, user, &secret, step, at).await? {
            return Ok(None);
        }
        let codes = recovery::hashes(&self.commands.vault, user, &set_up.recovery_codes(&self.commands.vault)?);
        second_factors::set_recovery_codes(tx, user, &codes, at).await?;
        AccountNotice::SecondFactorAdded.write(tx, user, at).await?;
        Ok(Some(true))
    }

    /// Puts the set-up of a session in force when the code is right. Answers whether it was.
    async fn finish_set_up(&self, tx: &mut Tx, user: UserId, session: Uuid, code: &str) -> Result<bool, EngineError> {
        let at = self.commands.clock.now();
        let factor = second_factors::lock(tx, user).await?;
        let factor = factor.filter(|factor| factor.confirmed_at.is_none() && self.is_current(factor));
        let factor = factor.filter(|factor| factor.shown_in == Some(session));
        let factor = factor.ok_or(EngineError::NotFound("the set-up"))?;
        let Some(step) = totp::matching_step(&factor.secret(&self.commands.vault)?, &digits(code), at) else {
            return Ok(false);
        };
        let codes = factor.new_recovery_codes(&self.commands.vault)?.ok_or(EngineError::NotFound("the set-up"))?;
        second_factors::confirm(tx, user, step, at).await?;
        second_factors::set_recovery_codes(tx, user, &recovery::hashes(&self.commands.vault, user, &codes), at).await?;
        AccountNotice::SecondFactorAdded.write(tx, user, at).await?;
        Ok(true)
    }

    /// Compares a code of a person and uses it up.
    pub(crate) async fn check_code(
        &self,
        tx: &mut Tx,
        user: UserId,
        code: &str,
        at: Timestamp,
    ) -> Result<CodeCheck, EngineError> {
        let factor = second_factors::lock(tx, user).await?.filter(|factor| factor.confirmed_at.is_some());
        let Some(factor) = factor else { return Ok(CodeCheck::Wrong) };
        let code = digits(code);
        if code.len() == totp::DIGITS {
            return Ok(match totp::matching_step(&factor.secret(&self.commands.vault)?, &code, at) {
                None => CodeCheck::Wrong,
                Some(step) if second_factors::use_step(tx, user, step, totp::furthest_step(at)).await? => {
                    CodeCheck::Right(Proof::Totp)
                }
                Some(_) => CodeCheck::Reused,
            });
        }
        let mut used = false;
        for hash in recovery::possible_hashes(&self.commands.vault, user, &code) {
            used = used || second_factors::use_recovery_code(tx, user, &hash).await?;
        }
        if !used {
            return Ok(CodeCheck::Wrong);
        }
        let left = second_factors::recovery_codes_left(&mut *tx, user).await?;
        AccountNotice::RecoveryCodeUsed { left }.write(tx, user, at).await?;
        Ok(CodeCheck::Right(Proof::RecoveryCode { left }))
    }

    /// Tells a person and the audit log that a code was sent again that had been used.
    pub(crate) async fn note_reused_code(
        self: &Arc<Self>,
        tx: &mut Tx,
        actor: &Actor,
        user: UserId,
    ) -> Result<(), EngineError> {
        let address = actor.address.map(|address| address.to_string()).unwrap_or_default();
        AccountNotice::CodeReused { address }.write(tx, user, self.commands.clock.now()).await?;
        let entry = AuditEntry::new(AuditAction::SecondFactorReused, "user", user);
        Ok(self.commands.record(tx, actor, entry.ended(tenantatlas_store::audit::Outcome::Denied)).await?)
    }
}

fn shown(secret: &SecretString, codes: &SecretString, email: &str) -> SetUp {
    SetUp {
        secret: recovery::grouped(secret.expose_secret(), ' '),
        uri: totp::uri(secret, email),
        recovery_codes: recovery::list(codes),
    }
}

/// A code as it is compared: people type spaces into it.
fn digits(code: &str) -> String {
    code.chars().filter(|letter| !letter.is_whitespace()).take(64).collect()
}

pub(crate) fn wrong_code() -> EngineError {
    EngineError::invalid(
        "code",
        "does not fit. Type the six digits that your authenticator shows now, each code works once; or a recovery code",
    )
}
