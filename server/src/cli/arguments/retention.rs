//! `retention …`

use clap::Subcommand;

/// `retention …`
#[derive(Subcommand, Debug)]
pub enum RetentionCommand {
    /// How long is kept what has ended
    Show,
    /// Say how long it is kept, in days; what is left out stays as it is
    Set {
        /// Runs, after their end, 1 to 3650
        #[arg(long, value_name = "DAYS")]
        runs: Option<u32>,
        /// Notifications, after they were written, 1 to 3650
        #[arg(long, value_name = "DAYS")]
        notifications: Option<u32>,
        /// Versions of policies but for the latest of each, after they were read, 1 to 3650
        #[arg(long, value_name = "DAYS")]
        versions: Option<u32>,
        /// Messages to endpoints, after they were written, 1 to 3650
        #[arg(long, value_name = "DAYS")]
        deliveries: Option<u32>,
    },
}
