//! People: accounts and passwords.

use secrecy::SecretString;
use serde_json::json;
use tenantatlas_domain::ids::UserId;
use tenantatlas_store::users::{self, NewUser, User};
use tenantatlas_store::{StoreError, sessions};
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::engine::{Core, Engine};
use crate::error::EngineError;
use crate::password::{check_password_rules, hash_password, verify_password};
use crate::trail::Entry;

/// Longest name or e-mail address, in characters.
const MAX_NAME: usize = 200;

impl Engine {
    /// Adds a person who can sign in.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Invalid`] for name, address or password, [`EngineError::Conflict`]
    /// when the address is taken.
    pub async fn create_user(
        &self,
        actor: &Actor,
        email: &str,
        name: &str,
        platform_admin: bool,
        password: SecretString,
    ) -> Result<UserId, EngineError> {
        Core::authorise_platform(actor)?;
        check_email(email)?;
        check_name(name)?;
        check_password_rules(&password)?;
        let hash = hash_password(password).await?;
        let id = UserId::from_uuid(Uuid::now_v7());
        let new = NewUser { id, email: email.trim().to_owned(), name: name.trim().to_owned(), platform_admin };
        let (core, at) = (&self.core, self.core.clock.now());
        let mut tx = core.db.write().await?;
        users::create(&mut tx, &new, at).await.map_err(taken)?;
        users::set_password_hash(&mut tx, id, &hash, at).await?;
        let entry = Entry::new("user.created", "user", id).with(json!({ "platform_admin": platform_admin }));
        core.record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes a person's name, and whether they administer the platform.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Conflict`] when nobody would be left to
    /// administer the platform.
    pub async fn update_user(
        &self,
        actor: &Actor,
        id: UserId,
        name: &str,
        platform_admin: bool,
    ) -> Result<(), EngineError> {
        let own_name = actor.user_id == Some(id) && platform_admin == actor.platform_admin;
        if !own_name {
            Core::authorise_platform(actor)?;
        }
        check_name(name)?;
        let (core, at) = (&self.core, self.core.clock.now());
        let mut tx = core.db.write().await?;
        users::lock_platform_admins(&mut tx).await?;
        if !users::update(&mut tx, id, name, platform_admin, at).await? {
            return Err(EngineError::NotFound("the person"));
        }
        keep_one_administrator(&mut tx).await?;
        let entry = Entry::new("user.updated", "user", id).with(json!({ "platform_admin": platform_admin }));
        core.record(&mut tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Lets a person sign in no more, and ends their sessions; or lets them in again.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Conflict`] when nobody would be left to
    /// administer the platform.
    pub async fn set_user_disabled(&self, actor: &Actor, id: UserId, disabled: bool) -> Result<(), EngineError> {
        Core::authorise_platform(actor)?;
        let (core, at) = (&self.core, self.core.clock.now());
        let mut tx = core.db.write().await?;
        users::lock_platform_admins(&mut tx).await?;
        if !users::set_disabled(&mut tx, id, disabled.then_some(at), at).await? {
            return Err(EngineError::NotFound("the person"));
        }
        keep_one_administrator(&mut tx).await?;
        if disabled {
            sessions::revoke_all(&mut tx, id, None).await?;
        }
        let action = if disabled { "user.disabled" } else { "user.enabled" };
        core.record(&mut tx, actor, Entry::new(action, "user", id)).await?;
        Ok(tx.commit().await?)
    }

    /// Removes a person. What the audit says about them stays.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Conflict`] when nobody would be left to
    /// administer the platform.
    pub async fn remove_user(&self, actor: &Actor, id: UserId) -> Result<(), EngineError> {
        Core::authorise_platform(actor)?;
        let core = &self.core;
        let mut tx = core.db.write().await?;
        users::lock_platform_admins(&mut tx).await?;
        if !users::remove(&mut tx, id).await? {
            return Err(EngineError::NotFound("the person"));
        }
        keep_one_administrator(&mut tx).await?;
        core.record(&mut tx, actor, Entry::new("user.removed", "user", id)).await?;
        Ok(tx.commit().await?)
    }

    /// The person with this address and password, or `None`: for an unknown address, a wrong password and a disabled
    /// person alike, after the same work.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_user(&self, email: &str, password: SecretString) -> Result<Option<User>, EngineError> {
        let found = users::find_by_email(&self.core.db, email).await?;
        let stored = found.as_ref().and_then(|found| found.password_hash.clone());
        let fits = verify_password(password, stored).await;
        Ok(found.map(|found| found.user).filter(|user| fits && user.disabled_at.is_none()))
    }

    /// Changes one's own password; the old one is asked for.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when the old password is wrong or the new one is not acceptable.
    pub async fn change_password(
        &self,
        actor: &Actor,
        old: SecretString,
        new: SecretString,
    ) -> Result<(), EngineError> {
        let id = actor.user_id.ok_or(EngineError::Forbidden)?;
        check_password_rules(&new)?;
        if self.verify_user(&actor.email, old).await?.is_none_or(|user| user.id != id) {
            return Err(EngineError::invalid("current", "is not the one you sign in with now"));
        }
        self.store_password(actor, id, new).await
    }

    /// Sets a person's password, without the old one; for those who manage people. Ends the person's sessions.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::NotFound`], [`EngineError::Invalid`] for the password.
    pub async fn set_password(&self, actor: &Actor, id: UserId, new: SecretString) -> Result<(), EngineError> {
        Core::authorise_platform(actor)?;
        check_password_rules(&new)?;
        self.store_password(actor, id, new).await
    }

    async fn store_password(&self, actor: &Actor, id: UserId, new: SecretString) -> Result<(), EngineError> {
        let hash = hash_password(new).await?;
        let (core, at) = (&self.core, self.core.clock.now());
        let mut tx = core.db.write().await?;
        if !users::set_password_hash(&mut tx, id, &hash, at).await? {
            return Err(EngineError::NotFound("the person"));
        }
        sessions::revoke_all(&mut tx, id, None).await?;
        let by_self = actor.kind == ActorKind::Person && actor.user_id == Some(id);
        core.record(
            &mut tx,
            actor,
            Entry::new("user.password_changed", "user", id).with(json!({ "by_self": by_self })),
        )
        .await?;
        Ok(tx.commit().await?)
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

fn check_email(email: &str) -> Result<(), EngineError> {
    let email = email.trim();
    let (local, domain) = email.split_once('@').unwrap_or_default();
    let plain = !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if local.is_empty() || domain.is_empty() || domain.contains('@') || !plain || email.chars().count() > MAX_NAME {
        return Err(EngineError::invalid("email", "must be an e-mail address like name@example.com"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), EngineError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(EngineError::invalid("name", format!("must have 1 to {MAX_NAME} characters")));
    }
    Ok(())
}
