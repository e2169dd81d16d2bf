//! The forms of a connection and of its credential: their fields, and what they send.

use super::model::Environment;
use crate::error::AppError;
use crate::ui::form::{field, options};
use leptos::prelude::*;
use secrecy::SecretString;
use tenantatlas_engine::EngineError;
use tenantatlas_store::tenants::{Cloud, Environment as StoredEnvironment, Tenant, TenantCredential, TenantDetails};

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
    /// Its parts, as far as they can be read.
    ///
    /// # Errors
    /// Invalid.
    pub fn details(self) -> Result<TenantDetails, AppError> {
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
    /// The credential that the form chose.
    ///
    /// # Errors
    /// Invalid: a part of it is missing.
    pub fn credential(self) -> Result<TenantCredential, AppError> {
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
pub fn as_in_form(error: EngineError) -> AppError {
    let mut refusal = AppError::from(error);
    let name = match refusal.field.as_deref() {
        Some("client_secret") => "secret",
        Some("entra_tenant_id") => "entra_id",
        _ => return refusal,
    };
    refusal.field = Some(name.to_owned());
    refusal
}

/// The words for a cloud.
#[must_use]
pub const fn cloud_label(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Global => "Global",
        Cloud::UsgovL4 => "US Government (L4)",
        Cloud::UsgovDod => "US Government (DoD)",
        Cloud::China => "China (21Vianet)",
        Cloud::Custom => "Own addresses",
    }
}

/// The fields of a connection, filled from a tenant or empty for a new one. Addresses of one's own are offered to those who
/// administer the platform; others see those that are there and cannot change them.
pub fn connection_fields(tenant: Option<&Tenant>, administers: bool) -> AnyView {
    let text = |read: fn(&Tenant) -> String| tenant.map(read).unwrap_or_default();
    let chosen_environment = tenant.map_or("prod", |tenant| tenant.environment.as_str());
    let chosen_cloud = tenant.map_or(Cloud::Global, |tenant| tenant.cloud);
    let environments = Environment::ALL.map(|one| (one.as_str(), one.label()));
    let offered = |cloud: Cloud| cloud != Cloud::Custom || administers || chosen_cloud == Cloud::Custom;
    let clouds = Cloud::ALL.iter().filter(|cloud| offered(**cloud)).map(|one| (one.as_str(), cloud_label(*one)));
    let moves = tenant.is_some().then_some(
        "With another directory, application, cloud or address the credential has to be entered again. Once the tenant was read its directory stays.",
    );
    let login = text(|tenant| tenant.login_url.clone().unwrap_or_default());
    let graph = text(|tenant| tenant.graph_url.clone().unwrap_or_default());
    view! {
        <div class="form-row">
            {field("tenant_name", "Name", None, view! {
                <input class="input" id="tenant_name" name="name" value=text(|tenant| tenant.name.clone()) required maxlength="120" autocomplete="off" />
            })}
            {field("environment", "Environment", None, view! {
                <select class="select" id="environment" name="environment">{options(environments, chosen_environment)}</select>
            })}
        </div>
        {field("entra_id", "Directory (tenant) id", None, view! {
            <input class="input" id="entra_id" name="entra_id" value=text(|tenant| tenant.entra_tenant_id.clone()) required autocomplete="off" spellcheck="false" />
        })}
        {field("client_id", "Application (client) id", None, view! {
            <input class="input" id="client_id" name="client_id" value=text(|tenant| tenant.client_id.clone()) required autocomplete="off" spellcheck="false" />
        })}
        {field("cloud", "Microsoft cloud", moves, view! {
            <select class="select" id="cloud" name="cloud">{options(clouds, chosen_cloud.as_str())}</select>
        })}
        {offered(Cloud::Custom).then(|| view! {
            <details open=chosen_cloud == Cloud::Custom>
                <summary>"Own addresses"</summary>
                <div class="form">
                    {field("login_url", "Address for tokens", None, view! {
                        <input class="input" id="login_url" name="login_url" type="url" value=login readonly=!administers autocomplete="off" />
                    })}
                    {field("graph_url", "Address of Graph", Some("Only used with the cloud \u{201c}Own addresses\u{201d}. Platform administrators choose it."), view! {
                        <input class="input" id="graph_url" name="graph_url" type="url" value=graph readonly=!administers autocomplete="off" aria-describedby="graph_url-hint" />
                    })}
                </div>
            </details>
        })}
    }
    .into_any()
}

/// One of several ways, with a line that explains it.
fn choice(name: &'static str, value: &'static str, chosen: bool, words: &'static str, why: &'static str) -> AnyView {
    view! {
        <label class="choice">
            <input type="radio" name=name value=value checked=chosen />
            <span>{words}</span>
            <small>{why}</small>
        </label>
    }
    .into_any()
}

/// The fields of a credential: a secret, or a certificate with its key. What is not filled in is not sent on.
pub fn credential_fields() -> AnyView {
    view! {
        <fieldset class="form">
            <legend>"Credential"</legend>
            <div class="form-row">
                {choice("credential_kind", "secret", true, "Client secret", "The value, not its id. It expires: note the day.")}
                {choice("credential_kind", "certificate", false, "Certificate", "A certificate and its private key, both PEM. Safer than a secret.")}
            </div>
            <div class="form-row">
                {field("secret", "Client secret", None, view! {
                    <input class="input" type="password" id="secret" name="secret" autocomplete="off" />
                })}
            </div>
            <details>
                <summary>"Certificate and private key"</summary>
                <div class="form">
                    {field("certificate", "Certificate (PEM)", None, view! {
                        <textarea class="input" id="certificate" name="certificate" rows="4" spellcheck="false" autocomplete="off"></textarea>
                    })}
                    {field("private_key", "Private key (PEM, PKCS #8)", None, view! {
                        <textarea class="input" id="private_key" name="private_key" rows="4" spellcheck="false" autocomplete="off"></textarea>
                    })}
                </div>
            </details>
        </fieldset>
    }
    .into_any()
}
