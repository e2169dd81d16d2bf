//! What can be set about the engine, with defaults that suit one machine.

use std::time::Duration;

use tenantatlas_runs::RunnerConfig;

use crate::inventory_sync::SyncConfig;
use crate::session_policy::SessionPolicy;

/// Settings of an engine. Every limit is a bound, not a target.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// How runs are dispatched and worked on.
    pub runs: RunnerConfig,
    /// How tenants are read.
    pub sync: SyncConfig,
    /// How long sessions of the web application last, and who needs a second factor.
    pub sessions: SessionPolicy,
    /// How often is looked for schedules that are due. Zero, as by default: this process starts none.
    pub schedule_interval: Duration,
}
