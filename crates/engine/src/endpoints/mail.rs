//! Mail by the SMTP server that whoever runs this installation chose.

use std::fmt;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_net::Authorities;
use tenantatlas_store::deliveries::Delivery;
use tenantatlas_store::endpoints::OpenEndpoint;
use tenantatlas_store::tenants::Tenant;
use url::Url;

use super::message;
use super::sending::Ended;
use super::told::{Told, told};
use crate::error::EngineError;

/// How long one command of SMTP may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one mail may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Addresses of one endpoint.
const MAX_ADDRESSES: usize = 10;

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in clear and must turn to TLS before anything is said (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// In clear, to this machine alone.
    PlainToThisMachine,
}

/// Which mail server sends, and as whom.
#[derive(Clone)]
pub struct MailConfig {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// Name and password, where it asks for them.
    pub login: Option<(String, SecretString)>,
    /// The sender, such as `TenantAtlas <atlas@example.com>`.
    pub from: Mailbox,
}

/// Tells neither name nor password.
impl fmt::Debug for MailConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MailConfig").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl MailConfig {
    /// Reads a sender.
    ///
    /// # Errors
    /// What was expected.
    pub fn sender(text: &str) -> Result<Mailbox, &'static str> {
        text.trim()
            .parse()
            .map_err(|_| "expected a mail address such as atlas@example.com or TenantAtlas <atlas@example.com>")
    }
}

/// The addresses of an endpoint as a person types them, and what is shown of them.
pub(super) fn checked(text: &str) -> Result<(SecretString, String), EngineError> {
    let parts: Vec<&str> = text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let form = || {
        let words =
            format!("must be 1 to {MAX_ADDRESSES} mail addresses such as ada@example.com, with commas between them");
        EngineError::invalid("address", words)
    };
    if parts.is_empty() || parts.len() > MAX_ADDRESSES {
        return Err(form());
    }
    let mut kept = Vec::new();
    let mut domains: Vec<String> = Vec::new();
    for part in parts {
        let address: lettre::Address = part.parse().map_err(|_| form())?;
        if !address.domain().contains('.') || part.len() > 254 {
            return Err(form());
        }
        let domain = address.domain().to_lowercase();
        if !domains.contains(&domain) {
            domains.push(domain);
        }
        kept.push(address.to_string());
    }
    let count = if kept.len() == 1 { "1 address".to_owned() } else { format!("{} addresses", kept.len()) };
    Ok((SecretString::from(kept.join(",")), format!("{count} at {}", domains.join(", "))))
}

/// Sends these messages of one endpoint as one mail.
pub(super) async fn send(
    config: &MailConfig,
    authorities: &Authorities,
    open: &OpenEndpoint,
    these: &[Delivery],
    tenant: &Tenant,
    public_url: Option<&Url>,
) -> Ended {
    let words: Vec<Told> =
        these.iter().map(|delivery| told(delivery.event, &message::data(delivery, tenant, public_url))).collect();
    let sending = async {
        let mail = mail(config, open.address.expose_secret(), these, &words, tenant)?;
        transport(config, authorities)?.send(mail).await.map_err(|error| {
            tracing::info!(%error, endpoint = %open.endpoint.id, "a mail was not taken");
            refused(&error)
        })
    };
    match tokio::time::timeout(TIMEOUT, sending).await {
        Ok(Ok(_)) => Ended::Delivered(None),
        Ok(Err(reason)) => Ended::failed(None, reason),
        Err(_) => Ended::failed(None, "The mail server did not answer within 30 seconds."),
    }
}

fn refused(error: &smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("The mail server answered {code}."),
        None if error.is_tls() => "The connection to the mail server could not be protected by TLS.".to_owned(),
        None => "The mail server was not reached, or broke off.".to_owned(),
    }
}

fn transport(config: &MailConfig, authorities: &Authorities) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let parameters = || {
        let mut builder = TlsParameters::builder(config.host.clone());
        for certificate in authorities.der() {
            let certificate = Certificate::from_der(certificate.to_vec()).map_err(|_| unprepared())?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|_| unprepared())
    };
    let tls = match config.tls {
        MailTls::StartTls => Tls::Required(parameters()?),
        MailTls::Implicit => Tls::Wrapper(parameters()?),
        MailTls::PlainToThisMachine => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
        .port(config.port)
        .tls(tls)
        .timeout(Some(PATIENCE));
    if let Some((name, password)) = &config.login {
        builder = builder.credentials(Credentials::new(name.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}

fn unprepared() -> String {
    "TLS cannot be spoken on this machine: it has no root certificates.".to_owned()
}

fn mail(config: &MailConfig, to: &str, these: &[Delivery], words: &[Told], tenant: &Tenant) -> Result<Message, String> {
    let unreadable = |_| "The addresses cannot be read: remove the endpoint and add it again.".to_owned();
    let to: Mailboxes = to.parse().map_err(unreadable)?;
    let subject = match words {
        [one] => format!("{}: {}", tenant.name, one.title),
        many => format!("{}: {} messages", tenant.name, many.len()),
    };
    let mut builder = Message::builder().from(config.from.clone()).subject(subject);
    for mailbox in to {
        builder = builder.to(mailbox);
    }
    if let Some(first) = these.first() {
        // The same at every attempt, so that mail programs show one that came twice once.
        builder = builder.message_id(Some(format!("<{}@{}>", first.id, config.from.email.domain())));
    }
    let text = words.iter().map(text).collect::<Vec<_>>().join("\n\n");
    builder.header(ContentType::TEXT_PLAIN).body(text).map_err(|_| "The mail could not be written.".to_owned())
}

fn text(told: &Told) -> String {
    let facts = told.facts.iter().map(|(name, value)| format!("{name}: {value}"));
    std::iter::once(told.title.clone()).chain(facts).chain(told.url.clone()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_only_their_domains_are_shown() {
        let (kept, shown) = checked(" ada@example.com, bea@Example.com;cy@example.org ").expect("addresses");
        assert_eq!(kept.expose_secret(), "ada@example.com,bea@Example.com,cy@example.org");
        assert_eq!(shown, "3 addresses at example.com, example.org");
        for wrong in [
            "",
            ",",
            "ada",
            "ada@localhost",
            "Ada <ada@example.com>",
            "a@b.c\r\nBcc: x@y.z",
            &"a@example.com,".repeat(11),
        ] {
            let refused = checked(wrong);
            assert!(matches!(refused, Err(EngineError::Invalid { field: "address", .. })), "{wrong:?}");
        }
    }

    #[test]
    fn neither_name_nor_password_is_told() {
        let config = MailConfig {
            host: "mail.example.com".to_owned(),
            port: 587,
            tls: MailTls::StartTls,
            login: Some(("user-name".to_owned(), SecretString::from("hunter2"))),
            from: MailConfig::sender("TenantAtlas <atlas@example.com>").expect("a sender"),
        };
        let told = format!("{config:?}");
        assert!(
            told.contains("mail.example.com") && !told.contains("hunter2") && !told.contains("user-name"),
            "{told}"
        );
    }
}
