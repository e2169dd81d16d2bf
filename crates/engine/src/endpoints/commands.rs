//! Commands on endpoints.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tenantatlas_commands::{Actor, AuditEntry, Command, Rate, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::endpoint::{EndpointKind, EventKind, SECRETS_OVERLAP, Wanted};
use tenantatlas_domain::ids::{DeliveryId, EndpointId, TenantId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::deliveries::{self, Event};
use tenantatlas_store::endpoints::{self, Endpoint, NewEndpoint};
use tenantatlas_store::{StoreError, Tx};
use uuid::Uuid;

use super::{address, signature};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::typed_name;

/// Endpoints of one tenant.
const MAX_ENDPOINTS: usize = 20;
/// The longest name, characters.
const MAX_NAME: usize = 80;
/// Messages that one person has sent by hand, tests and replays together: some at once, then one in ten seconds.
const SEND_RATE: Rate = Rate { burst: 20, every: Duration::from_secs(10) };

/// What a person enters of a new endpoint.
#[derive(Debug, Clone)]
pub struct EndpointDetails {
    /// What it understands.
    pub kind: EndpointKind,
    /// What people call it.
    pub name: String,
    /// Where it lies. It may hold a right, and is shown to nobody again.
    pub address: String,
    /// To what it listens.
    pub wanted: Wanted,
    /// Whether everything of a day is sent at once, which only mail can.
    pub digest: bool,
}

/// What of an endpoint is to be changed; what is `None` stays. An address is never changed: another one is another endpoint.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// What people call it.
    pub name: Option<String>,
    /// To what it listens.
    pub wanted: Option<Wanted>,
    /// Whether everything of a day is sent at once, which only mail can.
    pub digest: Option<bool>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

/// A new endpoint.
#[derive(Debug)]
pub struct AddedEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// What messages are signed with, where they are: the one time that it is shown.
    pub secret: Option<SecretString>,
}

impl Engine {
    /// Adds an endpoint to which news of a tenant are sent. A program is never asked for a password: its token decides.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Confirm`], [`EngineError::Invalid`] that names the
    /// field, [`EngineError::Conflict`] when the name is taken or there are too many.
    pub async fn add_endpoint(
        &self,
        actor: &Actor,
        tenant: TenantId,
        details: &EndpointDetails,
    ) -> Result<AddedEndpoint, EngineError> {
        let core = &self.core;
        core.commands.authorise(actor, tenant, Action::EditEndpoints).await?;
        let name = typed_name::checked(&details.name, MAX_NAME)?;
        self.check_wanted(&details.wanted)?;
        check_digest(details.digest, details.kind)?;
        let mail = core.config.outgoing.mail.is_some();
        let checked = address::checked(&core.connector, mail, details.kind, &details.address).await?;
        let id = EndpointId::from_uuid(Uuid::now_v7());
        let new = NewEndpoint {
            id,
            kind: details.kind,
            name,
            wanted: details.wanted.clone(),
            digest: details.digest,
            address: checked.address,
            address_shown: checked.shown,
            secret: details.kind.is_signed().then(signature::new_secret),
            created_by_name: actor.name.clone(),
        };
        let entry = entry(AuditAction::EndpointAdded, tenant, id).with(json!({
            "name": new.name, "kind": new.kind, "host": new.address_shown, "wanted": new.wanted, "digest": new.digest,
        }));
        let at = core.commands.clock.now();
        let command = command(actor, tenant, entry);
        let command = if actor.token.is_some() { command } else { command.sensitive() };
        core.execute(command, async |tx, _| {
            if endpoints::list(&mut *tx, tenant).await?.len() >= MAX_ENDPOINTS {
                let words = format!("there are {MAX_ENDPOINTS} endpoints already: remove one first");
                return Err(EngineError::Conflict(words));
            }
            endpoints::create(tx, &core.commands.vault, tenant, &new, at).await.map_err(taken)
        })
        .await?;
        Ok(AddedEndpoint { id, secret: new.secret })
    }

    fn check_wanted(&self, wanted: &Wanted) -> Result<(), EngineError> {
        if wanted.events.is_empty() || wanted.events.contains(&EventKind::Test) {
            let names: Vec<_> = EventKind::CHOICES.iter().map(|event| event.as_str()).collect();
            return Err(EngineError::invalid("events", format!("must name one or more of {}", names.join(", "))));
        }
        let known: Vec<String> = self.core.runner.operations().kinds().iter().map(ToString::to_string).collect();
        if let Some(unknown) = wanted.operations.iter().find(|wanted| !known.contains(wanted)) {
            let words = format!("must be of {}; {unknown:?} is none of them", known.join(", "));
            return Err(EngineError::invalid("operations", words));
        }
        if wanted.states.iter().any(|state| matches!(state, OperationBucket::Queued | OperationBucket::Running)) {
            let words = "must be of succeeded, partially_succeeded, failed: a run that has ended has no other";
            return Err(EngineError::invalid("states", words));
        }
        Ok(())
    }

    /// Changes an endpoint. What waits for it already is sent as it was written.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Invalid`] that names the field,
    /// [`EngineError::Conflict`] when the name is taken.
    pub async fn change_endpoint(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: EndpointId,
        change: &EndpointChange,
    ) -> Result<(), EngineError> {
        let entry = entry(AuditAction::EndpointChanged, tenant, id);
        let ready = async {
            self.authorise(actor, tenant, Action::EditEndpoints).await?;
            change.wanted.as_ref().map_or(Ok(()), |wanted| self.check_wanted(wanted))?;
            change.name.as_deref().map(|name| typed_name::checked(name, MAX_NAME)).transpose()
        };
        let name = self.core.commands.before(actor, &entry, ready).await?;
        let at = self.core.commands.clock.now();
        self.core
            .execute(command(actor, tenant, entry.clone()), async |tx, log| {
                let known = lock(tx, tenant, id).await?;
                let name = name.as_deref().unwrap_or(&known.name);
                let wanted = change.wanted.as_ref().unwrap_or(&known.wanted);
                let digest = change.digest.unwrap_or(known.digest);
                check_digest(digest, known.kind)?;
                let is_new = (name, wanted, digest) != (known.name.as_str(), &known.wanted, known.digest);
                if is_new {
                    endpoints::change(tx, (tenant, id), name, wanted, digest, at).await.map_err(taken)?;
                }
                let switched = change.enabled.filter(|enabled| *enabled != known.enabled);
                if let Some(enabled) = switched {
                    switch(tx, tenant, id, enabled, at).await?;
                }
                let enabled = change.enabled.unwrap_or(known.enabled);
                match is_new || switched.is_some() {
                    true => log.replace(entry.with(json!({
                        "before": facts(&known.name, &known.wanted, known.digest, known.enabled),
                        "after": facts(name, wanted, digest, enabled),
                    }))),
                    false => log.unchanged(),
                }
                Ok(())
            })
            .await
    }

    /// Switches an endpoint on or off. What waits for one that is switched off is given up.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn switch_endpoint(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: EndpointId,
        enabled: bool,
    ) -> Result<(), EngineError> {
        let at = self.core.commands.clock.now();
        let entry = entry(AuditAction::EndpointSwitched, tenant, id).with(json!({ "enabled": enabled }));
        self.core
            .execute(command(actor, tenant, entry), async |tx, log| {
                let endpoint = lock(tx, tenant, id).await?;
                if endpoint.enabled == enabled {
                    log.unchanged();
                    return Ok(());
                }
                switch(tx, tenant, id, enabled, at).await
            })
            .await
    }

    /// Replaces the secret of an endpoint. The one before it signs as well for a day, so that the other side can change over.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Confirm`], [`EngineError::Conflict`] for one that
    /// has none.
    pub async fn rotate_endpoint_secret(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: EndpointId,
    ) -> Result<SecretString, EngineError> {
        let (core, secret) = (&self.core, signature::new_secret());
        let at = core.commands.clock.now();
        let overlap = i64::try_from(SECRETS_OVERLAP.as_millis()).unwrap_or_default();
        let until = Timestamp::from_millis(at.as_millis().saturating_add(overlap));
        let entry = entry(AuditAction::EndpointSecretRotated, tenant, id);
        core.execute(command(actor, tenant, entry).sensitive(), async |tx, _| {
            let endpoint = lock(tx, tenant, id).await?;
            if !endpoints::rotate(tx, &core.commands.vault, tenant, id, &secret, until, at).await? {
                let words = format!("{} has no secret: only webhooks are signed", endpoint.kind.label());
                return Err(EngineError::Conflict(words));
            }
            Ok(())
        })
        .await?;
        Ok(secret)
    }

    /// Sends a test message to an endpoint, also to one that is switched off. Answers its delivery, which tells how it went.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::TooMany`].
    pub async fn test_endpoint(
        &self,
        actor: &Actor,
        tenant: TenantId,
        id: EndpointId,
    ) -> Result<DeliveryId, EngineError> {
        self.core.commands.limit(actor, "endpoint_message", SEND_RATE).await?;
        let at = self.core.commands.clock.now();
        let payload = json!({ "path": format!("/t/{tenant}/settings/endpoints") }).to_string();
        let event = Event { kind: EventKind::Test, run_id: None, run: None, payload };
        self.core
            .execute(command(actor, tenant, entry(AuditAction::EndpointTested, tenant, id)), async |tx, _| {
                lock(tx, tenant, id).await?;
                Ok(deliveries::enqueue_for(tx, tenant, id, &event, at).await?)
            })
            .await
    }

    /// Removes an endpoint with what is known of its deliveries.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn remove_endpoint(&self, actor: &Actor, tenant: TenantId, id: EndpointId) -> Result<(), EngineError> {
        let removed = entry(AuditAction::EndpointRemoved, tenant, id);
        self.core
            .execute(command(actor, tenant, removed.clone()), async |tx, log| {
                let endpoint = lock(tx, tenant, id).await?;
                endpoints::remove(tx, tenant, id).await?;
                log.replace(removed.clone().with(json!({ "name": endpoint.name, "kind": endpoint.kind })));
                Ok(())
            })
            .await
    }

    /// Sends a message once more, under the same id and from the first attempt on.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Conflict`] when it waits to be sent already or the
    /// endpoint is switched off, [`EngineError::TooMany`].
    pub async fn replay_delivery(&self, actor: &Actor, tenant: TenantId, id: DeliveryId) -> Result<(), EngineError> {
        self.core.commands.limit(actor, "endpoint_message", SEND_RATE).await?;
        let at = self.core.commands.clock.now();
        let entry = AuditEntry::new(AuditAction::DeliveryReplayed, "delivery", id).of(tenant);
        self.core
            .execute(command(actor, tenant, entry), async |tx, _| {
                let delivery = deliveries::get(&mut *tx, tenant, id).await?;
                let delivery = delivery.ok_or(EngineError::NotFound("the delivery"))?;
                let endpoint = lock(tx, tenant, delivery.endpoint_id).await?;
                if !endpoint.enabled && delivery.event != EventKind::Test {
                    let words = "the endpoint is switched off: switch it on, then send the message again";
                    return Err(EngineError::Conflict(words.to_owned()));
                }
                if !deliveries::replay(tx, tenant, id, at).await? {
                    let words = "the message waits to be sent already: wait for its next attempt";
                    return Err(EngineError::Conflict(words.to_owned()));
                }
                Ok(())
            })
            .await
    }

    /// Whether endpoints can be ones of mail.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.core.config.outgoing.mail.is_some()
    }

    /// The endpoint of a tenant whose present secret is this one, so that a secret is shown with its endpoint and nothing else
    /// is shown as one.
    ///
    /// # Errors
    /// When the database fails, or a secret cannot be opened.
    pub async fn endpoint_of_secret(
        &self,
        tenant: TenantId,
        secret: &SecretString,
    ) -> Result<Option<Endpoint>, EngineError> {
        let commands = &self.core.commands;
        Ok(endpoints::find_by_secret(&commands.db, &commands.vault, tenant, secret).await?)
    }
}

fn entry(action: AuditAction, tenant: TenantId, id: EndpointId) -> AuditEntry {
    AuditEntry::new(action, "endpoint", id).of(tenant)
}

fn check_digest(digest: bool, kind: EndpointKind) -> Result<(), EngineError> {
    if digest && kind != EndpointKind::Mail {
        return Err(EngineError::invalid("digest", "must be left out: only mail is gathered over a day"));
    }
    Ok(())
}

fn facts(name: &str, wanted: &Wanted, digest: bool, enabled: bool) -> Value {
    json!({ "name": name, "wanted": wanted, "digest": digest, "enabled": enabled })
}

/// Switches an endpoint; what waits for one that is switched off is given up.
async fn switch(tx: &mut Tx, tenant: TenantId, id: EndpointId, on: bool, at: Timestamp) -> Result<(), EngineError> {
    endpoints::switch(tx, tenant, id, on, None, at).await?;
    if !on {
        deliveries::give_up(tx, tenant, id, "The endpoint was switched off.", at).await?;
    }
    Ok(())
}

fn command(actor: &Actor, tenant: TenantId, entry: AuditEntry) -> Command<'_> {
    Command::new(actor, Right::Tenant(tenant, Action::EditEndpoints), entry)
}

async fn lock(tx: &mut Tx, tenant: TenantId, id: EndpointId) -> Result<Endpoint, EngineError> {
    endpoints::lock(tx, tenant, id).await?.ok_or(EngineError::NotFound("the endpoint"))
}

fn taken(error: StoreError) -> EngineError {
    if error.is_conflict() {
        EngineError::Conflict("an endpoint with this name exists already: choose another name".to_owned())
    } else {
        error.into()
    }
}
