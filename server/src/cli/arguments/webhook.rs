//! `webhook …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `webhook …`
#[derive(Subcommand, Debug)]
pub enum WebhookCommand {
    /// Add an endpoint to which news of a tenant are sent; its secret is shown once
    Add(WebhookAddArguments),
    /// List the endpoints of a tenant
    List {
        /// Name, id or Entra tenant id
        #[arg(long)]
        tenant: String,
    },
    /// Send a test message and tell how that went; exit code 1 when it did not arrive
    Test(WebhookReference),
    /// List what was sent to an endpoint, newest first, with every attempt
    Deliveries {
        /// Which endpoint
        #[command(flatten)]
        endpoint: WebhookReference,
        /// At most so many, 1 to 200
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Send a message once more, under the same id
    Replay {
        /// Name, id or Entra tenant id
        #[arg(long)]
        tenant: String,
        /// The id of the delivery, as `webhook deliveries` lists it
        delivery: String,
    },
    /// Replace the secret of an endpoint; the new one is shown once, and the one before it signs as well for a day
    Rotate(WebhookReference),
    /// Switch an endpoint on
    Enable(WebhookReference),
    /// Switch an endpoint off; what waits to be sent to it is given up
    Disable(WebhookReference),
    /// Remove an endpoint with what is known of its deliveries
    Remove(WebhookReference),
}

/// Which endpoint.
#[derive(Args, Debug)]
pub struct WebhookReference {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// The name or the id of the endpoint
    pub endpoint: String,
}

/// `webhook add`
#[derive(Args, Debug)]
pub struct WebhookAddArguments {
    /// Name, id or Entra tenant id
    #[arg(long)]
    pub tenant: String,
    /// What people call it
    #[arg(long)]
    pub name: String,
    /// What it understands: webhook (JSON with a signature), teams, slack, or mail where the settings name a mail server
    #[arg(long, default_value = "webhook")]
    pub kind: String,
    /// The file whose first line is the address (- for standard input): addresses of Teams and Slack hold a right, which other
    /// people of the machine would see on a command line
    #[arg(long, value_name = "FILE", required_unless_present = "address", conflicts_with = "address")]
    pub address_file: Option<PathBuf>,
    /// The address itself, where it holds no right; for mail the addresses, with commas between
    #[arg(long, value_name = "URL")]
    pub address: Option<String>,
    /// What is told, with commas between: run.ended, findings.new, permission.lost, schedule.overdue,
    /// schedule.stopped
    #[arg(long, value_delimiter = ',', default_value = "run.ended")]
    pub events: Vec<String>,
    /// Only ends of runs of these operations, such as inventory.sync, with commas between
    #[arg(long, value_delimiter = ',', value_name = "RESOURCE.ACTION")]
    pub operations: Vec<String>,
    /// Only ends of runs in these states, with commas between: succeeded, partially_succeeded, failed
    #[arg(long, value_delimiter = ',')]
    pub states: Vec<String>,
    /// With --kind mail: everything of a day at once, at 6:00 UTC
    #[arg(long)]
    pub digest: bool,
}
