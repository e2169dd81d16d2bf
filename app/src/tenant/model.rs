//! Tenants as a person sees them.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::TenantId;

/// What a tenant is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Production.
    Prod,
    /// Development.
    Dev,
    /// Staging.
    Staging,
    /// Anything else.
    #[default]
    Other,
}

impl Environment {
    /// Every environment, in the order of forms.
    pub const ALL: [Self; 4] = [Self::Prod, Self::Staging, Self::Dev, Self::Other];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prod => "prod",
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Other => "other",
        }
    }

    /// The word on the badge.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Prod => "Production",
            Self::Dev => "Development",
            Self::Staging => "Staging",
            Self::Other => "Other",
        }
    }

    /// The tone of the badge.
    #[must_use]
    pub const fn tone(self) -> &'static str {
        match self {
            Self::Prod => "bad",
            Self::Staging => "warn",
            Self::Dev => "info",
            Self::Other => "idle",
        }
    }
}

/// A tenant in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantEntry {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What it is used for.
    pub environment: Environment,
    /// Whether the person marked it.
    pub favourite: bool,
}
