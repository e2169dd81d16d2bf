//! Who asks, and the tenant of an address, for handlers.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use tenantatlas_app::error::AppError;
use tenantatlas_app::scope::{Inside, TenantScope};
use tenantatlas_app::session::current::CurrentSession;

use super::State;
use super::answer::refuse;

/// Who asks, as it was found for the address. Behind a rule that needs a session it is always there.
pub struct SignedIn(pub CurrentSession);

impl FromRequestParts<State> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().map(Self).ok_or_else(|| refuse(&AppError::signed_out()))
    }
}

/// Who asks in which tenant, as it was found for the address. Behind a rule that needs a tenant it is always there.
pub struct InTenant(pub Inside);

impl FromRequestParts<State> for InTenant {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Self::Rejection> {
        let found =
            parts.extensions.get::<CurrentSession>().cloned().zip(parts.extensions.get::<TenantScope>().cloned());
        let Some((session, scope)) = found else {
            return Err(refuse(&AppError::not_found("The tenant")));
        };
        Ok(Self(Inside::new(state.engine.clone(), session, scope)))
    }
}
