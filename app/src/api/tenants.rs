//! Tenants and their connections.
#![expect(clippy::too_many_arguments, reason = "the arguments of a server function are the fields of its form")]

use crate::error::AppError;
use crate::model::TenantEntry;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

/// The tenants of this person, favourites first.
#[server(prefix = "/api", endpoint = "my_tenants", input = Json)]
pub async fn my_tenants() -> Result<Vec<TenantEntry>, AppError> {
    crate::service::tenants::my_tenants().await
}

/// Adds a tenant. Platform administrators only.
#[server(prefix = "/api", endpoint = "add_tenant")]
pub async fn add_tenant(
    name: String,
    environment: String,
    cloud: String,
    #[server(default)] login_url: String,
    #[server(default)] graph_url: String,
    entra_id: String,
    client_id: String,
    credential_kind: String,
    #[server(default)] secret: String,
    #[server(default)] certificate: String,
    #[server(default)] private_key: String,
) -> Result<(), AppError> {
    use crate::service::tenants::{ConnectionForm, CredentialForm, add};
    let connection = ConnectionForm { name, environment, cloud, login_url, graph_url, entra_id, client_id };
    add(connection, CredentialForm { kind: credential_kind, secret, certificate, private_key }).await
}

/// Changes the name and the connection of a tenant, not its credential.
#[server(prefix = "/api", endpoint = "edit_connection")]
pub async fn edit_connection(
    name: String,
    environment: String,
    cloud: String,
    #[server(default)] login_url: String,
    #[server(default)] graph_url: String,
    entra_id: String,
    client_id: String,
) -> Result<(), AppError> {
    use crate::service::tenants::{ConnectionForm, edit};
    edit(ConnectionForm { name, environment, cloud, login_url, graph_url, entra_id, client_id }).await
}

/// Puts a new secret or certificate in the place of the old one.
#[server(prefix = "/api", endpoint = "rotate_credential")]
pub async fn rotate_credential(
    credential_kind: String,
    #[server(default)] secret: String,
    #[server(default)] certificate: String,
    #[server(default)] private_key: String,
) -> Result<(), AppError> {
    use crate::service::tenants::{CredentialForm, rotate};
    rotate(CredentialForm { kind: credential_kind, secret, certificate, private_key }).await
}

/// Asks Microsoft for a token and compares the granted permissions with the needed ones.
#[server(prefix = "/api", endpoint = "test_connection")]
pub async fn test_connection() -> Result<(), AppError> {
    crate::service::tenants::test_connection().await
}

/// Removes a tenant with all its data. The name must be typed.
#[server(prefix = "/api", endpoint = "remove_tenant")]
pub async fn remove_tenant(confirmation: String) -> Result<(), AppError> {
    crate::service::tenants::remove(confirmation).await
}
