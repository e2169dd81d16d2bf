//! Tenants and their connections.

use super::go_to;
use crate::address;
use crate::error::AppError;
use crate::model::{Environment, TenantEntry};
use crate::scope::{self, Inside};
use secrecy::SecretString;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_engine::EngineError;
use tenantatlas_store::tenants::{self, Cloud, TenantCredential, TenantDetails, VisibleTenant};
use tenantatlas_store::{permissions, tenants::Environment as StoredEnvironment};

/// The connection as the form sends it.
#[derive(Debug, Clone)]
pub struct ConnectionForm {
    /// The name for people.
    pub name: String,
    /// `prod`, `staging`, `dev` or `other`.
    pub environment: String,
    /// Which Microsoft cloud.
    pub cloud: String,
    /// Where to ask for tokens, for a cloud of one's own.
    pub login_url: String,
    /// Where Graph answers, for a cloud of one's own.
    pub graph_url: String,
    /// The id of the tenant in Microsoft Entra.
    pub entra_id: String,
    /// The id of the app registration.
    pub client_id: String,
}

/// The credential as the form sends it. It has no `Debug`: it must not reach a log.
pub struct CredentialForm {
    /// `secret` or `certificate`.
    pub kind: String,
    /// The client secret.
    pub secret: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub private_key: String,
}

impl ConnectionForm {
    fn details(self) -> Result<TenantDetails, AppError> {
        let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let cloud: Cloud = self.cloud.parse().map_err(|_| AppError::invalid("cloud", "Choose one of the clouds."))?;
        let environment: StoredEnvironment = self
            .environment
            .parse()
            .map_err(|_| AppError::invalid("environment", "Choose one of the environments."))?;
        let custom = cloud == Cloud::Custom;
        Ok(TenantDetails {
            name: self.name.trim().to_owned(),
            entra_tenant_id: self.entra_id.trim().to_owned(),
            cloud,
            login_url: filled(self.login_url).filter(|_| custom),
            graph_url: filled(self.graph_url).filter(|_| custom),
            environment,
            client_id: self.client_id.trim().to_owned(),
        })
    }
}

impl CredentialForm {
    fn credential(self) -> Result<TenantCredential, AppError> {
        match self.kind.as_str() {
            "secret" if self.secret.trim().is_empty() => {
                Err(AppError::invalid("secret", "Enter the value of the client secret."))
            }
            "secret" => Ok(TenantCredential::ClientSecret(SecretString::from(self.secret.trim().to_owned()))),
            "certificate" if self.certificate.trim().is_empty() => {
                Err(AppError::invalid("certificate", "Paste the certificate in PEM form."))
            }
            "certificate" if self.private_key.trim().is_empty() => {
                Err(AppError::invalid("private_key", "Paste the private key of the certificate in PEM form (PKCS #8)."))
            }
            "certificate" => Ok(TenantCredential::Certificate {
                certificate_pem: self.certificate,
                private_key_pem: SecretString::from(self.private_key),
            }),
            _ => Err(AppError::invalid("credential_kind", "Choose a client secret or a certificate.")),
        }
    }
}

/// The engine's refusal with the field as the form names it.
fn as_in_form(error: EngineError) -> AppError {
    let mut refusal = AppError::from(error);
    let name = match refusal.field.as_deref() {
        Some("client_secret") => "secret",
        Some("entra_tenant_id") => "entra_id",
        _ => return refusal,
    };
    refusal.field = Some(name.to_owned());
    refusal
}

/// A tenant in the switcher.
#[must_use]
pub fn entry(visible: &VisibleTenant) -> TenantEntry {
    TenantEntry {
        id: visible.tenant.id,
        name: visible.tenant.name.clone(),
        environment: environment(visible.tenant.environment),
        favourite: visible.favourite,
    }
}

/// The environment as screens know it.
#[must_use]
pub fn environment(stored: StoredEnvironment) -> Environment {
    Environment::ALL.into_iter().find(|one| one.as_str() == stored.as_str()).unwrap_or_default()
}

/// The tenants of this person, favourites first.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn my_tenants() -> Result<Vec<TenantEntry>, AppError> {
    let session = scope::session()?;
    let visible = tenants::list_visible(scope::engine()?.db(), session.user_id).await?;
    Ok(visible.iter().map(entry).collect())
}

/// Adds a tenant.
///
/// # Errors
/// Forbidden to all but platform administrators; a value that is not acceptable.
pub async fn add(connection: ConnectionForm, credential: CredentialForm) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let (details, credential) = (connection.details()?, credential.credential()?);
    let id = scope::engine()?.add_tenant(&session.actor(), &details, &credential).await.map_err(as_in_form)?;
    go_to(&address::tenant(id).settings(), Some("tenant"));
    Ok(())
}

/// Changes the connection.
///
/// # Errors
/// Forbidden below manager; a value that is not acceptable.
pub async fn edit(connection: ConnectionForm) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    let details = connection.details()?;
    let cleared =
        inside.engine.update_tenant(&inside.session.actor(), inside.id(), &details).await.map_err(as_in_form)?;
    go_to(&inside.address().settings(), Some(if cleared { "elsewhere" } else { "connection" }));
    Ok(())
}

/// Puts a new credential in the place of the old one.
///
/// # Errors
/// Forbidden below manager; a credential that cannot be read.
pub async fn rotate(credential: CredentialForm) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    let credential = credential.credential()?;
    inside.engine.rotate_credential(&inside.session.actor(), inside.id(), &credential).await.map_err(as_in_form)?;
    go_to(&inside.address().settings(), Some("credential"));
    Ok(())
}

/// Asks Microsoft for a token and compares permissions; what was found is kept and shown by the settings page.
///
/// # Errors
/// Forbidden below manager; when the database fails. A connection that Microsoft refuses is a finding, not an error.
pub async fn test_connection() -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    inside.engine.check_tenant(&inside.session.actor(), inside.id()).await?;
    go_to(&inside.address().settings(), Some("tested"));
    Ok(())
}

/// Removes a tenant with all its data.
///
/// # Errors
/// Forbidden to all but platform administrators; the typed name does not fit.
pub async fn remove(confirmation: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    scope::administrator()?;
    inside.engine.remove_tenant(&inside.session.actor(), inside.id(), &confirmation).await?;
    go_to(address::HOME, Some("removed"));
    Ok(())
}

/// A permission that the last connection test found missing.
#[derive(Debug, Clone)]
pub struct MissingPermission {
    /// Its name at Microsoft Graph.
    pub permission: String,
    /// The labels of the types that need it.
    pub types: Vec<&'static str>,
}

/// What the last connection test found missing, and when it looked at how many permissions.
///
/// # Errors
/// When the database fails.
pub async fn missing_permissions(inside: &Inside) -> Result<(Vec<MissingPermission>, usize), AppError> {
    let known = permissions::list(inside.engine.db(), inside.id()).await?;
    let checked = known.len();
    let missing = known
        .into_iter()
        .filter(|permission| !permission.granted)
        .map(|permission| MissingPermission {
            types: permission.required_by.iter().filter_map(|key| registry().get(key)).map(|one| one.label).collect(),
            permission: permission.permission,
        })
        .collect();
    Ok((missing, checked))
}
