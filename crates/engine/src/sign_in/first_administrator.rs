//! The first administrator of a server on which nobody can sign in yet, by a link that works once.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::StoreError;
use tenantatlas_store::one_time_links::{self, FirstAdministrator, Purpose};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::users::{self, NewUser};
use uuid::Uuid;

use super::{Opened, Visitor};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::password::{Person, hash_password};
use crate::second_factor::Proof;
use crate::users::{check_email, check_name};

impl Engine {
    /// Whether a link for the first administrator would work.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_administrator_link_works(&self, link: &TokenHash) -> Result<bool, EngineError> {
        let found = one_time_links::peek(self.reader(), link, Purpose::FirstAdministrator, self.now()).await?;
        Ok(found.is_some() && users::is_empty(self.reader()).await?)
    }

    /// Keeps the link for the first administrator, by the hash of its token, when nobody can sign in yet. Of processes that
    /// start within the time `together` one makes it; earlier links stop working.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_first_administrator_link(
        &self,
        link: &TokenHash,
        together: Duration,
        until: Timestamp,
    ) -> Result<FirstAdministrator, StoreError> {
        let mut tx = self.core.commands.db.write().await?;
        let made = one_time_links::create_for_first_administrator(&mut tx, link, together, self.now(), until).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Makes the first administrator and signs them in, in one transaction: a link that is refused leaves nobody behind, and
    /// a password that is refused does not use the link up.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the link does not work, [`EngineError::Invalid`] for what the person typed,
    /// [`EngineError::TooMany`] for whoever guesses links.
    pub async fn claim_first_administrator(
        &self,
        visitor: &Visitor,
        link: &TokenHash,
        name: &str,
        email: &str,
        password: SecretString,
    ) -> Result<Opened, EngineError> {
        let core = &self.core;
        let nobody = Actor::anonymous().from_address(Some(visitor.address));
        {
            let attempt = core.attempt_at_link(visitor, &nobody).await?;
            if !self.first_administrator_link_works(link).await? {
                attempt.failed("link").await?;
                return Err(EngineError::NotFound("the link"));
            }
        }
        let name = &check_name(name)?;
        check_email(email)?;
        Person { name, email }.check(&password)?;
        let hash = hash_password(&core.commands.vault, &password).await?;
        let at = core.commands.clock.now();
        let mut tx = core.commands.db.write().await?;
        one_time_links::lock_first_administrator(&mut tx).await?;
        let taken = one_time_links::take(&mut tx, link, Purpose::FirstAdministrator, at).await?;
        if taken.is_none() || !users::is_empty(&mut tx).await? {
            return Err(EngineError::NotFound("the link"));
        }
        let id = UserId::from_uuid(Uuid::now_v7());
        let new = NewUser { id, email: email.trim().to_owned(), name: name.clone(), platform_admin: true };
        users::create(&mut tx, &new, at).await?;
        users::set_password_hash(&mut tx, id, &hash, at).await?;
        let entry = AuditEntry::new(AuditAction::UserCreated, "user", id)
            .with(json!({ "platform_admin": true, "by_link": true }));
        let user = users::get(&mut tx, id).await?.ok_or(EngineError::NotFound("the person"))?;
        let opened = core.open_for(&mut tx, visitor, &user, false, Proof::None, Some((nobody, entry))).await?;
        tx.commit().await?;
        Ok(opened)
    }
}
