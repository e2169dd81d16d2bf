//! What a schedule starts: any operation whose payload can be made without a person.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_runs::{Operation as _, OperationKind, Operations, follow_up};
use tenantatlas_store::operation_runs::FollowUp;
use tenantatlas_store::tenants::{self, AfterSync};
use tenantatlas_store::{inventory, scopes};

use crate::audit_reading::{AuditReadPayload, ReadAuditEvents};
use crate::drift::{DriftPayload, GenerateDrift};
use crate::engine::Core;
use crate::error::EngineError;
use crate::inventory_sync::{InventorySync, SyncPayload};
use crate::policy_capture::{CaptureOf, CapturePayload, CapturePolicies, planned};
use crate::tenant_check::CheckTenant;

/// What is chosen of the work of a schedule. What does not belong to its operation must stay as it is by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleOptions {
    /// What a sync reads; everything without it, and so also what later versions of the program know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// The types that a capture reads; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Whether a capture reads only what a sync has found changed.
    pub changed: bool,
    /// Whether a sync that ends well is followed by a capture of what it found changed.
    pub capture: bool,
    /// Whether a sync that ends well is followed by a comparison with the run before it, after the capture.
    pub drift: bool,
    /// Whether a check of the connection asks for the first page of each type as well.
    pub probe: bool,
}

/// Work that is ready to be dispatched.
pub(crate) struct Ready {
    pub payload: Value,
    pub follow_ups: Vec<FollowUp>,
}

fn is(kind: OperationKind, resource: &str, action: &str) -> bool {
    (kind.resource, kind.action) == (resource, action)
}

/// The operation of this name, if a schedule can start it: its runs need nothing that only a person could choose.
fn known(operations: &Operations, name: &str) -> Option<OperationKind> {
    let kind = operations.kinds().into_iter().find(|kind| kind.to_string() == name)?;
    let needs_more =
        is(InventorySync::KIND, kind.resource, kind.action) || is(CapturePolicies::KIND, kind.resource, kind.action);
    let options = simple(kind, &ScheduleOptions::default());
    (needs_more || operations.check(kind.resource, kind.action, &options).is_ok()).then_some(kind)
}

/// The operations that a schedule can start, with their words.
pub(crate) fn schedulable(operations: &Operations) -> Vec<(OperationKind, String)> {
    let kinds = operations.kinds().into_iter().filter(|kind| known(operations, &kind.to_string()).is_some());
    let mut all: Vec<_> = kinds.map(|kind| (kind, operations.words(kind.resource, kind.action).operation)).collect();
    all.sort_by(|one, other| one.1.cmp(&other.1));
    all
}

/// What a run carries of an operation that reads nothing of the tenant to know what to do.
fn simple(kind: OperationKind, options: &ScheduleOptions) -> Value {
    if is(CheckTenant::KIND, kind.resource, kind.action) { json!({ "types": options.probe }) } else { json!({}) }
}

/// The operation of this name with these options.
///
/// # Errors
/// [`EngineError::Invalid`] for the field `operation`, `types` or `options`.
pub(crate) fn checked(
    operations: &Operations,
    name: &str,
    options: &ScheduleOptions,
) -> Result<OperationKind, EngineError> {
    let kind = known(operations, name).ok_or_else(|| {
        let names: Vec<String> = schedulable(operations).into_iter().map(|(kind, _)| kind.to_string()).collect();
        EngineError::invalid("operation", format!("must be one that needs no person: {}", names.join(", ")))
    })?;
    let (sync, capture) =
        (is(InventorySync::KIND, kind.resource, kind.action), is(CapturePolicies::KIND, kind.resource, kind.action));
    if !sync && (options.capture || options.drift || options.selection.is_some()) {
        return Err(EngineError::invalid("options", "can name a selection and what follows only for a sync"));
    }
    if !capture && (options.changed || !options.types.is_empty()) {
        return Err(EngineError::invalid("options", "can name types and changes of policies only for a capture"));
    }
    if options.probe && !is(CheckTenant::KIND, kind.resource, kind.action) {
        return Err(EngineError::invalid("options", "can ask for first pages only in a check of the connection"));
    }
    if let Some(selection) = &options.selection {
        let unknown = selection.policy_types.iter().find(|key| registry().get(key).is_none());
        if let Some(unknown) = unknown {
            return Err(EngineError::invalid(
                "types",
                format!("must be keys of policy types, and {unknown:?} is none"),
            ));
        }
        selection.resolve()?;
    }
    if let Some(unknown) = options.types.iter().find(|key| registry().get(key).is_none()) {
        return Err(EngineError::invalid("types", format!("must be keys of policy types, and {unknown:?} is none")));
    }
    Ok(kind)
}

/// What a run of a tenant is to carry now, and what is to follow it.
///
/// # Errors
/// When the options name nothing any more that this version knows, and when the database fails.
pub(crate) async fn ready(
    core: &Core,
    tenant: TenantId,
    (resource, action): (&str, &str),
    options: &ScheduleOptions,
) -> Result<Ready, EngineError> {
    if is(InventorySync::KIND, resource, action) {
        return ready_sync(core, tenant, options).await;
    }
    if is(CapturePolicies::KIND, resource, action) {
        let known = inventory::known_types(&core.reader, tenant).await?;
        let payload = planned(&CaptureOf::Types(options.types.clone()), options.changed, &known)?;
        return Ok(Ready { payload: value(&payload)?, follow_ups: Vec::new() });
    }
    let operations = core.runner.operations();
    let kind = known(operations, &format!("{resource}.{action}"));
    let kind = kind
        .ok_or_else(|| EngineError::Conflict("this version of the program does not know the operation".to_owned()))?;
    Ok(Ready { payload: simple(kind, options), follow_ups: Vec::new() })
}

async fn ready_sync(core: &Core, tenant: TenantId, options: &ScheduleOptions) -> Result<Ready, EngineError> {
    let everything = || Selection::full(registry());
    let resolved = options.selection.clone().unwrap_or_else(everything).resolve()?;
    let payload = SyncPayload::new(&resolved);
    let types = resolved.plan.iter().map(|policy_type| policy_type.key.to_owned()).collect();
    // What the tenant wants after each sync, and what the schedule wants after its own.
    let after = tenants::get(&core.reader, tenant).await?.map(|tenant| tenant.after_sync);
    let wanted = |of: fn(&AfterSync) -> bool| after.as_ref().is_some_and(of);
    let scope = scopes::find(&core.reader, tenant, &payload.selection_hash).await?;
    let mut follow_ups = Vec::new();
    if wanted(|after| after.capture) || options.capture {
        let capture = CapturePayload { types, changed: true, ..CapturePayload::default() };
        follow_ups.push(follow_up::<CapturePolicies>(&capture)?);
    }
    // The first run of a selection has nothing to be compared with.
    if (wanted(|after| after.drift) || options.drift) && scope.is_some_and(|scope| scope.latest.is_some()) {
        let drift = DriftPayload { selection_hash: Some(payload.selection_hash.clone()), baseline: None };
        follow_ups.push(follow_up::<GenerateDrift>(&drift)?);
    }
    if wanted(|after| after.audit_events) {
        follow_ups.push(follow_up::<ReadAuditEvents>(&AuditReadPayload::default())?);
    }
    Ok(Ready { payload: value(&payload)?, follow_ups })
}

fn value<T: Serialize>(payload: &T) -> Result<Value, EngineError> {
    serde_json::to_value(payload).map_err(|error| EngineError::Internal(error.to_string()))
}
