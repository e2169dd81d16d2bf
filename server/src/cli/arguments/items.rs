//! The arguments of `items`.

use clap::{Args, Subcommand, ValueEnum};
use tenantatlas_domain::since::Since;

use super::PolicyArguments;

/// `items …`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ItemsArguments {
    /// Which items are listed
    #[command(flatten)]
    pub list: Option<ItemListArguments>,
    /// What else to tell of items
    #[command(subcommand)]
    pub command: Option<ItemsCommand>,
}

/// `items …`
#[derive(Subcommand, Debug)]
pub enum ItemsCommand {
    /// One item with its relations: what it refers to, what refers to it, and what stands on it through others
    Show(PolicyArguments),
}

/// `items` without a command.
#[derive(Args, Debug)]
pub struct ItemListArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// Only this type (a key of `tenantatlas types`)
    #[arg(long = "type", value_name = "KEY")]
    pub policy_type: Option<String>,
    /// Only items in this state, relative to the latest completed run
    #[arg(long, value_enum)]
    pub state: Option<StateArgument>,
    /// Only items found new or changed since then: 7d, 2026-11-20, an RFC 3339 time, or run- and the id of a sync run. What the
    /// first read of a type found does not count
    #[arg(long, value_name = "TIME")]
    pub changed_since: Option<Since>,
    /// Only items that are assigned to this group: its id or its exact name, all-users, all-devices, or nobody. Only what is
    /// assigned directly, whatever groups it is a member of; what excludes the group is told apart from it
    #[arg(long, value_name = "GROUP|all-users|all-devices|nobody")]
    pub assigned_to: Option<String>,
    /// Only items in which every one of these words stands: in the name, the id, the name of the type or of a group
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// At most so many; all when left out
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// The states of `items --state`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateArgument {
    /// Seen in the latest completed run
    Present,
    /// Its type was read to the end and it was not there
    Missing,
    /// Its type was not read completely, so whether it is there is unknown
    #[value(name = "not_read")]
    NotRead,
}
