//! Dispatching a capture.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tenantatlas_commands::{Actor, AuditEntry};
use tenantatlas_domain::audit::RunEvent;
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::registry::registry;
use tenantatlas_runs::Operation as _;
use tenantatlas_store::inventory;

use super::{CapturePayload, CapturePolicies};
use crate::engine::Engine;
use crate::error::EngineError;

/// Objects that can be picked for one capture, at most.
const MOST_PICKED: usize = 1_000;

/// What is to be captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureOf {
    /// All that the inventory knows of these types, by key; of every type when empty.
    Types(Vec<String>),
    /// These objects, each by the key of its type and the id Microsoft gave it.
    Items(Vec<(String, String)>),
}

/// What became of the dispatch of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaptureOutcome {
    /// The run: the new one, or the one that does the same already.
    pub run_id: OperationRunId,
    /// Whether the same work was active already, so that nothing was created.
    pub already_running: bool,
    /// The state of the run as dispatched.
    pub state: RunState,
}

impl Engine {
    /// Dispatches a capture: the bodies of objects are read, and a version is kept of each that has changed since its latest.
    /// With `changed` only those are read that the inventory has found changed since they were read last. Returns at once; a
    /// worker does the rest.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::Invalid`] when a type is
    /// unknown, nothing is picked, or too much is, [`EngineError::TooMany`] when too much is
    /// waiting already, [`EngineError::Stopping`], or when the database fails. Nothing is dispatched then.
    pub async fn dispatch_capture(
        &self,
        actor: &Actor,
        tenant: TenantId,
        what: &CaptureOf,
        changed: bool,
    ) -> Result<CaptureOutcome, EngineError> {
        let kind = CapturePolicies::KIND;
        let entry = AuditEntry::new(RunEvent::Dispatched.of(kind.resource, kind.action), "tenant", tenant).of(tenant);
        let ready = async {
            self.authorise(actor, tenant, CapturePolicies::PERMISSION).await?;
            let known = inventory::known_types(self.reader(), tenant).await?;
            planned(what, changed, &known)
        };
        let payload = self.core.commands.before(actor, &entry, ready).await?;
        let dispatched = self.runs().dispatch::<CapturePolicies>(actor, tenant, &payload, Vec::new()).await?;
        Ok(CaptureOutcome {
            run_id: dispatched.state.id,
            already_running: dispatched.already_running,
            state: dispatched.state,
        })
    }
}

/// What a run is to carry. Of types of which the inventory holds nothing there is nothing to read: `known` are the others.
pub(crate) fn planned(what: &CaptureOf, changed: bool, known: &[String]) -> Result<CapturePayload, EngineError> {
    let (wanted, items) = match what {
        CaptureOf::Types(types) => (types.iter().cloned().collect::<BTreeSet<_>>(), None),
        CaptureOf::Items(items) if items.is_empty() => {
            return Err(EngineError::invalid("items", "must name at least one item to capture"));
        }
        CaptureOf::Items(items) if items.len() > MOST_PICKED => {
            return Err(EngineError::invalid("items", format!("can be {MOST_PICKED} at most for one capture")));
        }
        CaptureOf::Items(items) => {
            let mut picked: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (key, id) in items.iter().collect::<BTreeSet<_>>() {
                picked.entry(key.clone()).or_default().push(id.clone());
            }
            (picked.keys().cloned().collect(), Some(picked))
        }
    };
    if let Some(unknown) = wanted.iter().find(|key| registry().get(key).is_none()) {
        return Err(EngineError::invalid("types", format!("must be keys of policy types, and {unknown:?} is none")));
    }
    let chosen = registry().all().iter().map(|policy_type| policy_type.key);
    let chosen: Vec<&str> = chosen.filter(|key| wanted.is_empty() || wanted.contains(*key)).collect();
    let is_known = |key: &&str| known.iter().any(|known| known == key);
    let mut types: Vec<String> = chosen.iter().copied().filter(is_known).map(str::to_owned).collect();
    if types.is_empty() {
        // A run that finds nothing says so.
        types = chosen.into_iter().map(str::to_owned).collect();
    }
    let items = items.map(|mut items| {
        items.retain(|key, _| types.contains(key));
        items
    });
    Ok(CapturePayload { types, items, changed, continues: None })
}
