//! People: accounts and passwords.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Rate, Right, require_confirmed};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::invisible::{is_invisible, visible_on_page};
use tenantatlas_store::users::{self, NewUser};
use tenantatlas_store::{StoreError, known_browsers, pending_sign_ins, sessions};
use uuid::Uuid;

use crate::account_notice::AccountNotice;
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::password::{Person, hash_password, verify_password};
use crate::typed_name;

/// Longest name or e-mail address, in characters.
const MAX_NAME: usize = 200;

/// Changes of one's own profile: a few at once, then two a minute, since each leaves an entry in the audit log for ever.
const PROFILE_RATE: Rate = Rate { burst: 10, every: Duration::from_secs(30) };

impl Engine {
    /// Adds a person who can sign in.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Confirm`], [`EngineError::Invalid`] for name, address or password,
    /// [`EngineError::Conflict`] when the address is taken.
    pub async fn create_user(
        &self,
        actor: &Actor,
        email: &str,
        name: &str,
        platform_admin: bool,
        password: SecretString,
    ) -> Result<UserId, EngineError> {
        let core = &self.core;
        check_email(email)?;
        let name = &check_name(name)?;
        Person { name, email }.check(&password)?;
        let id = UserId::from_uuid(Uuid::now_v7());
        let new = NewUser { id, email: email.trim().to_owned(), name: name.clone(), platform_admin };
        let entry =
            AuditEntry::new(AuditAction::UserCreated, "user", id).with(json!({ "platform_admin": platform_admin }));
        core.commands.before(actor, &entry, core.may_manage_people(actor)).await?;
        let hash = hash_password(&core.commands.vault, &password).await?;
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, _| {
            let at = core.commands.clock.now();
            users::create(tx, &new, at).await.map_err(taken)?;
            users::set_password_hash(tx, id, &hash, at).await?;
            Ok(id)
        })
        .await
    }

    /// Changes one's own name, and nothing else.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] when the account is gone, [`EngineError::Invalid`], [`EngineError::TooMany`].
    pub async fn rename_self(&self, actor: &Actor, name: &str) -> Result<(), EngineError> {
        let core = &self.core;
        let id = actor.user_id.ok_or(EngineError::Forbidden)?;
        let name = &check_name(name)?;
        core.commands.limit(actor, "profile", PROFILE_RATE).await?;
        let entry = AuditEntry::new(AuditAction::UserRenamed, "user", id);
        core.execute(Command::new(actor, Right::SignedIn, entry), async |tx, _| {
            if users::set_name(tx, id, name, core.commands.clock.now()).await? {
                Ok(())
            } else {
                Err(EngineError::NotFound("the person"))
            }
        })
        .await
    }

    /// Lets a person administer the platform, or no longer.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Conflict`] when nobody would be left to
    /// administer the platform.
    pub async fn set_platform_admin(&self, actor: &Actor, id: UserId, platform_admin: bool) -> Result<(), EngineError> {
        let core = &self.core;
        let entry =
            AuditEntry::new(AuditAction::UserUpdated, "user", id).with(json!({ "platform_admin": platform_admin }));
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, log| {
            let known = users::get(&mut *tx, id).await?.ok_or(EngineError::NotFound("the person"))?;
            if known.platform_admin == platform_admin {
                log.unchanged();
                return Ok(());
            }
            users::lock_platform_admins(tx).await?;
            users::set_platform_admin(tx, id, platform_admin, core.commands.clock.now()).await?;
            keep_one_administrator(tx).await
        })
        .await
    }

    /// Lets a person sign in no more, and ends their sessions; or lets them in again.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Conflict`] when nobody would be left to
    /// administer the platform.
    pub async fn set_user_disabled(&self, actor: &Actor, id: UserId, disabled: bool) -> Result<(), EngineError> {
        let core = &self.core;
        let entry =
            AuditEntry::new(if disabled { AuditAction::UserDisabled } else { AuditAction::UserEnabled }, "user", id);
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, log| {
            let known = users::get(&mut *tx, id).await?.ok_or(EngineError::NotFound("the person"))?;
            if known.disabled_at.is_some() == disabled {
                log.unchanged();
                return Ok(());
            }
            users::lock_platform_admins(tx).await?;
            let at = core.commands.clock.now();
            users::set_disabled(tx, id, disabled.then_some(at), at).await?;
            keep_one_administrator(tx).await?;
            if disabled {
                sessions::revoke_all(tx, id, None).await?;
                pending_sign_ins::remove_all(tx, id).await?;
            }
            Ok(())
        })
        .await
    }

    /// Removes a person with memberships, preferences, notifications and sessions. What the audit says about them stays.
    /// The e-mail address must be typed as confirmation.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Confirm`], [`EngineError::NotFound`], [`EngineError::Invalid`] when the
    /// confirmation is not the address, [`EngineError::Conflict`] when nobody would be left to administer the platform.
    pub async fn remove_user(&self, actor: &Actor, id: UserId, confirmation: &str) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = AuditEntry::new(AuditAction::UserRemoved, "user", id);
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, _| {
            let known = users::get(&mut *tx, id).await?.ok_or(EngineError::NotFound("the person"))?;
            // As it is kept, or as a page shows it.
            let (typed, kept) = (confirmation.trim().to_lowercase(), known.email.to_lowercase());
            if typed != kept && typed != visible_on_page(&kept) {
                return Err(EngineError::invalid("confirmation", "must be the e-mail address of the person"));
            }
            users::lock_platform_admins(tx).await?;
            users::remove(tx, id).await?;
            keep_one_administrator(tx).await
        })
        .await
    }

    /// Whether this is a person's password. For the demo, which knows the passwords of its people; whoever signs in goes
    /// through [`Engine::sign_in`], which slows guessing down.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_fits(&self, id: UserId, password: SecretString) -> Result<bool, EngineError> {
        let found = users::get_with_password(&self.core.commands.db, id).await?;
        let stored = found.and_then(|found| found.password_hash);
        Ok(verify_password(&self.core.commands.vault, password, stored).await.fits())
    }

    /// Sets a person's password, without the old one; for those who manage people. Ends the person's sessions. One's own is
    /// changed with [`Engine::change_password`], which asks for the old one.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Confirm`], [`EngineError::NotFound`], [`EngineError::Invalid`] for the
    /// password, [`EngineError::Conflict`] when it is the actor's own.
    pub async fn set_password(&self, actor: &Actor, id: UserId, new: SecretString) -> Result<(), EngineError> {
        let core = &self.core;
        let entry = AuditEntry::new(AuditAction::PasswordChanged, "user", id).with(json!({ "by_self": false }));
        let checked = async {
            core.may_manage_people(actor).await?;
            if actor.user_id == Some(id) {
                return Err(EngineError::Conflict(
                    "Your own password is changed under Profile, where the present one is asked for.".to_owned(),
                ));
            }
            let person = users::get(&core.commands.db, id).await?.ok_or(EngineError::NotFound("the person"))?;
            Person { name: &person.name, email: &person.email }.check(&new)
        };
        core.commands.before(actor, &entry, checked).await?;
        let hash = hash_password(&core.commands.vault, &new).await?;
        core.execute(Command::new(actor, Right::Platform, entry).sensitive(), async |tx, _| {
            let at = core.commands.clock.now();
            if !users::set_password_hash(tx, id, &hash, at).await? {
                return Err(EngineError::NotFound("the person"));
            }
            sessions::revoke_all(tx, id, None).await?;
            pending_sign_ins::remove_all(tx, id).await?;
            known_browsers::forget_all(tx, id, None).await?;
            Ok(AccountNotice::PasswordChanged { by_self: false }.write(tx, id, at).await?)
        })
        .await?;
        core.runner.publish_unread(id).await;
        Ok(())
    }
}

impl Core {
    /// Refuses whoever may not manage people before a password is hashed, which takes a core for a moment: nobody makes the
    /// server do it for nothing.
    async fn may_manage_people(&self, actor: &Actor) -> Result<(), EngineError> {
        self.commands.authorise_platform(actor).await?;
        Ok(require_confirmed(&self.commands.db, actor, self.commands.clock.now()).await?)
    }
}

/// Somebody keeps the right to administer the platform. Those who have it were locked before the change, so that two
/// changes at once cannot both count on the other's person.
async fn keep_one_administrator(tx: &mut tenantatlas_store::Tx) -> Result<(), EngineError> {
    if users::count_platform_admins(tx).await? == 0 {
        return Err(EngineError::Conflict("nobody would be left to administer the platform".to_owned()));
    }
    Ok(())
}

fn taken(error: StoreError) -> EngineError {
    if error.is_conflict() {
        EngineError::Conflict("a person with this e-mail address exists already".to_owned())
    } else {
        error.into()
    }
}

pub(crate) fn check_email(email: &str) -> Result<(), EngineError> {
    let email = email.trim();
    let (local, domain) = email.split_once('@').unwrap_or_default();
    let plain = !email.chars().any(|letter| letter.is_whitespace() || is_invisible(letter));
    if local.is_empty() || domain.is_empty() || domain.contains('@') || !plain || email.chars().count() > MAX_NAME {
        return Err(EngineError::invalid("email", "must be an e-mail address like name@example.com"));
    }
    Ok(())
}

/// A name as it is kept.
pub(crate) fn check_name(name: &str) -> Result<String, EngineError> {
    typed_name::checked(name, MAX_NAME)
}
