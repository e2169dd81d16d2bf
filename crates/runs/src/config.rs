//! What can be set about the runner, with defaults that suit one machine.

use std::time::Duration;

/// Settings of a runner. Every limit is a bound, not a target.
#[derive(Debug, Clone)]
pub struct RunnerConfig {
    /// Runs this process works on at the same time. Zero makes a runner that dispatches and watches but does no work.
    pub workers: usize,
    /// Runs of one tenant that wait for a worker, at most; more are refused. So many different ones of one tenant are never
    /// wanted at once, and each is looked at by every claim and sent with every snapshot.
    pub waiting_per_tenant: u32,
    /// Runs that one person started and that wait for a worker, over all tenants, at most: enough to start one in hundreds
    /// of tenants at once.
    pub waiting_per_person: u32,
    /// How long a claim holds without renewal; it is renewed every third of that.
    pub lease: Duration,
    /// How often expired leases are looked for.
    pub sweep_interval: Duration,
    /// How often an idle worker looks for new runs when nothing woke it.
    pub poll_interval: Duration,
    /// Attempts a run gets in all before it ends `failed` with `worker_lost`.
    pub max_attempts: u32,
    /// How long a run waits for a free place among those of its tenant before it ends `aborted`.
    pub queue_wait: Duration,
    /// The same where runs of all tenants together have all places: hundreds of tenants that are read in one night take turns.
    pub turn_wait: Duration,
    /// Runs of one operation at the same time over all processes, in place of what each operation says. Operations of which one
    /// run works at a time stay so.
    pub runs_of_operation: Option<u32>,
    /// How long a graceful shutdown waits for workers before their leases are left to expire.
    pub shutdown_grace: Duration,
}

/// How long a claim holds where nothing else is set.
const USUAL_LEASE: Duration = Duration::from_secs(30);

impl RunnerConfig {
    /// No lease ends further ahead than this, those of processes with a longer setting included: one that does was given
    /// before a clock was set back, and is over.
    #[must_use]
    pub fn longest_lease(&self) -> Duration {
        self.lease.max(USUAL_LEASE).saturating_mul(10)
    }

    /// The same with leases of this length, and with sweeps that find an expired one within a sixth of it.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, sweep_interval: lease / 6, ..self }
    }
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self {
            workers: 12,
            waiting_per_tenant: 25,
            waiting_per_person: 500,
            lease: USUAL_LEASE,
            sweep_interval: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
            max_attempts: 3,
            queue_wait: Duration::from_secs(60),
            turn_wait: Duration::from_secs(12 * 3_600),
            runs_of_operation: None,
            shutdown_grace: Duration::from_secs(8),
        }
    }
}
