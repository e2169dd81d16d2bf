//! Connections, opened only to where they may lead.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::networks::{AddressRefused, Networks, is_loopback, literal};

/// Who chose where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The program: the host is a constant of it. Only public addresses are connected to, whatever the settings allow.
    /// A proxy that the environment names (`HTTPS_PROXY`, `ALL_PROXY`) is used, for its operator chose it and nobody
    /// else chose the host; then it is the proxy that resolves.
    Fixed,
    /// A person. Public addresses and the allowed networks are connected to, never by way of a proxy.
    Entered,
}

/// What all connections of a connector share.
#[derive(Clone, Debug)]
pub struct ConnectorOptions {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// To resolve the name and open the connection, TLS included.
    pub connect_timeout: Duration,
    /// Without a single byte, before the head of an answer or within its body.
    pub read_timeout: Duration,
    /// Networks that may be asked although they are not public, where a person entered the address.
    pub networks: Networks,
}

/// Why there is no connection to be had, before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address may not be asked.
    #[error(transparent)]
    Refused(#[from] AddressRefused),
    /// This machine cannot open any, for instance because it has no root certificates.
    #[error("connections cannot be opened on this machine: {0}")]
    Unprepared(String),
}

/// Opens connections. Made once; it keeps a pool per kind of address, opened when first needed, so that a machine without
/// root certificates can still talk to itself over plain HTTP.
#[derive(Debug)]
pub struct Connector {
    options: ConnectorOptions,
    pools: [OnceLock<Result<Client, ConnectError>>; 3],
}

/// The kinds of pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fixed,
    Encrypted,
    Plain,
}

impl Connector {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: ConnectorOptions) -> Self {
        Self { options, pools: Default::default() }
    }

    /// The pool for a request to this address. To be asked for each request anew: it judges the host of the URL where
    /// that is an address and no name, for such a host never reaches the resolver.
    ///
    /// # Errors
    /// [`ConnectError::Refused`] for an address that may not be asked.
    pub fn client(&self, url: &Url, destination: Destination) -> Result<&Client, ConnectError> {
        let kind = match (url.scheme(), destination) {
            ("https", Destination::Fixed) => Kind::Fixed,
            ("https", Destination::Entered) => Kind::Encrypted,
            ("http", Destination::Entered) => Kind::Plain,
            ("http", Destination::Fixed) => return Err(AddressRefused::Plain.into()),
            _ => return Err(AddressRefused::Form.into()),
        };
        let host = url.host().ok_or(AddressRefused::Form)?;
        let guard = self.guard(kind);
        if let Some(address) = literal(&host) {
            guard.judge(SocketAddr::new(address, 0))?;
        }
        let pool = self.pools[kind as usize].get_or_init(|| open(kind, &self.options, guard));
        pool.as_ref().map_err(Clone::clone)
    }

    fn guard(&self, kind: Kind) -> Guard {
        let networks = if kind == Kind::Fixed { Networks::default() } else { self.options.networks.clone() };
        Guard { networks, loopback_only: kind == Kind::Plain }
    }
}

fn open(kind: Kind, options: &ConnectorOptions, guard: Guard) -> Result<Client, ConnectError> {
    // Whoever installed a provider first keeps it.
    let _ = ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(&options.user_agent)
        .redirect(Policy::none())
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .tcp_nodelay(true)
        .gzip(true);
    // The resolver is asked for the host of a proxy too, which usually lies in a private network.
    if kind != Kind::Fixed || !proxy_is_named() {
        builder = builder.no_proxy().dns_resolver(guard);
    }
    if kind == Kind::Plain {
        let no_roots = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        builder = builder.tls_backend_preconfigured(no_roots);
    }
    builder.build().map_err(|error| ConnectError::Unprepared(innermost(&error)))
}

fn proxy_is_named() -> bool {
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().any(named)
}

/// Whether a request failed because the address that its host resolved to may not be asked.
#[must_use]
pub fn is_refusal(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        if cause.is::<AddressRefused>() {
            return true;
        }
        next = cause.source();
    }
    false
}

fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: Option<&(dyn Error + 'static)> = error.source();
    while let Some(next) = innermost.and_then(Error::source) {
        innermost = Some(next);
    }
    innermost.map_or_else(|| "unknown cause".to_owned(), ToString::to_string)
}

/// Resolves and judges: what it answers is what is connected to.
#[derive(Clone, Debug)]
struct Guard {
    networks: Networks,
    /// Set for plain HTTP, whatever the networks allow.
    loopback_only: bool,
}

impl Guard {
    fn judge(&self, address: SocketAddr) -> Result<SocketAddr, AddressRefused> {
        if self.loopback_only && !is_loopback(address.ip()) {
            return Err(AddressRefused::Plain);
        }
        if self.networks.allow(address.ip()) { Ok(address) } else { Err(AddressRefused::Network) }
    }

    /// All or nothing: a name with one bad address is not to be trusted with the others.
    fn judge_all(&self, addresses: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, AddressRefused> {
        addresses.map(|address| self.judge(address)).collect()
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let judged = guard.judge_all(found).inspect_err(|error| {
                tracing::info!(host = name.as_str(), %error, "an address was refused");
            })?;
            if judged.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            Ok(Box::new(judged.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn connector(allowed: &[&str]) -> Connector {
        let allowed: Vec<_> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        Connector::new(ConnectorOptions {
            user_agent: "test".to_owned(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(5),
            networks: Networks::new(&allowed),
        })
    }

    fn refused(connector: &Connector, url: &str, destination: Destination) -> Option<AddressRefused> {
        match connector.client(&Url::parse(url).unwrap(), destination) {
            Err(ConnectError::Refused(refused)) => Some(refused),
            // A machine without root certificates is no matter here.
            Ok(_) | Err(ConnectError::Unprepared(_)) => None,
        }
    }

    #[test]
    fn a_literal_address_is_judged_although_no_resolver_sees_it() {
        let connector = connector(&[]);
        for host in
            ["10.0.0.1", "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0"]
        {
            for destination in [Destination::Fixed, Destination::Entered] {
                let found = refused(&connector, &format!("https://{host}:8443/x"), destination);
                assert_eq!(found, Some(AddressRefused::Network), "{host}");
            }
        }
        assert_eq!(
            refused(&connector, "https://169.254.169.254/latest", Destination::Entered),
            Some(AddressRefused::Network)
        );
        assert_eq!(refused(&connector, "https://1.1.1.1/", Destination::Entered), None);
    }

    #[test]
    fn plain_http_goes_to_this_machine_alone() {
        let connector = connector(&["10.0.0.0/8", "127.0.0.0/8"]);
        assert_eq!(refused(&connector, "http://10.0.0.1/", Destination::Entered), Some(AddressRefused::Plain));
        assert_eq!(refused(&connector, "http://1.1.1.1/", Destination::Entered), Some(AddressRefused::Plain));
        assert_eq!(refused(&connector, "http://127.0.0.1/", Destination::Fixed), Some(AddressRefused::Plain));
        assert_eq!(refused(&connector, "http://127.0.0.1/", Destination::Entered), None);
        assert_eq!(refused(&connector, "ftp://1.1.1.1/", Destination::Entered), Some(AddressRefused::Form));
    }

    #[test]
    fn what_the_settings_allow_is_no_matter_for_fixed_hosts() {
        let connector = connector(&["10.0.0.0/8"]);
        assert_eq!(refused(&connector, "https://10.0.0.1/", Destination::Entered), None);
        assert_eq!(refused(&connector, "https://10.0.0.1/", Destination::Fixed), Some(AddressRefused::Network));
    }

    #[test]
    fn one_bad_address_among_many_refuses_the_name() {
        let guard = connector(&[]).guard(Kind::Encrypted);
        let of = |texts: &[&str]| guard.judge_all(texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)));
        assert_eq!(of(&["1.1.1.1", "2603:1036::1"]).map(|all| all.len()), Ok(2));
        assert_eq!(of(&["1.1.1.1", "127.0.0.1"]), Err(AddressRefused::Network));
        assert_eq!(of(&["::ffff:169.254.169.254", "1.1.1.1"]), Err(AddressRefused::Network));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused_when_connecting_and_nothing_arrives() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
        let connector = connector(&[]);
        let error = connector.client(&url, Destination::Entered).unwrap().get(url).send().await.unwrap_err();
        assert!(is_refusal(&error), "{error:?}");
        let arrived = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(arrived.is_err(), "a connection was opened");
    }

    #[tokio::test]
    async fn a_network_that_is_allowed_answers_and_a_redirect_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1_024];
            let _ = stream.read(&mut head).await.unwrap();
            let answer = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let connector = connector(&["127.0.0.0/8", "::1/128"]);
        let answer = connector.client(&url, Destination::Entered).unwrap().get(url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 302);
    }
}
