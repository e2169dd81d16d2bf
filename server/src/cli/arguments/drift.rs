//! The arguments of `drift` and `findings`.

use clap::{Args, Subcommand, ValueEnum};
use tenantatlas_domain::drift::Severity;
use tenantatlas_domain::ids::SyncRunId;

/// `drift`
#[derive(Args, Debug)]
pub struct DriftArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// The sync run to compare with; the completed run before the latest when left out
    #[arg(long, value_name = "RUN", value_parser = sync_run)]
    pub baseline: Option<SyncRunId>,
    /// Compare with that run from now on, also after each sync
    #[arg(long, requires = "baseline")]
    pub pin: bool,
    /// Compare with the completed run before the latest again, also after each sync
    #[arg(long, conflicts_with_all = ["baseline", "pin"])]
    pub unpin: bool,
    /// End with exit code 2 when a new finding matters at least so much: low, medium, high or critical
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
}

/// `findings …`
#[derive(Subcommand, Debug)]
pub enum FindingsCommand {
    /// List findings, the most severe first
    List(FindingsListArguments),
    /// Accept what findings show now, with a reason. Another value makes them new again
    Accept {
        /// Name, id or Entra tenant id
        #[arg(long)]
        tenant: String,
        /// Why this is all right
        #[arg(long)]
        reason: String,
        /// When the acceptance ends: 2027-01-31, or an RFC 3339 time; never when left out
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// How many findings these are; needed for more than 100
        #[arg(long, value_name = "N")]
        confirm: Option<usize>,
        /// The findings, by id or fingerprint
        #[arg(required = true, value_name = "FINDING")]
        findings: Vec<String>,
    },
    /// Say how much a change of a type matters in a tenant, also of what was found already
    Severity {
        /// Name, id or Entra tenant id
        #[arg(long)]
        tenant: String,
        /// The type (a key of `tenantatlas types`)
        #[arg(long = "type", value_name = "KEY")]
        policy_type: String,
        /// low, medium, high or critical; usual for what it is by itself
        #[arg(long, value_name = "SEVERITY")]
        severity: String,
    },
    /// Take acceptances back: the findings are new again
    Reopen {
        /// Name, id or Entra tenant id
        #[arg(long)]
        tenant: String,
        /// The findings, by id or fingerprint
        #[arg(required = true, value_name = "FINDING")]
        findings: Vec<String>,
    },
}

/// `findings list`
#[derive(Args, Debug)]
pub struct FindingsListArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// Which of them
    #[arg(long, value_enum, default_value_t = StatusArgument::Open)]
    pub status: StatusArgument,
    /// Only those that matter at least so much: low, medium, high or critical
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<Severity>,
    /// Only those of this type (a key of `tenantatlas types`)
    #[arg(long = "type", value_name = "KEY")]
    pub policy_type: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}

/// The id of a sync run, as the runs of a tenant and the JSON of a sync tell it.
fn sync_run(text: &str) -> Result<SyncRunId, String> {
    text.parse().map_err(|_| {
        "expected the id of a sync run, as `run_id` of `tenantatlas sync --json` or the address of its page tells it".to_owned()
    })
}

/// The states of `findings list --status`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusArgument {
    /// New and acknowledged ones
    Open,
    /// Nobody has accepted what is there
    New,
    /// Somebody has accepted what is there
    Acknowledged,
    /// What drifted is as it was
    Resolved,
}
