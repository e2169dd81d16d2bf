//! What pages and server functions find in their context.

use axum::extract::Request;
use leptos::context::provide_context;
use leptos::nonce::Nonce;
use tenantatlas_app::access::Refused;
use tenantatlas_app::scope::{RequestId, TenantScope, Theme};
use tenantatlas_app::session::current::CurrentSession;

use super::{State, request_id};

/// Provides the engine and what is known of the audit log, and of the request its id, session, tenant, theme and nonce, and why it is refused, if it is.
pub fn provide(state: &State, request: &Request) -> impl Fn() + Clone + Send + Sync + 'static {
    let extensions = request.extensions();
    let engine = state.engine.clone();
    let verification = state.verification.clone();
    let nonce = extensions.get::<Nonce>().cloned();
    let theme = extensions.get::<Theme>().cloned().unwrap_or_default();
    let session = extensions.get::<CurrentSession>().cloned();
    let scope = extensions.get::<TenantScope>().cloned();
    let refused = extensions.get::<Refused>().cloned();
    let id = extensions.get::<request_id::RequestId>().map(|id| RequestId(id.own.to_string()));
    move || {
        provide_context(engine.clone());
        provide_context(verification.clone());
        provide_context(theme.clone());
        if let Some(id) = id.clone() {
            provide_context(id);
        }
        if let Some(nonce) = nonce.clone() {
            provide_context(nonce);
        }
        if let Some(refused) = refused.clone() {
            provide_context(refused);
        }
        if let Some(session) = session.clone() {
            provide_context(session);
        }
        if let Some(scope) = scope.clone() {
            provide_context(scope);
        }
    }
}
