//! The forms of a connection and of its credential: their fields, and what they send.

use leptos::prelude::*;
use secrecy::SecretString;
use tenantatlas_engine::{EngineError, connection_problems};
use tenantatlas_store::tenants::{
    Cloud, CredentialKind, Environment as StoredEnvironment, Tenant, TenantCredential, TenantDetails,
};
use uuid::Uuid;

use super::model::Environment;
use crate::error::AppError;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{field, options};

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

/// What a new tenant is signed in to with. It has no `Debug`: it must not reach a log.
pub enum NewCredential {
    /// What was entered.
    Entered(TenantCredential),
    /// A certificate that was made here, by its id.
    Made(Uuid),
}

/// The credential as the form sends it. It has no `Debug`: it must not reach a log.
pub struct CredentialForm {
    /// `secret` or `certificate`; for a new tenant also `made`, by which [`checked`] goes.
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
    /// The credential that the form chose. A certificate and its key may be pasted together into the field of the
    /// certificate.
    ///
    /// # Errors
    /// Everything that is missing of it.
    pub fn credential(self) -> Result<TenantCredential, Vec<AppError>> {
        match self.kind.as_str() {
            "secret" if self.secret.trim().is_empty() => {
                Err(vec![AppError::invalid("secret", "Enter the value of the client secret.")])
            }
            "secret" => Ok(TenantCredential::ClientSecret(SecretString::from(self.secret.trim().to_owned()))),
            "certificate" => self.certificate(),
            _ => Err(vec![AppError::invalid("credential_kind", "Choose a certificate or a client secret.")]),
        }
    }

    fn certificate(self) -> Result<TenantCredential, Vec<AppError>> {
        let (certificate, pasted_key) = parted(&self.certificate);
        let key = if self.private_key.trim().is_empty() { pasted_key } else { self.private_key };
        let mut missing = Vec::new();
        if certificate.trim().is_empty() {
            missing.push(AppError::invalid("certificate", "Paste the certificate in PEM form."));
        }
        if key.trim().is_empty() {
            missing.push(AppError::invalid(
                "private_key",
                "Paste the private key of the certificate in PEM form (PKCS #8), here or below the certificate.",
            ));
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(TenantCredential::Certificate { certificate_pem: certificate, private_key_pem: SecretString::from(key) })
    }
}

/// The text of a PEM file without the blocks of private keys, and these.
fn parted(text: &str) -> (String, String) {
    let (mut rest, mut keys, mut in_key) = (String::new(), String::new(), false);
    for line in text.lines() {
        let line_of_key = line.contains("PRIVATE KEY-----");
        in_key = if line_of_key { line.contains("-----BEGIN ") } else { in_key };
        let part = if in_key || line_of_key { &mut keys } else { &mut rest };
        part.push_str(line);
        part.push('\n');
    }
    (rest, keys)
}

/// The connection and the credential that a form holds, or everything that is wrong with both.
///
/// # Errors
/// Invalid: each field that is not acceptable.
pub fn checked(
    connection: ConnectionForm,
    credential: CredentialForm,
    made: &str,
) -> Result<(TenantDetails, NewCredential), AppError> {
    let details = connection.details()?;
    let credential = if credential.kind == "made" {
        let nothing_made = || vec![AppError::invalid("made_certificate", "Make the certificate first.")];
        made.parse().map(NewCredential::Made).map_err(|_| nothing_made())
    } else {
        credential.credential().map(NewCredential::Entered)
    };
    let entered = credential.as_ref().ok().and_then(|credential| match credential {
        NewCredential::Entered(entered) => Some(entered),
        NewCredential::Made(_) => None,
    });
    let found = connection_problems(&details, entered);
    let mut problems: Vec<AppError> = found.into_iter().map(as_in_form).collect();
    match credential {
        Ok(credential) => AppError::all(problems).map(|()| (details, credential)),
        Err(missing) => {
            problems.extend(missing);
            Err(AppError::together(problems))
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
        Cloud::Custom => "Custom endpoints",
    }
}

/// The fields of a connection, filled from a tenant or empty for a new one. Custom endpoints are offered to those who
/// administer the platform; others see those that are there and cannot change them.
pub fn connection_fields(tenant: Option<&Tenant>, administers: bool) -> AnyView {
    let text = |read: fn(&Tenant) -> String| tenant.map(read).unwrap_or_default();
    let chosen_environment = tenant.map_or("prod", |tenant| tenant.environment.as_str());
    let chosen_cloud = tenant.map_or(Cloud::Global, |tenant| tenant.cloud);
    let environments = Environment::ALL.map(|one| (one.as_str(), one.label()));
    let offered = |cloud: Cloud| cloud != Cloud::Custom || administers || chosen_cloud == Cloud::Custom;
    let clouds = Cloud::ALL.iter().filter(|cloud| offered(**cloud)).map(|one| (one.as_str(), cloud_label(*one)));
    let moves = tenant.is_some().then_some(
        "With another directory, application, cloud or endpoint the credential has to be entered again. Once the tenant was read, its directory stays.",
    );
    let login = text(|tenant| tenant.login_url.clone().unwrap_or_default());
    let graph = text(|tenant| tenant.graph_url.clone().unwrap_or_default());
    view! {
        <div class="form-row">
            {field("name", "Name", None, view! {
                <input class="input" id="name" name="name" value=text(|tenant| tenant.name.clone()) required maxlength="120" autocomplete="off" />
            })}
            {field("environment", "Environment", None, view! {
                <select class="select" id="environment" name="environment">{options(environments, chosen_environment)}</select>
            })}
        </div>
        {field("entra_id", "Directory (tenant) ID", None, view! {
            <input class="input" id="entra_id" name="entra_id" value=text(|tenant| tenant.entra_tenant_id.clone()) required autocomplete="off" spellcheck="false" />
        })}
        {field("client_id", "Application (client) ID", None, view! {
            <input class="input" id="client_id" name="client_id" value=text(|tenant| tenant.client_id.clone()) required autocomplete="off" spellcheck="false" />
        })}
        {field("cloud", "Microsoft cloud", moves, view! {
            <select class="select" id="cloud" name="cloud">{options(clouds, chosen_cloud.as_str())}</select>
        })}
        {offered(Cloud::Custom).then(|| view! {
            <div class="form" data-when="custom">
                {field("login_url", "Sign-in endpoint", None, view! {
                    <input class="input" id="login_url" name="login_url" type="url" value=login readonly=!administers autocomplete="off" />
                })}
                {field("graph_url", "Microsoft Graph endpoint", Some("Platform administrators choose custom endpoints."), view! {
                    <input class="input" id="graph_url" name="graph_url" type="url" value=graph readonly=!administers autocomplete="off" />
                })}
            </div>
        })}
    }
    .drawn()
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
    .drawn()
}

/// How a new tenant is signed in to: with a certificate that is made here, or with what somebody has already.
pub fn credential_of_new_tenant() -> AnyView {
    view! {
        <fieldset class="form">
            <legend>"Credential"</legend>
            {choice("credential_kind", "made", true, "A certificate of this server", "Recommended. Its private key is made here and never leaves.")}
            <details>
                <summary>"A certificate or a client secret of your own"</summary>
                <div class="form-row">
                    {choice("credential_kind", "certificate", false, "Own certificate", "With its private key, which you enter below.")}
                    {choice("credential_kind", "secret", false, "Client secret", "The value, not its ID. It expires: note the day.")}
                </div>
            </details>
        </fieldset>
    }
    .drawn()
}

/// The choice between a certificate and a client secret. What belongs to one of them is marked `data-when` and shown by the
/// style sheet while it is chosen, so that this needs no script.
pub fn credential_choice(chosen: Option<CredentialKind>) -> AnyView {
    let secret = chosen == Some(CredentialKind::ClientSecret);
    view! {
        <fieldset class="form">
            <legend>"Credential"</legend>
            <div class="form-row">
                {choice("credential_kind", "certificate", !secret, "Certificate", "Recommended. Its private key is sealed and never shown.")}
                {choice("credential_kind", "secret", secret, "Client secret", "The value, not its ID. It expires: note the day.")}
            </div>
        </fieldset>
    }
    .drawn()
}

/// The fields of a credential: a secret, or a certificate with its key. What is not filled in is not sent on.
pub fn credential_fields() -> AnyView {
    view! {
        <div class="form" data-when="secret">
            {field("secret", "Client secret", None, view! {
                <input class="input" type="password" id="secret" name="secret" autocomplete="off" />
            })}
        </div>
        <div class="form" data-when="certificate">
            {field("certificate", "Certificate (PEM)", Some("The private key may be pasted together with it."), view! {
                <textarea class="input" id="certificate" name="certificate" rows="4" spellcheck="false" autocomplete="off"></textarea>
            })}
            {field("private_key", "Private key (PEM, PKCS #8)", Some("Only where it is in a file of its own."), view! {
                <textarea class="input" id="private_key" name="private_key" rows="2" spellcheck="false" autocomplete="off" data-secret=""></textarea>
            })}
        </div>
    }
    .drawn()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";

    fn form(certificate: &str, private_key: &str) -> CredentialForm {
        CredentialForm {
            kind: "certificate".to_owned(),
            secret: String::new(),
            certificate: certificate.to_owned(),
            private_key: private_key.to_owned(),
        }
    }

    #[test]
    fn a_key_that_was_pasted_with_its_certificate_is_never_kept_as_a_part_of_it() {
        for (certificate, key) in
            [(format!("{CERTIFICATE}{KEY}"), ""), (format!("{KEY}{CERTIFICATE}"), ""), (CERTIFICATE.to_owned(), KEY)]
        {
            match form(&certificate, key).credential() {
                Ok(TenantCredential::Certificate { certificate_pem, private_key_pem }) => {
                    assert_eq!(certificate_pem, CERTIFICATE);
                    assert_eq!(private_key_pem.expose_secret(), KEY);
                }
                _ => panic!("a certificate"),
            }
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_new_tenant_is_told_at_once() {
        let connection = ConnectionForm {
            name: " ".to_owned(),
            environment: "prod".to_owned(),
            cloud: "global".to_owned(),
            login_url: String::new(),
            graph_url: String::new(),
            entra_id: "nonsense".to_owned(),
            client_id: String::new(),
        };
        let Err(refusal) = checked(connection, form("", ""), "") else { panic!("nothing of it is acceptable") };
        for field in ["name", "entra_id", "client_id", "certificate", "private_key"] {
            let message = refusal.problem_of(field).unwrap_or_default();
            assert!(!message.is_empty() && !message.contains('_'), "{field}: {message}");
        }
        assert_eq!(refusal.problems.len(), 5, "{refusal:?}");
    }
}
