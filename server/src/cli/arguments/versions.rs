//! `tenantatlas versions`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `versions …`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct VersionsArguments {
    /// The policy whose versions are listed
    #[command(flatten)]
    pub policy: Option<PolicyArguments>,
    /// What else to do with a version
    #[command(subcommand)]
    pub command: Option<VersionsCommand>,
}

/// Which policy.
#[derive(Args, Debug)]
pub struct PolicyArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// The type of the policy (a key of `tenantatlas types`)
    #[arg(long = "type", value_name = "KEY")]
    pub policy_type: String,
    /// The id that Microsoft gave the policy
    #[arg(long, value_name = "ID")]
    pub id: String,
}

/// `versions …`
#[derive(Subcommand, Debug)]
pub enum VersionsCommand {
    /// Show the body of a version. In place of credentials stands a mark
    Show {
        /// The policy
        #[command(flatten)]
        policy: PolicyArguments,
        /// The number of the version; the latest when left out
        #[arg(long, value_name = "N")]
        number: Option<u64>,
        /// With scripts and payloads; the audit log tells of it
        #[arg(long)]
        scripts: bool,
    },
    /// Tell what differs between two versions, setting by setting
    Diff {
        /// The policy
        #[command(flatten)]
        policy: PolicyArguments,
        /// The number of the older version; the one before the newer when left out
        #[arg(long, value_name = "A")]
        from: Option<u64>,
        /// The number of the newer version; the latest when left out
        #[arg(long, value_name = "B")]
        to: Option<u64>,
        /// With scripts and payloads; the audit log tells of it
        #[arg(long)]
        scripts: bool,
    },
    /// Read the names of settings from Microsoft, through the connection of a tenant; they are kept for all tenants
    Names {
        /// Name, id or Entra tenant id
        #[arg(long)]
        tenant: String,
    },
    /// Write the body of a version as JSON, to standard output or into a new file
    Export {
        /// The policy
        #[command(flatten)]
        policy: PolicyArguments,
        /// The number of the version; the latest when left out
        #[arg(long, value_name = "N")]
        number: Option<u64>,
        /// With scripts and payloads; the audit log tells of it
        #[arg(long)]
        scripts: bool,
        /// The file; it must not be there yet
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}
