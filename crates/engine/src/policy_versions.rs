//! Looking at the body of a version, at its settings, and at what differs between two.

mod document;
mod reading;

use std::collections::HashSet;

use serde_json::{Value, json};
use tenantatlas_commands::{Actor, AuditEvent};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::body::{leave_out_payloads, put_together};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::{ReferenceTarget, recipe, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::settings::{Difference, Glossary, Line, SettingValue, Settings, difference};
use tenantatlas_store::audit::Outcome;
use tenantatlas_store::inventory::{self, KnownNames};
use tenantatlas_store::policies::{self, OpenSlot, TenantKey, Version};

use crate::engine::Engine;
use crate::error::EngineError;
pub(crate) use reading::{computed, settings_of_version};

/// A version with its body.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenVersion {
    /// What is known of it.
    pub version: Version,
    /// The object with all that was read of it. In place of credentials stands a mark, see
    /// [`tenantatlas_domain::normalise::Withheld`].
    pub body: Value,
    /// The properties with bodies of scripts that were left out, and where payloads were masked, as JSON pointers.
    pub left_out: Vec<String>,
}

/// The settings of a version.
#[derive(Debug, Clone)]
pub struct ReadVersion {
    /// What is known of it.
    pub version: Version,
    /// Its settings and assignments.
    pub settings: Settings,
    /// Where scripts and payloads stand, whose content is not to be shown unless it was asked for.
    pub contents: Vec<String>,
    /// What the tenant is known to call groups, filters and tags.
    pub names: KnownNames,
}

/// Two versions of one object and what differs.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The older one.
    pub from: Version,
    /// The newer one.
    pub to: Version,
    /// What differs.
    pub difference: Difference,
    /// Where scripts and payloads stand in one of both.
    pub contents: Vec<String>,
    /// What the tenant is known to call groups, filters and tags.
    pub names: KnownNames,
}

/// Objects that values name and that are looked up, at most.
pub(crate) const MOST_OBJECTS: usize = 4_000;

const MISSING: EngineError = EngineError::NotFound("the version");

impl Engine {
    /// Opens a version of an object by its number. Bodies of scripts are left out and payloads are masked unless they are asked
    /// for; each time they are, that is written into the audit log.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role and where there is no such version, or when
    /// the database fails or a body does not open.
    pub async fn open_version(
        &self,
        actor: &Actor,
        tenant: TenantId,
        (policy_type, external_id): (&str, &str),
        number: u64,
        scripts: bool,
    ) -> Result<OpenVersion, EngineError> {
        let (version, mut slots) = self.opened(actor, tenant, (policy_type, external_id), number).await?;
        let recipe = registry().get(policy_type).and_then(recipe);
        let is_script = |name: &str| recipe.is_some_and(|recipe| recipe.is_script(name));
        let mut held: Vec<String> = slots.iter().map(|slot| slot.name.clone()).filter(|name| is_script(name)).collect();
        if !scripts {
            slots.retain(|slot| !held.contains(&slot.name));
        }
        let mut body = put_together(slots.into_iter().map(|slot| (slot.name, slot.value)));
        if scripts {
            let mut payloads = leave_out_payloads(&mut body.clone());
            payloads.retain(|path| !held.iter().any(|name| path.trim_start_matches('/') == name));
            held.extend(payloads);
            self.record_look(actor, &version, &held).await?;
            return Ok(OpenVersion { version, body, left_out: Vec::new() });
        }
        held.extend(leave_out_payloads(&mut body));
        Ok(OpenVersion { version, body, left_out: held })
    }

    /// The settings of a version of an object by its number. That bodies of scripts and payloads are to be shown
    /// (`scripts`) is written into the audit log where there are any.
    ///
    /// # Errors
    /// As [`Engine::open_version`].
    pub async fn read_version(
        &self,
        actor: &Actor,
        tenant: TenantId,
        policy: (&str, &str),
        number: u64,
        scripts: bool,
    ) -> Result<ReadVersion, EngineError> {
        let (version, mut settings) = self.settings_of(actor, tenant, policy, number).await?;
        let contents = contents(&settings);
        if scripts {
            self.record_look(actor, &version, &contents).await?;
        }
        let names = self.name(tenant, &mut [&mut settings]).await?;
        Ok(ReadVersion { version, settings, contents, names })
    }

    /// What differs between two versions of an object. That bodies of scripts and payloads are to be shown (`scripts`) is
    /// written into the audit log, for each version that has any.
    ///
    /// # Errors
    /// As [`Engine::open_version`], for either version.
    pub async fn compare_versions(
        &self,
        actor: &Actor,
        tenant: TenantId,
        policy: (&str, &str),
        (from, to): (u64, u64),
        scripts: bool,
    ) -> Result<Comparison, EngineError> {
        let (from, mut old) = self.settings_of(actor, tenant, policy, from).await?;
        let (to, mut new) = self.settings_of(actor, tenant, policy, to).await?;
        let (mut found, mut added) = (contents(&old), contents(&new));
        if scripts {
            self.record_look(actor, &from, &found).await?;
            self.record_look(actor, &to, &added).await?;
        }
        let known: HashSet<&String> = found.iter().collect();
        added.retain(|path| !known.contains(path));
        found.append(&mut added);
        let names = self.name(tenant, &mut [&mut old, &mut new]).await?;
        let lacks = (from.lacks.clone(), to.lacks.clone());
        let compare = move || difference((&old, &lacks.0), (&new, &lacks.1));
        let difference = tokio::task::spawn_blocking(compare).await.map_err(|error| not_done(&error))?;
        Ok(Comparison { from, to, difference, contents: found, names })
    }

    /// A version with its opened slots, for whoever may see bodies.
    async fn opened(
        &self,
        actor: &Actor,
        tenant: TenantId,
        (policy_type, external_id): (&str, &str),
        number: u64,
    ) -> Result<(Version, Vec<OpenSlot>), EngineError> {
        self.authorise(actor, tenant, Action::SeeBodies).await?;
        let key = TenantKey::open(self.reader(), &self.core.commands.vault, tenant).await?.ok_or(MISSING)?;
        let version = self.found_version(tenant, (policy_type, external_id), number).await?;
        let slots = policies::open_slots(self.reader(), &key, tenant, version.id).await?;
        Ok((version, slots))
    }

    async fn found_version(
        &self,
        tenant: TenantId,
        (policy_type, external_id): (&str, &str),
        number: u64,
    ) -> Result<Version, EngineError> {
        policies::find_version(self.reader(), tenant, policy_type, external_id, number).await?.ok_or(MISSING)
    }

    async fn settings_of(
        &self,
        actor: &Actor,
        tenant: TenantId,
        policy: (&str, &str),
        number: u64,
    ) -> Result<(Version, Settings), EngineError> {
        self.authorise(actor, tenant, Action::SeeBodies).await?;
        let key = TenantKey::open(self.reader(), &self.core.commands.vault, tenant).await?.ok_or(MISSING)?;
        self.settings_with(&key, tenant, policy, number).await
    }

    /// The settings of a version, not yet named, opened with the key of its tenant. What of it somebody may see is for the caller
    /// to say.
    pub(crate) async fn settings_with(
        &self,
        key: &TenantKey,
        tenant: TenantId,
        policy: (&str, &str),
        number: u64,
    ) -> Result<(Version, Settings), EngineError> {
        let version = self.found_version(tenant, policy, number).await?;
        let settings = settings_of_version(self.reader(), key, &version).await?.ok_or(MISSING)?;
        Ok((version, settings))
    }

    /// Names what settings name by ids.
    pub(crate) async fn name(
        &self,
        tenant: TenantId,
        settings: &mut [&mut Settings],
    ) -> Result<KnownNames, EngineError> {
        let assignments = settings.iter().flat_map(|settings| &settings.assignments);
        let mut ids: Vec<String> = assignments.map(|assignment| assignment.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let names = inventory::known_names(self.reader(), tenant, &ids).await?;
        let mut definitions: Vec<String> = settings.iter().flat_map(|settings| settings.definition_ids()).collect();
        definitions.sort_unstable();
        definitions.dedup();
        let known = self.names_of_definitions(&definitions).await?;
        let objects = named_objects(settings.iter().map(|settings| &**settings));
        let objects = inventory::object_names(self.reader(), tenant, &referred_types(), &objects).await?;
        let glossary = Glossary { scope_tags: names.scope_tags.clone(), objects, ..known };
        settings.iter_mut().for_each(|settings| settings.name_by(&glossary));
        Ok(names)
    }

    /// Writes down that somebody looks at scripts and payloads; nothing where there are none.
    async fn record_look(&self, actor: &Actor, version: &Version, scripts: &[String]) -> Result<(), EngineError> {
        if scripts.is_empty() {
            return Ok(());
        }
        let event = AuditEvent {
            action: AuditAction::ScriptSeen,
            tenant: Some(version.tenant_id),
            resource_type: "version",
            resource_id: version.id.to_string(),
            outcome: Outcome::Success,
            facts: json!({
                "policy_type": version.policy_type,
                "external_id": version.external_id,
                "number": version.number,
                "scripts": scripts,
            }),
        };
        Ok(self.record_event(actor, event).await?)
    }
}

/// The ids of objects that values of settings name.
pub(crate) fn named_objects<'s>(settings: impl Iterator<Item = &'s Settings>) -> Vec<String> {
    let ids = settings.flat_map(Settings::object_ids).flat_map(|id| [id.to_owned(), id.to_ascii_lowercase()]);
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(MOST_OBJECTS);
    ids
}

/// The types whose objects others name by their ids.
pub(crate) fn referred_types() -> Vec<String> {
    let rules = registry().all().iter().flat_map(|policy_type| policy_type.references);
    let referred = rules.filter_map(|rule| match rule.target {
        ReferenceTarget::Type(key) => Some(key),
        _ => None,
    });
    let mut types: Vec<String> =
        referred.chain(["assignmentFilter", "reusablePolicySetting"]).map(str::to_owned).collect();
    types.sort_unstable();
    types.dedup();
    types
}

/// Where scripts and payloads stand.
fn contents(settings: &Settings) -> Vec<String> {
    let is_content = |line: &Line<'_>| matches!(line.setting.value, Some(SettingValue::Content(_)));
    settings.lines().into_iter().filter(is_content).map(|line| line.path).collect()
}

fn not_done(error: &tokio::task::JoinError) -> EngineError {
    EngineError::Internal(format!("the body of a version was not read: {error}"))
}
