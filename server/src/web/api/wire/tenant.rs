//! Tokens and tenants.

use serde::Serialize;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::AuthenticatedToken;
use tenantatlas_store::tenants::Tenant as StoredTenant;
use utoipa::ToSchema;

use super::time::time;

/// The token with which is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// The most that it allows: readonly, operator, manager or owner.
    pub role: String,
    /// The e-mail of the person whose token it is; null for that of a tenant.
    pub user: Option<String>,
    /// When it ends.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

impl From<&AuthenticatedToken> for Token {
    fn from(AuthenticatedToken(token): &AuthenticatedToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            role: token.role.as_str().to_owned(),
            user: token.owner_email.clone(),
            expires_at: time(token.expires_at),
        }
    }
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tenant {
    /// Our id.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the token allows in it.
    pub role: String,
    /// The directory id in Microsoft Entra.
    pub entra_tenant_id: String,
    /// The Microsoft cloud.
    pub cloud: String,
    /// prod, dev, staging or other.
    pub environment: String,
    /// How the last check of its connection went.
    pub connection_status: String,
    /// Why it did not go well.
    pub connection_reason_code: Option<String>,
    /// When it was checked.
    #[schema(format = DateTime)]
    pub connection_checked_at: Option<String>,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl Tenant {
    /// A tenant with what a token allows in it.
    pub fn of(tenant: &StoredTenant, role: Role) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            role: role.as_str().to_owned(),
            entra_tenant_id: tenant.entra_tenant_id.clone(),
            cloud: tenant.cloud.as_str().to_owned(),
            environment: tenant.environment.as_str().to_owned(),
            connection_status: tenant.connection_status.as_str().to_owned(),
            connection_reason_code: tenant.connection_reason.map(|reason| reason.as_str().to_owned()),
            connection_checked_at: tenant.connection_checked_at.map(time),
            created_at: time(tenant.created_at),
        }
    }
}

/// Tenants.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tenants {
    /// Those that exist for the token, by name.
    pub items: Vec<Tenant>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}
