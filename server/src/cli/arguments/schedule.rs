//! `schedule …`

use clap::{Args, Subcommand};

/// `schedule …`
#[derive(Subcommand, Debug)]
pub enum ScheduleCommand {
    /// Let something be started by the clock, for one tenant or for several
    Add(Box<ScheduleAddArguments>),
    /// List the schedules with their next and last run
    List {
        /// Name, id or Entra tenant id; all tenants when left out
        #[arg(long)]
        tenant: Option<String>,
    },
    /// One schedule: its next five times, and what changes of the clocks do to them
    Show {
        /// The id of the schedule
        schedule: String,
    },
    /// Change what a schedule starts or when; what is not said stays, and a run that is under way goes on as it was started
    Change(Box<ScheduleChangeArguments>),
    /// Let a schedule start nothing until it is resumed
    Pause {
        /// The id of the schedule
        schedule: String,
    },
    /// Let a schedule go on that is paused or has stopped
    Resume {
        /// The id of the schedule
        schedule: String,
    },
    /// Remove a schedule; the runs that it started stay
    Remove {
        /// The id of the schedule
        schedule: String,
    },
}

/// `schedule add`
#[derive(Args, Debug)]
pub struct ScheduleAddArguments {
    /// Name, id or Entra tenant id; can be repeated, and each tenant then has a schedule of its own
    #[arg(long = "tenant", value_name = "TENANT", required = true)]
    pub tenants: Vec<String>,
    /// A name for people
    #[arg(long)]
    pub name: String,
    /// What is started, such as inventory.sync or policies.capture
    #[arg(long, value_name = "RESOURCE.ACTION", default_value = "inventory.sync")]
    pub operation: String,
    /// When: a pattern of cron with five fields, minute hour day month weekday
    #[arg(long, value_name = "PATTERN", required_unless_present = "at", conflicts_with = "at")]
    pub cron: Option<String>,
    /// Instead of a pattern: daily at this time, such as 02:30
    #[arg(long, value_name = "HH:MM")]
    pub at: Option<String>,
    /// With --at: only on these days, such as mon,thu
    #[arg(long, value_name = "DAYS", value_delimiter = ',', requires = "at")]
    pub on: Vec<String>,
    /// The time zone, such as Europe/Berlin
    #[arg(long, default_value = "UTC")]
    pub zone: String,
    /// Over how many minutes several tenants are spread; each always starts at the same one, 0 to 720
    #[arg(long, value_name = "MINUTES")]
    pub spread: Option<u32>,
    /// What a sync or a capture reads: type keys separated by commas; all without it
    #[arg(long, value_delimiter = ',')]
    pub types: Option<Vec<String>>,
    /// For a capture: only policies that a sync has found new or changed
    #[arg(long)]
    pub changed: bool,
    /// For a check of the connection: ask for the first page of each type as well
    #[arg(long)]
    pub probe: bool,
    /// After a sync that ended well, in this order: capture, drift
    #[arg(long, value_delimiter = ',')]
    pub then: Vec<String>,
}

/// `schedule change`
#[derive(Args, Debug)]
pub struct ScheduleChangeArguments {
    /// The id of the schedule
    pub schedule: String,
    /// A name for people
    #[arg(long)]
    pub name: Option<String>,
    /// What is started, such as inventory.sync or policies.capture; nothing stays then of what was chosen of the operation before
    #[arg(long, value_name = "RESOURCE.ACTION")]
    pub operation: Option<String>,
    /// When: a pattern of cron with five fields, minute hour day month weekday
    #[arg(long, value_name = "PATTERN", conflicts_with = "at")]
    pub cron: Option<String>,
    /// Instead of a pattern: daily at this time, such as 02:30
    #[arg(long, value_name = "HH:MM")]
    pub at: Option<String>,
    /// With --at: only on these days, such as mon,thu
    #[arg(long, value_name = "DAYS", value_delimiter = ',', requires = "at")]
    pub on: Vec<String>,
    /// The time zone, such as Europe/Berlin
    #[arg(long)]
    pub zone: Option<String>,
    /// What a sync or a capture reads: type keys separated by commas, or all
    #[arg(long, value_delimiter = ',')]
    pub types: Option<Vec<String>>,
    /// For a capture: whether only policies are read that a sync has found new or changed
    #[arg(long, value_name = "true|false")]
    pub changed: Option<bool>,
    /// For a check of the connection: whether the first page of each type is asked for as well
    #[arg(long, value_name = "true|false")]
    pub probe: Option<bool>,
    /// After a sync that ended well, in this order: capture, drift; or none
    #[arg(long, value_delimiter = ',')]
    pub then: Option<Vec<String>>,
}
