//! From a stored tenant to a connection of the Graph client.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{CloudEndpoints, Connection, Credential, EndpointError};
use tenantatlas_runs::{RunContext, Stop};
use tenantatlas_store::tenants::{self, Cloud, Tenant, TenantCredential};
use tenantatlas_store::{Db, StoreError, Vault, with_retries};
use url::Url;

use crate::error::EngineError;

/// The addresses of a tenant's cloud.
///
/// # Errors
/// [`EngineError::Invalid`] when the own addresses of a custom cloud are missing or unusable.
pub fn endpoints(
    cloud: Cloud,
    login_url: Option<&str>,
    graph_url: Option<&str>,
) -> Result<CloudEndpoints, EngineError> {
    if cloud != Cloud::Custom {
        if login_url.is_some() || graph_url.is_some() {
            return Err(EngineError::invalid("cloud", "must be custom when own login and Graph addresses are given"));
        }
        return Ok(match cloud {
            Cloud::UsgovL4 => CloudEndpoints::usgov_l4(),
            Cloud::UsgovDod => CloudEndpoints::usgov_dod(),
            Cloud::China => CloudEndpoints::china(),
            Cloud::Global | Cloud::Custom => CloudEndpoints::global(),
        });
    }
    let login = address("login_url", login_url)?;
    let graph = address("graph_url", graph_url)?;
    CloudEndpoints::custom(login, graph).map_err(|error| refused(&error))
}

/// A refused address, by the field in which it was entered.
fn refused(error: &EndpointError) -> EngineError {
    let (EndpointError::Scheme { which }
    | EndpointError::Host { which }
    | EndpointError::Plain { which }
    | EndpointError::Extra { which }) = error;
    let sentence = error.to_string();
    let rest = sentence.strip_prefix(&format!("the {which} address ")).unwrap_or(&sentence);
    EngineError::invalid(if *which == "login" { "login_url" } else { "graph_url" }, rest)
}

fn address(field: &'static str, text: Option<&str>) -> Result<Url, EngineError> {
    let text = text.ok_or_else(|| EngineError::invalid(field, "is needed when the cloud has custom endpoints"))?;
    Url::parse(text).map_err(|_| EngineError::invalid(field, "must be an address that starts with https:// or http://"))
}

/// A tenant and its connection, with the credential opened. Both come from one reading of the row: a credential that was
/// entered a moment ago for other addresses must not meet the addresses of before.
///
/// # Errors
/// [`EngineError::NotFound`], [`EngineError::Invalid`] when the tenant has no credential, [`EngineError::Store`] when it
/// cannot be opened.
pub(crate) async fn open(db: &Db, vault: &Vault, id: TenantId) -> Result<(Tenant, Connection), EngineError> {
    let (tenant, credential) =
        tenants::get_with_credential(db, vault, id).await?.ok_or(EngineError::NotFound("the tenant"))?;
    let credential = credential.ok_or_else(no_credential)?;
    let connection = Connection {
        endpoints: endpoints(tenant.cloud, tenant.login_url.as_deref(), tenant.graph_url.as_deref())?,
        tenant: tenant.entra_tenant_id.clone(),
        client_id: tenant.client_id.clone(),
        credential: match credential {
            TenantCredential::ClientSecret(secret) => Credential::ClientSecret(secret),
            TenantCredential::Certificate { certificate_pem, private_key_pem } => {
                Credential::Certificate { private_key_pem, certificate_pem }
            }
        },
    };
    Ok((tenant, connection))
}

/// The same for a run, which outlasts a short fault of the database.
///
/// # Errors
/// Why the run does not go on: [`ReasonCode::AuthFailed`] where there is no connection that could be used.
pub(crate) async fn open_for(run: &RunContext, vault: &Vault) -> Result<(Tenant, Connection), Stop> {
    let (db, tenant) = (run.db(), run.run().tenant_id);
    let opened = with_retries(StoreError::is_transient, || async {
        match open(db, vault, tenant).await {
            Err(EngineError::Store(error)) if error.is_transient() => Err(error),
            opened => Ok(opened),
        }
    });
    opened.await?.map_err(|error| Stop::failed(ReasonCode::AuthFailed, error.to_string()))
}

/// What is said where a tenant has no credential.
pub(crate) fn no_credential() -> EngineError {
    EngineError::invalid("credential", "has not been entered for this tenant")
}
