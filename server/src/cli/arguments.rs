//! What can be typed: the commands, their options and the help that teaches them.

mod drift;
mod items;
mod keys;
mod retention;
mod runs;
mod schedule;
mod serve;
mod settings;
mod tokens;
mod versions;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tenantatlas_domain::since::Since;

pub use drift::{DriftArguments, FindingsCommand, FindingsListArguments, StatusArgument};
pub use items::{ItemListArguments, ItemsArguments, ItemsCommand, StateArgument};
pub use keys::{DatabaseCommand, KeyCommand};
pub use retention::RetentionCommand;
pub use runs::{RunListArguments, RunsArguments, RunsCommand};
pub use schedule::{ScheduleAddArguments, ScheduleChangeArguments, ScheduleCommand};
pub use serve::{ServeArguments, WorkerArguments};
pub use settings::{SettingsCommand, SettingsSearchArguments};
pub use tokens::{TokenCommand, TokenCreateArguments};
pub use versions::{PolicyArguments, VersionsArguments, VersionsCommand};
pub use webhook::{WebhookAddArguments, WebhookCommand, WebhookReference};

use crate::exit::EXIT_CODES;
use crate::settings::SettingsOptions;

const FIRST_STEPS: &str = "First steps:
  tenantatlas serve --demo                      a simulated cloud with three tenants, on http://127.0.0.1:3000
  tenantatlas user add --email you@example.com --name You --platform-admin
  tenantatlas tenant add --name Contoso --entra-id GUID --client-id GUID --client-secret-file secret.txt
  tenantatlas tenant check Contoso              token, permissions and license; names what is missing
  tenantatlas sync --tenant Contoso             reads everything, with live progress
  tenantatlas items --tenant Contoso --state missing
";

/// TenantAtlas reads the configuration of Microsoft Intune and Entra tenants and keeps a true inventory of it.
#[derive(Parser, Debug)]
#[command(name = "tenantatlas", version, about, before_long_help = FIRST_STEPS, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Settings, each with an environment variable and a key in the TOML file
    #[command(flatten)]
    pub settings: SettingsOptions,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Which log lines go to standard error, such as info or tenantatlas_graph=debug
    #[arg(long, global = true, env = "TENANTATLAS_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Start the web application and the workers
    Serve(ServeArguments),
    /// Start workers alone, beside any number of other processes on the same database. With --listen they answer /healthz,
    /// /readyz and /metrics
    Worker(WorkerArguments),
    /// Bring the database to the version of this program; safe to run again
    Migrate,
    /// People who can sign in
    #[command(subcommand)]
    User(UserCommand),
    /// Tenants and their connection to Microsoft Graph
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Read a tenant now, with live progress; ends with a table per type
    Sync(SyncArguments),
    /// Read the whole body of policies that a sync has found, and keep a version of each that has changed
    Capture(CaptureArguments),
    /// Compare the latest run of a tenant with the one before it, and tell what drifted; exit code 2 when something new matters
    /// at least as much as --fail-on says
    Drift(DriftArguments),
    /// What drifted, and who accepted it
    #[command(subcommand)]
    Findings(FindingsCommand),
    /// The versions of a policy, newest first
    Versions(VersionsArguments),
    /// What policies set, over all tenants
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Read from the audit logs of Intune and Entra who changed what, since they were last read
    AuditEvents(AuditEventsArguments),
    /// What the inventory of a tenant holds
    #[command(visible_alias = "inventory")]
    Items(ItemsArguments),
    /// The policy types that can be read, with the permission each needs
    Types(TypesArguments),
    /// The operation runs, newest first; shown, cancelled, retried
    Runs(RunsArguments),
    /// Where news of a tenant are sent: webhooks, Teams, Slack, mail
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// How long is kept what has ended
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// What is started by the clock
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Tokens of the REST API, of people and of tenants
    #[command(subcommand)]
    Token(TokenCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Whether a database can be trusted, such as one that was restored
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// The root key, which seals what is secret
    #[command(subcommand)]
    Key(KeyCommand),
    /// Start the simulated Microsoft cloud alone
    GraphSim(GraphSimArguments),
}

impl Command {
    /// Whether it works on the records of the demo.
    pub fn is_demo(&self) -> bool {
        matches!(self, Self::Serve(serve) if serve.demo)
    }

    /// Whether it serves others until it is stopped.
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Worker(_) | Self::GraphSim(_))
    }
}

/// `user …`
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// Add a person; the password is asked for, or read from a file or standard input
    Add {
        /// E-mail address; signs in with it
        #[arg(long)]
        email: String,
        /// Name as others see it
        #[arg(long)]
        name: String,
        /// May manage all tenants and users
        #[arg(long)]
        platform_admin: bool,
        /// Gives a role in a tenant: TENANT=readonly|operator|manager|owner; can be repeated
        #[arg(long = "member", value_name = "TENANT=ROLE")]
        members: Vec<String>,
        /// The file whose first line is the password (- for standard input)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Set a person's password; ends all their sessions
    Passwd {
        /// E-mail address
        email: String,
        /// The file whose first line is the password (- for standard input)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Remove the second factor of a person who lost it; ends all their sessions
    ResetSecondFactor {
        /// E-mail address
        email: String,
    },
    /// List the people who can sign in
    List,
}

/// `tenant …`
#[derive(Subcommand, Debug)]
pub enum TenantCommand {
    /// Add a tenant with its application registration
    Add(TenantAddArguments),
    /// Make a certificate and its private key, as two new files for `tenant add`
    Certificate {
        /// Where the certificate is written, to be uploaded to the app registration
        #[arg(long, value_name = "FILE")]
        certificate_file: PathBuf,
        /// Where its private key is written, readable for you alone
        #[arg(long, value_name = "FILE")]
        private_key_file: PathBuf,
    },
    /// List the tenants
    List,
    /// Verify token, permissions and license; names each missing permission with the types that need it
    Check {
        /// Name, id or Entra tenant id
        tenant: String,
        /// Ask for the first page of each type as well
        #[arg(long)]
        types: bool,
    },
    /// Say what follows each sync of a tenant, or show it
    AfterSync {
        /// Name, id or Entra tenant id
        tenant: String,
        /// Compare it with the run before: true or false
        #[arg(long, value_name = "BOOL")]
        drift: Option<bool>,
        /// Keep versions of what is new or changed: true or false
        #[arg(long, value_name = "BOOL")]
        capture: Option<bool>,
        /// Read the audit logs of Microsoft: true or false
        #[arg(long, value_name = "BOOL")]
        audit_events: Option<bool>,
    },
}

/// `tenant add`
#[derive(Args, Debug)]
pub struct TenantAddArguments {
    /// A name for people
    #[arg(long)]
    pub name: String,
    /// The directory (tenant) id in Microsoft Entra
    #[arg(long, value_name = "GUID")]
    pub entra_id: String,
    /// The application (client) id of the app registration
    #[arg(long, value_name = "GUID")]
    pub client_id: String,
    /// The file whose first line is the client secret (- for standard input)
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "certificate_file",
        conflicts_with = "certificate_file"
    )]
    pub client_secret_file: Option<PathBuf>,
    /// Instead of a secret: a PEM file with the certificate; needs --private-key-file
    #[arg(long, value_name = "FILE", requires = "private_key_file")]
    pub certificate_file: Option<PathBuf>,
    /// The PEM file with the private key of the certificate
    #[arg(long, value_name = "FILE", requires = "certificate_file")]
    pub private_key_file: Option<PathBuf>,
    /// Which Microsoft cloud
    #[arg(long, value_enum, default_value_t = CloudArgument::Global)]
    pub cloud: CloudArgument,
    /// With --cloud custom: the address of the login service
    #[arg(long, value_name = "URL", required_if_eq("cloud", "custom"))]
    pub login_url: Option<String>,
    /// With --cloud custom: the address of Graph, without the version
    #[arg(long, value_name = "URL", required_if_eq("cloud", "custom"))]
    pub graph_url: Option<String>,
    /// A badge for people
    #[arg(long, value_enum, default_value_t = EnvironmentArgument::Prod)]
    pub environment: EnvironmentArgument,
}

/// The clouds of `tenant add`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudArgument {
    /// Microsoft 365 worldwide and GCC
    Global,
    /// US Government L4 (GCC High)
    #[value(name = "usgov_l4")]
    UsgovL4,
    /// US Government L5 (DoD)
    #[value(name = "usgov_dod")]
    UsgovDod,
    /// China, operated by 21Vianet
    China,
    /// Own login and Graph addresses, such as the simulated cloud
    Custom,
}

/// The environment badges of `tenant add`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvironmentArgument {
    /// Production
    Prod,
    /// Development
    Dev,
    /// Staging
    Staging,
    /// Anything else
    Other,
}

/// `sync`
#[derive(Args, Debug)]
pub struct SyncArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// Type keys separated by commas, or all (see `tenantatlas types`)
    #[arg(long, value_delimiter = ',', default_value = "all")]
    pub types: Vec<String>,
    /// Only the chosen types, without the foundation types (filters, scope tags, roles …)
    #[arg(long)]
    pub no_foundations: bool,
    /// Without the relations between objects and the names of groups
    #[arg(long)]
    pub no_dependencies: bool,
    /// Then capture what the sync found new or changed, when it has ended well
    #[arg(long)]
    pub capture: bool,
}

/// `capture`
#[derive(Args, Debug)]
pub struct CaptureArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// Type keys separated by commas, or all (see `tenantatlas types`)
    #[arg(long, value_delimiter = ',', default_value = "all")]
    pub types: Vec<String>,
    /// Only policies that a sync has found new or changed since they were last captured
    #[arg(long)]
    pub changed: bool,
}

/// `audit-events …`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct AuditEventsArguments {
    /// Name, id or Entra tenant id
    #[arg(long, required = true)]
    pub tenant: Option<String>,
    /// What else to do with events
    #[command(subcommand)]
    pub command: Option<AuditEventsCommand>,
}

/// `audit-events …`
#[derive(Subcommand, Debug)]
pub enum AuditEventsCommand {
    /// List the events that were read, newest first, and what is known of each log
    List(AuditEventsListArguments),
}

/// `audit-events list`
#[derive(Args, Debug)]
pub struct AuditEventsListArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// Only events that name this object: the id that Microsoft gave it
    #[arg(long, value_name = "ID")]
    pub object: Option<String>,
    /// Only events since then: 7d, 2026-11-20, an RFC 3339 time, or run- and the id of a sync run
    #[arg(long, value_name = "TIME")]
    pub since: Option<Since>,
    /// At most so many; no more than 1,000
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: u32,
}

/// `types`
#[derive(Args, Debug)]
pub struct TypesArguments {
    /// Only this category
    #[arg(long, value_name = "CATEGORY")]
    pub category: Option<String>,
    /// The permissions that the application of a tenant is asked to have, instead of the types
    #[arg(long, conflicts_with = "category")]
    pub permissions: bool,
}

/// `audit …`
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Verify the whole log: its chain of keyed hashes, the seal of its end, the triggers that protect it, and that it
    /// holds what this machine has seen of it; exit code 1 when something is not as it should be
    Verify(AuditVerifyArguments),
    /// Write the number and hash of the last entry down elsewhere, as one line of JSON: what was written down proves
    /// later that no entry was cut off or replaced. Exit code 1 when the end of the log is not in order
    Anchor {
        /// The file to append the line to, on another machine or medium; standard output when left out
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Seal the log as it stands under the present root key, after that took the place of another; the log tells of it. Once,
    /// with no other process running, before the next one starts
    Reseal(AuditResealArguments),
}

/// `audit reseal`
#[derive(Args, Debug)]
pub struct AuditResealArguments {
    /// The key file that was replaced: the log is verified with it first, and not sealed when something is wrong
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "without_former_key",
        conflicts_with = "without_former_key"
    )]
    pub former_key: Option<PathBuf>,
    /// The key file that was replaced is lost, or entries were written since: take the log as it is, unverified
    #[arg(long)]
    pub without_former_key: bool,
}

/// `audit verify`
#[derive(Args, Debug, Default)]
pub struct AuditVerifyArguments {
    /// Also check that the log holds every entry that `audit anchor` wrote into this file
    #[arg(long, value_name = "FILE", conflicts_with = "accept_restored")]
    pub anchor: Option<PathBuf>,
    /// Take the log as it is for the one that this machine has seen, after a backup was restored on purpose; the log
    /// tells of it. A log that is not intact in itself is not accepted
    #[arg(long)]
    pub accept_restored: bool,
}

/// `graph-sim`
#[derive(Args, Debug)]
pub struct GraphSimArguments {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8400")]
    pub address: SocketAddr,
    /// How many objects the simulated tenant has
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub objects: u64,
    /// About how many of them are assigned to one and the same group
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub large_group: u64,
    /// The same seed gives the same tenant
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Milliseconds every answer is delayed
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Throttle as documented: 1,000 requests in 20 seconds
    #[arg(long)]
    pub throttle: bool,
    /// Speak TLS with a certificate authority of its own, and be a proxy for the hosts of Microsoft on the same port:
    /// with HTTPS_PROXY, and the authority to trust, clients of others reach this cloud unchanged
    #[arg(long)]
    pub tls: bool,
    /// Where the certificate of that authority is written
    #[arg(long, value_name = "FILE", default_value = "tenantatlas-graph-sim-ca.pem", requires = "tls")]
    pub authority_file: PathBuf,
    /// Let other machines use the page at the root and the controls too; without it only this machine may
    #[arg(long)]
    pub open_control: bool,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
