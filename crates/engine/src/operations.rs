//! The list of long operations. A new one is a module of its own and a line here.

use std::sync::Arc;

use tenantatlas_commands::Commands;
use tenantatlas_graph::GraphClient;
use tenantatlas_runs::Operations;

use crate::config::EngineConfig;
use crate::inventory_sync::InventorySync;
use crate::tenant_check::CheckTenant;

/// Every long operation of the product.
pub(crate) fn all(config: &EngineConfig, commands: &Commands, graph: GraphClient) -> Operations {
    let (db, vault) = (commands.db.clone(), commands.vault.clone());
    Operations::default()
        .with(InventorySync::new(db, vault, graph.clone(), Arc::clone(&commands.clock), config.sync.clone()))
        .with(CheckTenant::new(commands.vault.clone(), graph))
}
