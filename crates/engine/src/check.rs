//! Testing the connection of a tenant: token, permissions, licence.

use serde::Serialize;
use serde_json::json;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_graph::{GraphError, GraphVersion, Meter};
use tenantatlas_store::permissions::{self, Permission};
use tenantatlas_store::tenants::{self, ConnectionCheck, ConnectionStatus};

use crate::actor::Actor;
use crate::command::{Command, Right};
use crate::connection;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::sync::bounded;
use crate::trail::Entry;

/// A read that needs nothing but an Intune licence and the permission that nearly every type needs.
const LICENCE_PROBE: &str = "deviceManagement/deviceConfigurations?$top=1&$select=id";
/// Permissions that look up names and the tenant itself; no policy type fails without them.
const OPTIONAL: [(&str, &[&str]); 2] = [
    (
        "GroupMember.Read.All",
        &["Group.Read.All", "Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Directory.Read.All"],
    ),
    ("Organization.Read.All", &["Organization.ReadWrite.All", "Directory.Read.All"]),
];

/// A permission that the app lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingPermission {
    /// Its name.
    pub permission: String,
    /// The keys of the types that cannot be read without it; empty for one that only looks up names.
    pub types: Vec<&'static str>,
}

/// How the Intune licence probe went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// Intune answers.
    Present,
    /// Graph says that the tenant has no Intune licence.
    Missing,
    /// It could not be told, for instance because the permission is missing.
    Unknown,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantCheck {
    /// The result in one word, as stored with the tenant.
    pub status: ConnectionStatus,
    /// Why it is not `ok`.
    pub reason_code: Option<ReasonCode>,
    /// The same in a sentence.
    pub message: Option<String>,
    /// The name the tenant has at Microsoft, where it may be read.
    pub organization: Option<String>,
    /// The application permissions of the token; `None` when it does not show them.
    pub granted: Option<Vec<String>>,
    /// The permissions the app lacks for the full inventory, each with the types that need it.
    pub missing: Vec<MissingPermission>,
    /// Whether the tenant has Intune.
    pub licence: Licence,
}

impl Engine {
    /// Signs in to a tenant, compares the permissions of the token with what the registry needs, asks whether Intune is
    /// licensed, and keeps the result.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`], [`EngineError::Invalid`] when there is no credential,
    /// [`EngineError::Conflict`] when the connection was changed meanwhile, or when the database fails. A connection that does not work is a result, not an error.
    pub async fn check_tenant(&self, actor: &Actor, id: TenantId) -> Result<TenantCheck, EngineError> {
        let core = &self.core;
        core.authorise(actor, id, Action::EditConnection).await?;
        core.check_rate(actor)?;
        let (tenant, open) = connection::open(&core.db, &core.vault, id).await?;
        let session = core.graph.session(open, Meter::new(), core.stopping.child_token());

        // A token from before would show what was granted then.
        session.renew_token();
        let check = match session.granted_roles().await {
            Ok(granted) => self.check_permissions(&session, granted).await,
            Err(error) => failed(&error),
        };

        let context = json!({
            "status": check.status,
            "reason_code": check.reason_code,
            "missing": check.missing.iter().map(|one| one.permission.as_str()).collect::<Vec<_>>(),
        });
        let entry = Entry::new(AuditAction::TenantChecked, "tenant", id).of(id).with(context);
        let right = Right::Tenant(id, Action::EditConnection);
        core.command(Command::new(actor, right, entry), async |tx, _| {
            let at = core.clock.now();
            let stored =
                ConnectionCheck { status: check.status, reason: check.reason_code, message: check.message.clone(), at };
            if !tenants::record_check(tx, id, tenant.updated_at, &stored).await? {
                return Err(EngineError::Conflict(
                    "the connection was changed while it was tested: test it again".to_owned(),
                ));
            }
            if let Some(granted) = &check.granted {
                permissions::replace(tx, id, &permission_rows(granted), at).await?;
            }
            Ok(())
        })
        .await?;
        Ok(check)
    }

    async fn check_permissions(
        &self,
        session: &tenantatlas_graph::GraphSession,
        granted: Option<Vec<String>>,
    ) -> TenantCheck {
        let organization = session.probe().await;
        let licence = match (session.get(GraphVersion::V1, LICENCE_PROBE).await, &organization) {
            (Ok(_), _) => Licence::Present,
            (Err(error), _) if error.reason == ReasonCode::LicenseMissing => Licence::Missing,
            // A token is no use where nothing can be read with it, not even what it is refused.
            (Err(error), Err(other)) if !is_a_refusal(&error) && !is_a_refusal(other) => {
                return TenantCheck { granted, ..failed(&error) };
            }
            (Err(_), _) => Licence::Unknown,
        };
        let organization = organization.ok().map(|organization| organization.display_name);
        let missing = granted.as_deref().map(missing_permissions).unwrap_or_default();
        let lacking = missing.iter().any(|one| !one.types.is_empty());
        let (status, reason_code) = match &granted {
            Some(granted) if granted.is_empty() => (ConnectionStatus::Degraded, Some(ReasonCode::ConsentMissing)),
            _ if lacking => (ConnectionStatus::Degraded, Some(ReasonCode::PermissionMissing)),
            _ if licence == Licence::Missing => (ConnectionStatus::Degraded, Some(ReasonCode::LicenseMissing)),
            _ => (ConnectionStatus::Ok, None),
        };
        let message = match reason_code {
            Some(code) => Some(code.sentence().to_owned()),
            None => granted.is_none().then(|| PERMISSIONS_UNSEEN.to_owned()),
        };
        TenantCheck { status, reason_code, message, organization, granted, missing, licence }
    }
}

/// Whether Graph answered, and only would not tell: the permissions of the token say why.
fn is_a_refusal(error: &GraphError) -> bool {
    matches!(error.reason, ReasonCode::LicenseMissing | ReasonCode::PermissionMissing | ReasonCode::ConsentMissing)
}

/// What is said of a token that cannot be read into, as those of a custom cloud may be.
const PERMISSIONS_UNSEEN: &str =
    "The token of this cloud does not show its permissions: what is missing will be seen in the first sync.";

fn failed(error: &GraphError) -> TenantCheck {
    TenantCheck {
        status: ConnectionStatus::Failed,
        reason_code: Some(error.reason),
        message: Some(bounded(&format!("{} {}", error.reason.sentence(), error.message))),
        organization: None,
        granted: None,
        missing: Vec::new(),
        licence: Licence::Unknown,
    }
}

fn full_inventory() -> Vec<&'static PolicyType> {
    registry().default_on().collect()
}

/// What the app lacks, with the types that need it; what is only needed for names comes last, without types.
fn missing_permissions(granted: &[String]) -> Vec<MissingPermission> {
    let missing = registry().missing_permissions(&full_inventory(), granted);
    let mut missing: Vec<_> = missing
        .into_iter()
        .map(|(permission, types)| MissingPermission {
            permission: permission.to_owned(),
            types: types.into_iter().map(|policy_type| policy_type.key).collect(),
        })
        .collect();
    for (permission, instead) in OPTIONAL {
        let has = granted.iter().any(|given| given == permission || instead.contains(&given.as_str()));
        if !has && !missing.iter().any(|one| one.permission == permission) {
            missing.push(MissingPermission { permission: permission.to_owned(), types: Vec::new() });
        }
    }
    missing
}

/// Every permission of the full inventory, as it is kept for the type picker and the settings page.
fn permission_rows(granted: &[String]) -> Vec<Permission> {
    let missing = missing_permissions(granted);
    let is_missing = |name: &str| missing.iter().any(|one| one.permission == name);
    let mut rows: Vec<Permission> = registry()
        .types_by_permission(&full_inventory())
        .into_iter()
        .map(|(permission, types)| Permission {
            permission: permission.to_owned(),
            required_by: types.into_iter().map(|policy_type| policy_type.key.to_owned()).collect(),
            granted: !is_missing(permission),
        })
        .collect();
    for (permission, _) in OPTIONAL {
        if !rows.iter().any(|row| row.permission == permission) {
            let granted = !is_missing(permission);
            rows.push(Permission { permission: permission.to_owned(), required_by: Vec::new(), granted });
        }
    }
    rows
}
