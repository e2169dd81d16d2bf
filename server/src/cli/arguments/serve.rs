//! What can be typed about processes that serve pages and work on runs.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use secrecy::SecretString;
use tenantatlas_engine::{EngineConfig, RunnerConfig};

use crate::open;

/// How often is looked for schedules that are due.
const SCHEDULE_INTERVAL: Duration = Duration::from_secs(10);
/// Seconds that a lease may last: so short that a write of a busy database comes in between, so long that nobody waits for ever.
const LEASES: std::ops::RangeInclusive<u64> = 2..=120;
/// Runs that one process may work on at a time.
const RUNS: std::ops::RangeInclusive<u64> = 1..=64;
const RUNS_OF_OPERATION: std::ops::RangeInclusive<u64> = 2..=4_096;

/// `serve`
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// Simulated cloud in the same process, three demo tenants, one demo user per role; kept apart from real data,
    /// so it goes neither with --database-url nor with --key-file
    #[arg(long)]
    pub demo: bool,
    /// With --demo: how many objects the largest demo tenant has
    #[arg(long, value_name = "N", default_value_t = 1_200, requires = "demo")]
    pub demo_objects: u64,
    /// With --demo: nothing happens in the simulated cloud by itself. Else one of its tenants moves on during the first start, so that
    /// there are findings to look at
    #[arg(long, requires = "demo")]
    pub demo_still: bool,
    /// With --demo: the password of its people, printed at the start [default: demo-password on a loopback address, a new one
    /// at each start elsewhere]. Better by the environment, since other people of the machine see command lines
    #[arg(long, env = "TENANTATLAS_DEMO_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub demo_password: Option<SecretString>,
    /// Serve pages only: other processes on the same database work on runs, start what is scheduled and tidy up. --workers and
    /// --lease say nothing then; --runs-of-operation does, since this process too ends runs that wait too long for a place
    #[arg(long, conflicts_with = "demo")]
    pub no_work: bool,
    /// How it works on runs
    #[command(flatten)]
    pub work: WorkArguments,
}

/// `worker`
#[derive(Args, Debug)]
pub struct WorkerArguments {
    /// How it works on runs
    #[command(flatten)]
    pub work: WorkArguments,
}

/// How a process works on runs.
#[derive(Args, Debug, Clone, Default)]
pub struct WorkArguments {
    /// How many runs this process works on at a time, 1 to 64 [default: 12]
    #[arg(long, env = "TENANTATLAS_WORKERS", value_name = "N", value_parser = within(RUNS))]
    pub workers: Option<u64>,
    /// After how many seconds without a sign of life another process takes its runs over, 2 to 120 [default: 30]
    #[arg(long, env = "TENANTATLAS_LEASE", value_name = "SECONDS", value_parser = within(LEASES))]
    pub lease: Option<u64>,
    /// How many runs of one operation are worked on at a time over all processes together, 2 to 4096; the same in every process
    /// [default: 48 syncs, 8 of each other operation]
    #[arg(long, env = "TENANTATLAS_RUNS_OF_OPERATION", value_name = "N", value_parser = within(RUNS_OF_OPERATION))]
    pub runs_of_operation: Option<u64>,
}

fn within(range: std::ops::RangeInclusive<u64>) -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(range)
}

impl ServeArguments {
    /// An engine that does what a process that serves pages is to do beside it.
    pub fn config(&self) -> EngineConfig {
        if self.no_work { self.work.config_without_work() } else { self.work.config() }
    }
}

impl WorkArguments {
    /// An engine that works on nothing. It ends runs that wait too long while others have all places, and so has to know how many
    /// places there are.
    fn config_without_work(&self) -> EngineConfig {
        let mut config = open::without_workers();
        config.runs.runs_of_operation = self.config().runs.runs_of_operation;
        config
    }

    /// An engine that works on runs, starts what is scheduled and tidies up.
    pub fn config(&self) -> EngineConfig {
        let mut runs = RunnerConfig::default();
        if let Some(lease) = self.lease {
            runs = runs.with_lease(Duration::from_secs(lease));
        }
        if let Some(workers) = self.workers {
            runs.workers = usize::try_from(workers).unwrap_or(runs.workers);
        }
        runs.runs_of_operation = self.runs_of_operation.and_then(|runs| u32::try_from(runs).ok());
        EngineConfig { runs, schedule_interval: SCHEDULE_INTERVAL, ..EngineConfig::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(seconds: Option<u64>) -> RunnerConfig {
        WorkArguments { lease: seconds, ..WorkArguments::default() }.config().runs
    }

    #[test]
    fn no_process_takes_the_lease_that_another_may_give_for_one_of_a_clock_that_was_set_back() {
        let longest = Duration::from_secs(*LEASES.end());
        for seconds in [None, Some(*LEASES.start()), Some(*LEASES.end())] {
            assert!(lease(seconds).longest_lease() > longest, "{seconds:?}");
        }
    }

    #[test]
    fn a_process_that_only_serves_pages_ends_no_run_for_which_others_have_a_place() {
        let work = WorkArguments { runs_of_operation: Some(96), workers: Some(3), lease: Some(60) };
        let (idle, working) = (work.config_without_work(), work.config());
        assert_eq!((idle.runs.runs_of_operation, working.runs.runs_of_operation), (Some(96), Some(96)));
        assert_eq!((idle.runs.workers, working.runs.workers), (0, 3));
        assert!(idle.schedule_interval.is_zero(), "nor does it start what is scheduled");
        assert_eq!(WorkArguments::default().config_without_work().runs.runs_of_operation, None);
    }

    #[test]
    fn what_is_not_set_stays_as_it_is() {
        let (usual, asked) = (RunnerConfig::default(), lease(Some(30)));
        assert_eq!((asked.lease, asked.sweep_interval), (usual.lease, usual.sweep_interval));
        assert_eq!(lease(None).lease, usual.lease);
        assert_eq!(lease(Some(2)).sweep_interval, Duration::from_secs(2) / 6);
    }
}
