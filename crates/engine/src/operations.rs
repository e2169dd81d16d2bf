//! The list of long operations. A new one is a module of its own and a line here.

use std::sync::Arc;

use tenantatlas_commands::Commands;
use tenantatlas_domain::live::RunWords;
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::{Operations, words_of, words_of_unknown};
use tenantatlas_store::operation_runs::OperationRun;

use crate::audit_reading::ReadAuditEvents;
use crate::config::EngineConfig;
use crate::drift::GenerateDrift;
use crate::inventory_sync::InventorySync;
use crate::policy_capture::CapturePolicies;
use crate::retention::PruneTenant;
use crate::setting_catalog::RefreshSettingCatalog;
use crate::tenant_check::CheckTenant;

/// The names of all of them, for whoever reads the database without an engine.
pub const OPERATION_NAMES: [&str; 7] = [
    "inventory.sync",
    "policies.capture",
    "drift.generate",
    "audit_events.read",
    "setting_catalog.refresh",
    "tenants.check",
    "retention.prune",
];

/// Every long operation of the product.
pub(crate) fn all(config: &EngineConfig, commands: &Commands, graph: GraphClient) -> Operations {
    let (db, vault) = (commands.db.clone(), commands.vault.clone());
    let clock = || Arc::clone(&commands.clock);
    Operations::default()
        .with(ReadAuditEvents::new(db.clone(), vault.clone(), graph.clone()))
        .with(CapturePolicies::new(db.clone(), vault.clone(), graph.clone(), clock()))
        .with(InventorySync::new(db, vault, graph.clone(), clock(), config.sync.clone()))
        .with(RefreshSettingCatalog::new(commands.vault.clone(), graph.clone()))
        .with(CheckTenant::new(commands.vault.clone(), graph))
        .with(GenerateDrift)
        .with(PruneTenant)
}

/// The words for a run, with its name, for whoever reads the database without an engine, as the command line does.
#[must_use]
pub fn run_words(run: &OperationRun) -> RunWords {
    let all = [
        words_of::<InventorySync>,
        words_of::<CapturePolicies>,
        words_of::<GenerateDrift>,
        words_of::<ReadAuditEvents>,
        words_of::<RefreshSettingCatalog>,
        words_of::<CheckTenant>,
        words_of::<PruneTenant>,
    ];
    let known = all.into_iter().find_map(|words| words(run));
    known.unwrap_or_else(|| words_of_unknown(&run.resource, &run.action))
}
