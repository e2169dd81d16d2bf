//! The second factor of a person: time-based one-time codes, and recovery codes for when the authenticator is lost.
//!
//! Setting one up shows the secret and the recovery codes until a code proves that the authenticator has it; then both are
//! never shown again. Everything here asks for a password (and code) that was confirmed lately.

mod recovery;
mod totp;

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::json;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::second_factors::{self, SecondFactor};
use tenantatlas_store::{Tx, known_browsers, pending_sign_ins, sessions, users};

use crate::account_notice::AccountNotice;
use crate::actor::Actor;
use crate::command::{Command, Right, require_confirmed};
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::sign_in::Visitor;
use crate::trail::Entry;

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
        let person = users::get(&core.db, user).await?.ok_or(EngineError::NotFound("the person"))?;
        let factor = second_factors::get(&core.db, user).await?;
        let shown = factor
            .as_ref()
            .is_some_and(|factor| factor.new_recovery_codes(&core.vault).is_ok_and(|codes| codes.is_some()));
        Ok(SecondFactorState {
            since: factor.and_then(|factor| factor.confirmed_at),
            recovery_codes: second_factors::recovery_codes_left(&core.db, user).await?,
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
        require_confirmed(&core.db, actor, core.clock.now()).await?;
        let person = users::get(&core.db, user).await?.ok_or(EngineError::Forbidden)?;
        core.shown_set_up(user, &person.email).await
    }

    /// Begins to set up a second factor.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when there is one, [`EngineError::Confirm`].
    pub async fn begin_second_factor(&self, actor: &Actor) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = Entry::new(AuditAction::SecondFactorBegun, "user", user);
        core.command(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
            if core.begin_set_up(tx, user).await? {
                Ok(())
            } else {
                Err(EngineError::Conflict(
                    "There is a second factor already: take it away before you set up another.".to_owned(),
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
        let entry = Entry::new(AuditAction::SecondFactorAdded, "user", user);
        let done = core
            .command(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
                if core.finish_set_up(tx, user, code).await? { Ok(()) } else { Err(wrong_code()) }
            })
            .await;
        attempt.note(&done, "set_up").await?;
        core.publish_unread(user).await;
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
        let entry = Entry::new(AuditAction::SecondFactorRemoved, "user", user).with(json!({ "by_self": true }));
        let done = core
            .command(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
                let person = users::get(&mut *tx, user).await?.ok_or(EngineError::Forbidden)?;
                if core.config.sessions.require_second_factor.applies_to(&person) {
                    return Err(EngineError::Conflict(
                        "The rules of this server want a second factor, so it cannot be taken away.".to_owned(),
                    ));
                }
                let at = core.clock.now();
                match core.check_code(tx, user, code, at).await? {
                    CodeCheck::Right(_) => {}
                    CodeCheck::Reused | CodeCheck::Wrong => return Err(wrong_code()),
                }
                second_factors::remove(tx, user).await?;
                Ok(AccountNotice::SecondFactorRemoved { by_self: true }.write(tx, user, at).await?)
            })
            .await;
        attempt.note(&done, "second_factor").await?;
        core.publish_unread(user).await;
        done
    }

    /// Makes new recovery codes, which are shown until they are put in force.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] without a second factor, [`EngineError::Confirm`].
    pub async fn new_recovery_codes(&self, actor: &Actor) -> Result<(), EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let entry = Entry::new(AuditAction::RecoveryCodesMade, "user", user);
        core.command(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
            if second_factors::show_recovery_codes(tx, &core.vault, user, &recovery::new_codes()).await? {
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
        let entry = Entry::new(AuditAction::RecoveryCodesReplaced, "user", user);
        core.command(Command::new(actor, Right::SignedIn, entry).sensitive(), async |tx, _| {
            let factor = second_factors::lock(tx, user).await?.filter(|factor| factor.confirmed_at.is_some());
            let codes = factor.map(|factor| factor.new_recovery_codes(&core.vault)).transpose()?.flatten();
            let codes = codes.ok_or(EngineError::NotFound("the list of new recovery codes"))?;
            let at = core.clock.now();
            second_factors::set_recovery_codes(tx, user, &recovery::hashes(&core.vault, user, &codes), at).await?;
            Ok(AccountNotice::RecoveryCodesReplaced.write(tx, user, at).await?)
        })
        .await?;
        core.publish_unread(user).await;
        Ok(())
    }

    /// Takes a person's second factor away, for those who manage people: somebody lost authenticator and recovery codes.
    /// Ends their sessions.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`] when there is none, [`EngineError::Confirm`].
    pub async fn reset_second_factor(&self, actor: &Actor, user: UserId) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = Entry::new(AuditAction::SecondFactorRemoved, "user", user).with(json!({ "by_self": false }));
        core.command(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, _| {
            if !second_factors::remove(tx, user).await? {
                return Err(EngineError::NotFound("the second factor of this person"));
            }
            sessions::revoke_all(tx, user, None).await?;
            pending_sign_ins::remove_all(tx, user).await?;
            known_browsers::forget_all(tx, user, None).await?;
            Ok(AccountNotice::SecondFactorRemoved { by_self: false }.write(tx, user, core.clock.now()).await?)
        })
        .await?;
        core.publish_unread(user).await;
        Ok(())
    }
}

impl Core {
    /// Begins a set-up. Answers `false` when a second factor is in force.
    pub(crate) async fn begin_set_up(&self, tx: &mut Tx, user: UserId) -> Result<bool, EngineError> {
        let (secret, codes) = (totp::new_secret(), recovery::new_codes());
        Ok(second_factors::begin(tx, &self.vault, user, &secret, &codes, self.clock.now()).await?)
    }

    /// What a set-up shows to its person; `None` when none has begun, or it took too long.
    pub(crate) async fn shown_set_up(&self, user: UserId, email: &str) -> Result<Option<SetUp>, EngineError> {
        let Some(factor) = second_factors::get(&self.db, user).await? else { return Ok(None) };
        if !self.is_current(&factor) {
            return Ok(None);
        }
        let Some(codes) = factor.new_recovery_codes(&self.vault)? else { return Ok(None) };
        let recovery_codes = recovery::list(&codes);
        if factor.confirmed_at.is_some() {
            return Ok(Some(SetUp { secret: String::new(), uri: String::new(), recovery_codes }));
        }
        let secret = factor.secret(&self.vault)?;
        Ok(Some(SetUp {
            secret: recovery::grouped(secret.expose_secret(), ' '),
            uri: totp::uri(&secret, email),
            recovery_codes,
        }))
    }

    /// Whether a set-up may still be finished.
    pub(crate) fn is_current(&self, factor: &SecondFactor) -> bool {
        let age = self.clock.now().as_millis() - factor.created_at.as_millis();
        factor.confirmed_at.is_some() || u128::try_from(age).is_ok_and(|age| age <= SET_UP_LASTS.as_millis())
    }

    /// Puts a set-up in force when the code is right. Answers whether it was.
    pub(crate) async fn finish_set_up(&self, tx: &mut Tx, user: UserId, code: &str) -> Result<bool, EngineError> {
        let at = self.clock.now();
        let factor = second_factors::lock(tx, user).await?;
        let factor = factor.filter(|factor| factor.confirmed_at.is_none() && self.is_current(factor));
        let factor = factor.ok_or(EngineError::NotFound("the set-up"))?;
        let Some(step) = totp::matching_step(&factor.secret(&self.vault)?, &digits(code), at) else { return Ok(false) };
        let codes = factor.new_recovery_codes(&self.vault)?.ok_or(EngineError::NotFound("the set-up"))?;
        second_factors::confirm(tx, user, step, at).await?;
        second_factors::set_recovery_codes(tx, user, &recovery::hashes(&self.vault, user, &codes), at).await?;
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
            return Ok(match totp::matching_step(&factor.secret(&self.vault)?, &code, at) {
                None => CodeCheck::Wrong,
                Some(step) if second_factors::use_step(tx, user, step).await? => CodeCheck::Right(Proof::Totp),
                Some(_) => CodeCheck::Reused,
            });
        }
        if !second_factors::use_recovery_code(tx, user, &recovery::hash(&self.vault, user, &code)).await? {
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
        AccountNotice::CodeReused { address }.write(tx, user, self.clock.now()).await?;
        let entry = Entry::new(AuditAction::SecondFactorReused, "user", user);
        Ok(self.record(tx, actor, entry.ended(tenantatlas_store::audit::Outcome::Denied)).await?)
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
