//! Where an endpoint lies, as a person types it.

use secrecy::SecretString;
use tenantatlas_domain::endpoint::EndpointKind;
use tenantatlas_net::{AddressRefused, ConnectError, Connector};
use url::Url;

use super::mail;
use crate::error::EngineError;

/// The longest address, bytes. Those of workflows have some hundreds.
const MAX_ADDRESS: usize = 2_048;

/// An address that may be kept.
#[derive(Debug)]
pub(super) struct Checked {
    /// All of it: it may hold a right, as those of Teams and Slack do.
    pub address: SecretString,
    /// What is shown of it.
    pub shown: String,
}

/// Judges an address. A name that leads to a network that is not public is refused when it is connected to, each time anew;
/// what can be told of the address itself is told here.
pub(super) async fn checked(
    connector: &Connector,
    mail_server: bool,
    kind: EndpointKind,
    text: &str,
) -> Result<Checked, EngineError> {
    let text = text.trim();
    if kind == EndpointKind::Mail {
        if !mail_server {
            let words = "must be webhook, teams or slack: the settings of the server name no mail server (smtp_host)";
            return Err(EngineError::invalid("kind", words));
        }
        let (address, shown) = mail::checked(text)?;
        return Ok(Checked { address, shown });
    }
    let form = || {
        EngineError::invalid(
            "address",
            format!(
                "must start with https://, name a host, hold neither user name nor password, and have at most {MAX_ADDRESS} characters"
            ),
        )
    };
    if text.len() > MAX_ADDRESS {
        return Err(form());
    }
    let url = Url::parse(text).map_err(|_| form())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(form());
    }
    match connector.judge_entered(&url).await {
        // A machine without root certificates is told of when something is sent.
        Ok(()) | Err(ConnectError::Unprepared(_)) => {}
        Err(ConnectError::Refused(AddressRefused::Network)) => {
            return Err(EngineError::invalid(
                "address",
                "must be one of the internet: this one is not public, and its network is not among those that the settings of the server allow (allowed_networks)",
            ));
        }
        Err(ConnectError::Refused(AddressRefused::Plain | AddressRefused::Form)) => return Err(form()),
    }
    let host = url.host_str().ok_or_else(form)?;
    let shown = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok(Checked { shown, address: SecretString::from(String::from(url)) })
}
