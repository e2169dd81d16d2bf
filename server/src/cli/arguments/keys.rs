//! `database …` and `key …`

use clap::{Args, Subcommand};

/// `database …`
#[derive(Subcommand, Debug)]
pub enum DatabaseCommand {
    /// Say whether a database can be trusted, such as one that was restored: its version, its files, that everything sealed
    /// opens with the key file, its audit log. Nothing is written; exit code 1 when something is wrong
    Check,
}

/// `key …`
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// Make a new root key and seal everything anew with it, while other processes run; goes on where it was stopped
    Rotate(KeyRotateArguments),
}

/// `key rotate`
#[derive(Args, Debug)]
pub struct KeyRotateArguments {
    /// Only make the new key and write it into the key file, to copy that to the other machines of this database before the
    /// new key is used
    #[arg(long)]
    pub prepare: bool,
}
