//! What the palette finds.

use serde::{Deserialize, Serialize};

/// Somewhere to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaletteEntry {
    /// What kind of thing it is: `Tenant`, `Type`, `Group`, `Item`, `Page`, `Action`, `View`.
    pub kind: String,
    /// Its name.
    pub label: String,
    /// What tells it from others of that name; may be empty.
    pub detail: String,
    /// Where it leads.
    pub href: String,
}
