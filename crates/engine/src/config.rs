//! What can be set about the engine, with defaults that suit one machine.

use std::time::Duration;

use ipnet::IpNet;
use tenantatlas_net::{Authorities, Proxies};
use tenantatlas_runs::RunnerConfig;
use url::Url;

use crate::endpoints::MailConfig;
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
    /// How others are told of what happens.
    pub outgoing: OutgoingConfig,
}

/// How messages to endpoints leave this machine.
#[derive(Debug, Clone, Default)]
pub struct OutgoingConfig {
    /// Networks that may be asked although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// By which proxy.
    pub proxies: Proxies,
    /// Authorities that are trusted besides those of the system.
    pub authorities: Authorities,
    /// Where people find this site, for links in messages. Without it there are none.
    pub public_url: Option<Url>,
    /// Which mail server sends; without one no endpoint can be one of mail.
    pub mail: Option<MailConfig>,
}
