//! The arguments of `settings`.

use clap::{Args, Subcommand};

const QUERIES: &str = "Queries:
  BitLocker                                     settings whose name, category or value has the word
  device_vendor_msft_bitlocker_allowwarning     a definition ID, or a part of one
  value:enabled setting:encryption              values by whole words, names by any part
  type:settingsCatalogPolicy tenant:Contoso     every setting of a type in a tenant
  \"exact name\"                                a text with blanks, or with a colon
All parts must hold; of several types or tenants one.";

/// `settings …`
#[derive(Subcommand, Debug)]
pub enum SettingsCommand {
    /// Which policies set something, to what, since when, and to whom they are assigned; of the latest version of each policy
    Search(SettingsSearchArguments),
}

/// `settings search`
#[derive(Args, Debug)]
#[command(after_help = QUERIES)]
pub struct SettingsSearchArguments {
    /// What is looked for: words, and the filters setting:, value:, type: and tenant:
    pub query: String,
    /// Only in this tenant: name, id or Entra tenant id; can be repeated
    #[arg(long = "tenant", value_name = "TENANT")]
    pub tenants: Vec<String>,
    /// At most so many settings
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Instead of policies: which values one setting has in which tenant, by the key that the search shows with --json
    #[arg(long, value_name = "KEY")]
    pub pivot: Option<String>,
}
