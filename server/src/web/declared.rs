//! What is declared of an address besides who answers it: who may reach it, and how a refusal is put.

use std::sync::Arc;

use axum::extract::{Request, State as Extract};
use axum::middleware::Next;
use axum::response::Response;
use tenantatlas_app::access::{Refused, Rule};
use tenantatlas_app::scope::TenantScope;
use tenantatlas_app::session::current::CurrentSession;

use super::answer::refuse;
use super::functions;

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page for people: who is not signed in is led to the sign-in page, who may not see it reads why.
    Page,
    /// A server function: refused as it would refuse itself.
    Function,
    /// What a page loads or saves: refused as JSON.
    Data,
}

/// An address as it is declared.
#[derive(Debug, Clone)]
pub struct Declared {
    /// What it is.
    pub kind: Kind,
    /// Who may reach it.
    pub rule: Rule,
    /// What logs and the audit log call it: the route of a page, the path of a function. Never an address.
    pub name: Arc<str>,
}

impl Declared {
    /// An address of this name.
    pub fn new(kind: Kind, rule: Rule, name: impl Into<Arc<str>>) -> Self {
        Self { kind, rule, name: name.into() }
    }
}

/// Refuses what the rule of the address does not allow, before anything answers.
pub async fn enforce(Extract(declared): Extract<Declared>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let allowed = declared.rule.check(extensions.get::<CurrentSession>(), extensions.get::<TenantScope>());
    let Err(error) = allowed else { return next.run(request).await };
    match declared.kind {
        Kind::Page => {
            request.extensions_mut().insert(Refused(error));
            next.run(request).await
        }
        Kind::Function => functions::refused(&declared.name, request.headers_mut(), error),
        Kind::Data => refuse(&error),
    }
}
