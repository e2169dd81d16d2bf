//! Who may reach what. Every page, server function and other address is declared together with its [`Rule`]: pages in
//! `routes.rs`, functions by `rule!` beside the function, other addresses in the server's router. The server refuses by
//! these rules before anything answers, and the test of all addresses reads the same ones. A rule only keeps requests
//! out: what somebody may change, the engine decides in the transaction that changes it.

use tenantatlas_domain::role::Action;
#[cfg(feature = "ssr")]
use {crate::error::AppError, crate::scope::TenantScope, crate::session::current::CurrentSession};

/// Who may reach an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Everybody, signed in or not.
    Public,
    /// Everybody who is signed in.
    SignedIn,
    /// Those who administer the platform.
    Administrator,
    /// Members of the tenant of the address, with a role that allows the action.
    Member(Action),
    /// Those who administer the platform, in the tenant of the address.
    AdministratorInside,
}

impl Rule {
    /// Whether it can be kept below the address of a tenant alone.
    #[must_use]
    pub const fn inside(self) -> bool {
        matches!(self, Self::Member(_) | Self::AdministratorInside)
    }

    /// Lets a request by or refuses it. A tenant that is not the person's does not exist for them, so that comes first.
    ///
    /// # Errors
    /// Signed out; not found without a tenant; forbidden.
    #[cfg(feature = "ssr")]
    pub fn check(self, session: Option<&CurrentSession>, scope: Option<&TenantScope>) -> Result<(), AppError> {
        if self == Self::Public {
            return Ok(());
        }
        let session = session.ok_or_else(AppError::signed_out)?;
        if self.inside() && scope.is_none() {
            return Err(AppError::not_found("The tenant"));
        }
        match self {
            Self::Administrator | Self::AdministratorInside if !session.platform_admin => {
                Err(AppError::administrators_only())
            }
            Self::Member(action) if !scope.is_some_and(|scope| scope.role.allows(action)) => Err(AppError::forbidden()),
            _ => Ok(()),
        }
    }
}

/// A server function with its rule.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its path, as it is without a tenant.
    pub path: &'static str,
    /// Who may call it.
    pub rule: Rule,
}

#[cfg(feature = "ssr")]
::inventory::collect!(Function);

/// Every server function that has a rule. One that has none cannot be reached.
#[cfg(feature = "ssr")]
pub fn functions() -> impl Iterator<Item = &'static Function> {
    ::inventory::iter::<Function>()
}

/// In the context of a page: why the person may not see it.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone)]
pub struct Refused(pub AppError);

/// Declares who may call a server function: `rule!(CancelRun, Rule::Member(Action::CancelRun))`. The browser has no use
/// for it.
#[cfg(feature = "ssr")]
macro_rules! rule {
    ($function:ty, $rule:expr) => {
        ::inventory::submit! {
            $crate::access::Function { path: <$function as leptos::server_fn::ServerFn>::PATH, rule: $rule }
        }
    };
}

#[cfg(not(feature = "ssr"))]
macro_rules! rule {
    ($function:ty, $rule:expr) => {};
}
