//! How long sessions of the web application last, and who needs a second factor.

use std::str::FromStr;
use std::time::Duration;

use tenantatlas_store::users::User;

/// The rules of sessions. The defaults are those of OWASP ASVS 4.0.3, requirement 3.3.2, level 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// A session ends after so long without a request. A page that is left open makes none that counts.
    pub idle: Duration,
    /// A session ends after so long in any case.
    pub lifetime: Duration,
    /// Who cannot sign in without a second factor.
    pub require_second_factor: RequireSecondFactor,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            lifetime: Duration::from_secs(12 * 3_600),
            require_second_factor: RequireSecondFactor::default(),
        }
    }
}

/// Who cannot sign in without a second factor. Everybody may have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequireSecondFactor {
    /// Nobody has to have one.
    #[default]
    None,
    /// Those who administer the platform.
    Administrators,
    /// Everybody.
    Everyone,
}

impl RequireSecondFactor {
    /// Whether this person has to have one.
    #[must_use]
    pub const fn applies_to(self, user: &User) -> bool {
        match self {
            Self::None => false,
            Self::Administrators => user.platform_admin,
            Self::Everyone => true,
        }
    }
}

/// The name is none of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected none, administrators or everyone")]
pub struct UnknownRule;

impl FromStr for RequireSecondFactor {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        match text {
            "none" => Ok(Self::None),
            "administrators" => Ok(Self::Administrators),
            "everyone" => Ok(Self::Everyone),
            _ => Err(UnknownRule),
        }
    }
}
