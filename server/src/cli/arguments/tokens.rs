//! `token …`

use clap::{Args, Subcommand};

/// `token …`
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Make a token; it is printed once and never shown again
    Create(TokenCreateArguments),
    /// The tokens, newest first, without their secrets
    List {
        /// Only those of this person (e-mail)
        #[arg(long, value_name = "E-MAIL", conflicts_with = "tenant")]
        user: Option<String>,
        /// Only those of this tenant: name, id or Entra tenant id
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Take a token back for good
    Revoke {
        /// The id of the token
        token: String,
    },
}

/// `token create`
#[derive(Args, Debug)]
pub struct TokenCreateArguments {
    /// What it is called, such as Nightly export
    #[arg(long)]
    pub name: String,
    /// The most that it allows: readonly, operator, manager or owner; never above that of its person
    #[arg(long)]
    pub role: String,
    /// The person whose token it is (e-mail); it allows what they may do, and ends with their account. Without it the token is that
    /// of the one tenant
    #[arg(long, value_name = "E-MAIL", required_unless_present = "tenants")]
    pub user: Option<String>,
    /// With --user: only for this tenant, can be repeated; without: the tenant whose token it is
    #[arg(long = "tenant", value_name = "TENANT")]
    pub tenants: Vec<String>,
    /// In how many days it ends, 1 to 366
    #[arg(long, value_name = "N", default_value_t = 90)]
    pub days: u16,
}
