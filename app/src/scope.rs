//! What a request may see: the session, the tenant of its address, and the role in it. The server puts them into the
//! context of pages and server functions; whoever needs them asks here.

use std::net::IpAddr;
use std::sync::Arc;

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::live::Snapshot;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_engine::Engine;
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::saved_views::{self, SavedView};
use tenantatlas_store::tenants::Tenant;
use tenantatlas_store::user_preferences::UserPreferences;
use tokio::sync::OnceCell;

use crate::address::{self, TenantAddress};
use crate::error::{AppError, ErrorKind};
use crate::session::current::CurrentSession;

/// The tenant that the address names (`/t/{tenant}/…`), which exists for this person, and their role in it.
#[derive(Debug, Clone)]
pub struct TenantScope {
    /// The tenant.
    pub tenant: Tenant,
    /// The person's role in it.
    pub role: Role,
}

/// Where a request comes from, as far as that can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The client's address: what a trusted proxy says, or the peer of the connection.
    pub address: IpAddr,
    /// Whether it comes from this machine, by its own name and without a word of a proxy. A proxy here that adds nothing and
    /// asks by the name of this machine looks the same: no right follows from it.
    pub local: bool,
    /// Whether the browser itself says besides that its page came over http from this machine. Only then cookies are set
    /// without `Secure`.
    pub plain: bool,
    /// Whether it came over https, as a trusted proxy says. TLS is never spoken here.
    pub secure: bool,
}

/// The id of the request, which its lines in the log carry too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The colours of this browser: `light`, `dark` or empty for the system's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theme(pub String);

/// Everything a page or a server function of a tenant begins with.
#[derive(Clone)]
pub struct Inside {
    /// The engine.
    pub engine: Engine,
    /// Who asks.
    pub session: CurrentSession,
    /// The tenant of the address.
    pub tenant: Tenant,
    /// The person's role in it.
    pub role: Role,
    asked: Arc<Asked>,
}

/// What several parts of a page ask, each asked once for a request.
#[derive(Default)]
struct Asked {
    kept: OnceCell<Kept>,
    live: OnceCell<Live>,
}

/// What a person keeps for themselves.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What they chose, in every tenant.
    pub preferences: UserPreferences,
    /// The views of the inventory that they saved in this tenant, by name.
    pub saved_views: Vec<SavedView>,
}

/// What is live for whoever looks at a tenant.
pub struct Live {
    /// The active runs of the tenant, and of the person elsewhere.
    pub runs: Vec<OperationRun>,
    /// The same as live events tell it.
    pub snapshot: Snapshot,
}

impl Inside {
    /// A request of somebody in a tenant.
    #[must_use]
    pub fn new(engine: Engine, session: CurrentSession, TenantScope { tenant, role }: TenantScope) -> Self {
        Self { engine, session, tenant, role, asked: Arc::default() }
    }

    /// What the person keeps for themselves, read once for a request: the frame of a page and its content both ask.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kept(&self) -> Result<&Kept, AppError> {
        let read = || async {
            let saved_views = saved_views::list(self.engine.reader(), self.session.user_id, self.id()).await?;
            Ok(Kept { preferences: self.session.preferences.clone(), saved_views })
        };
        self.asked.kept.get_or_try_init(read).await
    }

    /// What is live in the tenant and what the person started elsewhere, read once for a request: the frame of a page tells
    /// of one's own runs, its content of those of others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live(&self) -> Result<&Live, AppError> {
        let read = || async {
            let (runs, snapshot) = self.engine.runs().active_seen(Some(self.id()), self.session.user_id).await?;
            Ok(Live { runs, snapshot })
        };
        self.asked.live.get_or_try_init(read).await
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.tenant.id
    }

    /// Where it lies.
    #[must_use]
    pub fn address(&self) -> TenantAddress {
        address::tenant(self.tenant.id)
    }

    /// Refuses what the role does not allow.
    ///
    /// # Errors
    /// Forbidden.
    pub fn allow(&self, action: Action) -> Result<(), AppError> {
        if self.role.allows(action) { Ok(()) } else { Err(AppError::forbidden()) }
    }
}

/// The engine of this process.
///
/// # Errors
/// When the server did not provide it, which is a fault.
pub fn engine() -> Result<Engine, AppError> {
    use_context::<Engine>()
        .ok_or_else(|| AppError::new(ErrorKind::Internal, "Something went wrong inside TenantAtlas."))
}

/// The signed-in person.
///
/// # Errors
/// When nobody is signed in.
pub fn session() -> Result<CurrentSession, AppError> {
    use_context::<CurrentSession>().ok_or_else(AppError::signed_out)
}

/// The signed-in person, who must administer the platform.
///
/// # Errors
/// Signed out, or forbidden.
pub fn administrator() -> Result<CurrentSession, AppError> {
    let session = session()?;
    if session.platform_admin { Ok(session) } else { Err(AppError::administrators_only()) }
}

/// The tenant of the address, for pages.
///
/// # Errors
/// Signed out; not found when the address names none that exists for this person.
pub fn inside() -> Result<Inside, AppError> {
    let session = session()?;
    let scope = use_context::<TenantScope>().ok_or_else(|| AppError::not_found("The tenant"))?;
    Ok(Inside::new(engine()?, session, scope))
}

/// The tenant of the address, for what needs a right in it.
///
/// # Errors
/// Those of [`inside`]; forbidden when the role does not allow the action.
pub fn acting(action: Action) -> Result<Inside, AppError> {
    let inside = inside()?;
    inside.allow(action)?;
    Ok(inside)
}
