//! Who was refused what, in the audit log (OWASP ASVS 4.0.3, requirements 7.1.3 and 7.2.2): every answer 403, whoever
//! made it, and every address of a tenant that exists, but not for the person who asks.
//!
//! Written beside the answer, not before it: how long an answer takes must not tell that the tenant exists. The engine
//! gathers what comes again and again.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;
use tenantatlas_app::error::ErrorKind;
use tenantatlas_app::session::current::CurrentSession;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{Actor, AuditEvent};
use tenantatlas_store::audit::Outcome;
use tower_http::csrf::ProtectionError;

use super::State;
use super::declared::{Declared, Kind};

/// In the extensions of an answer: the refusal it stands for, where its status does not say so. The form of a server
/// function without script is answered with a redirect whatever came of it.
#[derive(Debug, Clone, Copy)]
pub struct RefusedAs(pub ErrorKind);

/// What was asked for, as the audit log names it: never an address, which may hold a token.
#[derive(Debug, Clone)]
pub struct Asked {
    method: Method,
    kind: &'static str,
    name: String,
    tenant: Option<TenantId>,
}

impl Asked {
    /// Of a request. `tenant` is the one of its address, when it exists.
    pub fn of(request: &Request, declared: &Declared, tenant: Option<TenantId>) -> Self {
        let kind = match declared.kind {
            Kind::Function => "function",
            Kind::Page | Kind::Data => "page",
        };
        Self { method: request.method().clone(), kind, name: declared.name.to_string(), tenant }
    }
}

/// Notes an answer that refuses. `foreign` says that the tenant of the address exists, but not for this person.
pub fn note(
    state: &State,
    session: Option<&CurrentSession>,
    address: Option<IpAddr>,
    asked: Asked,
    foreign: bool,
    response: &Response,
) {
    let stands_for = |status: StatusCode, kind: ErrorKind| {
        response.status() == status || response.extensions().get().is_some_and(|RefusedAs(refused)| *refused == kind)
    };
    let reason = if response.extensions().get::<ProtectionError>().is_some() {
        "cross_origin"
    } else if stands_for(StatusCode::FORBIDDEN, ErrorKind::Forbidden) {
        "not_allowed"
    } else if foreign && stands_for(StatusCode::NOT_FOUND, ErrorKind::NotFound) {
        "not_a_member"
    } else {
        return;
    };
    let actor = session.map_or_else(|| Actor::anonymous().from_address(address), CurrentSession::actor);
    let Asked { method, kind, name, tenant } = asked;
    let event = AuditEvent {
        action: AuditAction::AccessRefused,
        tenant,
        resource_type: kind,
        resource_id: name,
        outcome: Outcome::Denied,
        facts: json!({ "method": method.as_str(), "reason": reason }),
    };
    let engine = state.engine.clone();
    state.background.spawn(async move {
        // A refusal that cannot be written is logged by the engine.
        let _ = engine.record_event(&actor, event).await;
    });
}
