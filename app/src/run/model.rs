//! The live state of an operation run, as the event stream carries it.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::operation::{Counters, OperationStatus};
use tenantatlas_domain::reason::ReasonCode;

/// The newest state of one operation run. The engine's state of the same name, as far as the browser needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The run.
    pub id: String,
    /// Who started it; nobody for the system and the command line.
    #[serde(default)]
    pub user_id: Option<String>,
    /// What it works on, `inventory`.
    pub resource: String,
    /// What it does, `sync`.
    pub action: String,
    /// The stored status.
    pub status: OperationStatus,
    /// The counters over its items.
    pub counters: Counters,
    /// Objects seen so far within its items.
    #[serde(default)]
    pub items: u64,
    /// What is being worked on now.
    #[serde(default)]
    pub current: Vec<CurrentItem>,
    /// Whether somebody asked to cancel it.
    #[serde(default)]
    pub cancel_requested: bool,
    /// Why it ended as it did, when that is one reason.
    #[serde(default)]
    pub reason_code: Option<ReasonCode>,
    /// When it was dispatched, milliseconds since 1970 in UTC.
    pub created_at: i64,
    /// When work began.
    #[serde(default)]
    pub started_at: Option<i64>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<i64>,
}

/// One item of a run that is being worked on now (for an inventory sync: one policy type).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentItem {
    /// The item's stable id (the policy type key).
    pub key: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
    /// Objects seen in it so far.
    #[serde(default)]
    pub items: u64,
}

/// What a connection of the event stream gets first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The active runs of the tenant.
    pub runs: Vec<RunState>,
    /// Unread notifications of the person in the tenant.
    pub unread: u32,
    /// The clock of the server.
    pub now: i64,
}

/// The number of unread notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadCount {
    /// How many.
    pub count: u32,
}

impl RunState {
    /// `Inventory sync`.
    #[must_use]
    pub fn label(&self) -> String {
        operation_label(&self.resource, &self.action)
    }

    /// `12 / 64 types · 3,481 items`, and before the first event what it waits for.
    #[must_use]
    pub fn progress(&self) -> String {
        let unit = if self.resource == "inventory" { "types" } else { "steps" };
        let mut text = format!("{} / {} {unit}", self.counters.processed, self.counters.total);
        if self.items > 0 {
            text.push_str(" · ");
            text.push_str(&crate::format::counted(self.items, "item", "items"));
        }
        text
    }

    /// Whether it has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.status.is_terminal()
    }
}

impl CurrentItem {
    /// The name for people; made from the key where the stream carries none.
    #[must_use]
    pub fn name(&self) -> String {
        if self.label.is_empty() { humanise(&self.key) } else { self.label.clone() }
    }
}

/// The words for an operation: `Inventory sync`.
#[must_use]
pub fn operation_label(resource: &str, action: &str) -> String {
    let mut text = humanise(resource);
    text.push(' ');
    text.push_str(&action.replace('_', " "));
    text
}

/// Words from a key, which is ASCII: `deviceHealthScript` and `device_health_script` become `Device health script`.
#[must_use]
pub fn humanise(key: &str) -> String {
    let mut text = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if text.is_empty() {
            text.push(character.to_ascii_uppercase());
        } else if character == '_' || character == '.' {
            text.push(' ');
        } else if character.is_ascii_uppercase() {
            text.push(' ');
            text.push(character.to_ascii_lowercase());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::humanise;

    #[test]
    fn keys_become_words() {
        assert_eq!(humanise("deviceHealthScript"), "Device health script");
        assert_eq!(humanise("inventory_sync"), "Inventory sync");
        assert_eq!(humanise(""), "");
    }
}
