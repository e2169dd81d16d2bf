//! The groups in which a person chooses types.

use serde::{Deserialize, Serialize};

/// What a type is about; the groups in which a person chooses types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Device configuration.
    Configuration,
    /// Endpoint security and baselines.
    EndpointSecurity,
    /// Compliance.
    Compliance,
    /// Updates of operating systems and drivers.
    Updates,
    /// Scripts and remediations.
    Scripts,
    /// Enrolment of devices.
    Enrolment,
    /// Apps, their configuration and protection.
    Apps,
    /// Tenant administration, connectors and roles.
    Administration,
    /// Windows 365.
    CloudPc,
    /// Microsoft Entra.
    Entra,
}

impl Category {
    /// Every category, in the order in which they are shown.
    pub const ALL: &'static [Self] = &[
        Self::Configuration,
        Self::EndpointSecurity,
        Self::Compliance,
        Self::Updates,
        Self::Scripts,
        Self::Enrolment,
        Self::Apps,
        Self::Administration,
        Self::CloudPc,
        Self::Entra,
    ];

    /// The stable name, used in selections, addresses and the database.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::EndpointSecurity => "endpoint_security",
            Self::Compliance => "compliance",
            Self::Updates => "updates",
            Self::Scripts => "scripts",
            Self::Enrolment => "enrolment",
            Self::Apps => "apps",
            Self::Administration => "administration",
            Self::CloudPc => "cloud_pc",
            Self::Entra => "entra",
        }
    }

    /// The stable name, as for every other stored enumeration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.slug()
    }

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::EndpointSecurity => "Endpoint security",
            Self::Compliance => "Compliance",
            Self::Updates => "Updates",
            Self::Scripts => "Scripts",
            Self::Enrolment => "Enrollment",
            Self::Apps => "Apps",
            Self::Administration => "Administration",
            Self::CloudPc => "Windows 365",
            Self::Entra => "Entra",
        }
    }
}

crate::names::named!(Category, UnknownCategory, "category of policy types");
