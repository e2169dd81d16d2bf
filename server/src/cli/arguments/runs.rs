//! `runs …`

use clap::{Args, Subcommand};

/// `runs …`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RunsArguments {
    /// Which runs are listed
    #[command(flatten)]
    pub list: RunListArguments,
    /// What else to do with a run
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// Which runs.
#[derive(Args, Debug)]
pub struct RunListArguments {
    /// Name, id or Entra tenant id; all tenants when left out
    #[arg(long)]
    pub tenant: Option<String>,
    /// Only of this operation, such as inventory.sync
    #[arg(long, value_name = "RESOURCE.ACTION")]
    pub operation: Option<String>,
    /// Only in this state: queued, running, succeeded, partially_succeeded or failed
    #[arg(long)]
    pub state: Option<String>,
    /// Only those of which something was not done for this reason, such as graph_throttled
    #[arg(long, value_name = "CODE")]
    pub reason: Option<String>,
    /// Only by this person (e-mail or id), this schedule (schedule:NAME) or this token (token:NAME), each by its id as well; or by
    /// any person: person, any schedule: schedule, any token: token, or nobody who signs in: nobody
    #[arg(long, value_name = "WHO")]
    pub by: Option<String>,
    /// Only requested at this time or later: a date, or date and time as in RFC 3339
    #[arg(long)]
    pub from: Option<String>,
    /// Only requested before this time
    #[arg(long)]
    pub until: Option<String>,
    /// At most so many, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
}

/// `runs …`
#[derive(Subcommand, Debug)]
pub enum RunsCommand {
    /// One run: its state, its attempts, what did not succeed, and what follows it
    Show {
        /// The id of the run
        run: String,
    },
    /// Ask a run to stop; one that waits ends at once
    Cancel {
        /// The id of the run
        run: String,
        /// Why, for the audit log
        #[arg(long, default_value = "", hide_default_value = true)]
        why: String,
    },
    /// Start a run that has ended once more, and follow it to its end
    Retry {
        /// The id of the run
        run: String,
    },
    /// Start what failed of a run that has ended once more, and follow it to its end
    RetryFailed {
        /// The id of the run
        run: String,
    },
}
