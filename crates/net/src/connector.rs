//! Connections, opened only to where they may lead.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::authorities::Authorities;
use crate::networks::{AddressRefused, Networks, is_loopback, is_loopback_host, is_reserved_name, literal};
use crate::proxy::Proxies;

/// How long a name is looked up before it is handed to a proxy. Behind a proxy there may be nobody who resolves.
const LOOKUP_TIME: Duration = Duration::from_secs(3);
/// How long what was found of a name counts.
const LOOKUP_LIFETIME: Duration = Duration::from_secs(60);
/// Names that are remembered at a time.
const REMEMBERED: usize = 256;

/// Who chose where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The program: the host is a constant of it. Only public addresses are connected to, whatever the settings allow.
    /// By way of a proxy it is the proxy that resolves.
    Fixed,
    /// A person. Public addresses and the allowed networks are connected to. Before a name is handed to a proxy, what it
    /// resolves to here is judged in the same way.
    Entered,
    /// Whoever runs this machine, in the settings. Like a proxy it may be anywhere, over plain HTTP as well: what is sent
    /// there in clear is theirs to decide.
    Chosen,
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
    /// Proxies that whoever runs this machine chose. Where they are is nobody else's choice, so they may be anywhere.
    pub proxies: Proxies,
    /// Authorities that are trusted besides those of the system.
    pub authorities: Authorities,
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
    pools: [OnceLock<Result<Client, ConnectError>>; 6],
    lookups: Mutex<HashMap<String, Judged>>,
}

/// What was found of a name before it was handed to a proxy, and when.
type Judged = (Instant, Result<(), AddressRefused>);

/// The kinds of pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fixed,
    Encrypted,
    Plain,
    /// Whatever goes by way of the proxy: nothing is left to judge when connecting.
    Proxied,
    Chosen,
    ChosenPlain,
}

impl Kind {
    fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::ChosenPlain)
    }
}

impl Connector {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: ConnectorOptions) -> Self {
        Self { options, pools: Default::default(), lookups: Mutex::default() }
    }

    /// The pool for a request to this address. To be asked for each request anew: it judges the host of the URL where
    /// that is an address and no name, for such a host never reaches the resolver; and by way of a proxy no host does, so
    /// there a name that a person entered is looked up and judged here.
    ///
    /// # Errors
    /// [`ConnectError::Refused`] for an address that may not be asked.
    pub async fn client(&self, url: &Url, destination: Destination) -> Result<&Client, ConnectError> {
        let kind = match (url.scheme(), destination) {
            ("https", Destination::Fixed) => Kind::Fixed,
            ("https", Destination::Entered) => Kind::Encrypted,
            ("http", Destination::Entered) => Kind::Plain,
            ("https", Destination::Chosen) => Kind::Chosen,
            ("http", Destination::Chosen) => Kind::ChosenPlain,
            ("http", Destination::Fixed) => return Err(AddressRefused::Plain.into()),
            _ => return Err(AddressRefused::Form.into()),
        };
        let host = url.host().ok_or(AddressRefused::Form)?;
        let guard = self.guard(kind);
        if let Some(address) = literal(&host) {
            guard.judge(SocketAddr::new(address, 0))?;
        }
        if self.options.proxies.for_url(url).is_none() {
            return self.pool(kind, guard);
        }
        if let (Host::Domain(name), Destination::Entered) = (host, destination) {
            self.judge_name(name, &guard).await?;
        }
        self.pool(Kind::Proxied, guard)
    }

    /// Judges an address as a person enters it, before it is kept: what can be told of it without asking for a name that
    /// anybody may own. A name that is reserved for networks within must lead into one that is allowed.
    ///
    /// # Errors
    /// [`ConnectError::Refused`] for an address that may not be asked.
    pub async fn judge_entered(&self, url: &Url) -> Result<(), ConnectError> {
        self.client(url, Destination::Entered).await?;
        if url.scheme() == "http" && !is_loopback_host(url) {
            return Err(AddressRefused::Plain.into());
        }
        if let Some(Host::Domain(name)) = url.host()
            && is_reserved_name(name)
        {
            let kind = if url.scheme() == "http" { Kind::Plain } else { Kind::Encrypted };
            self.judge_name(name, &self.guard(kind)).await?;
        }
        Ok(())
    }

    fn pool(&self, kind: Kind, guard: Guard) -> Result<&Client, ConnectError> {
        let pool = self.pools[kind as usize].get_or_init(|| open(kind, &self.options, guard));
        pool.as_ref().map_err(Clone::clone)
    }

    fn guard(&self, kind: Kind) -> Guard {
        let networks = match kind {
            Kind::Fixed => Networks::default(),
            Kind::Chosen | Kind::ChosenPlain => Networks::everywhere(),
            Kind::Encrypted | Kind::Plain | Kind::Proxied => self.options.networks.clone(),
        };
        Guard { networks, loopback_only: kind == Kind::Plain }
    }

    /// Judges what a name resolves to here before a proxy resolves it once more. A name that nobody resolves here goes on
    /// to the proxy, since behind one there is often no resolver for public names; but not one that is reserved for the
    /// networks within, which only a proxy would find.
    async fn judge_name(&self, name: &str, guard: &Guard) -> Result<(), AddressRefused> {
        let lookups = || self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = lookups().get(name)
            && at.elapsed() < LOOKUP_LIFETIME
        {
            return *found;
        }
        let lookup = tokio::time::timeout(LOOKUP_TIME, tokio::net::lookup_host((name, 0))).await;
        let addresses: Vec<SocketAddr> = lookup.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default();
        let found = guard.judge_before_proxy(name, &addresses);
        if let Err(error) = found {
            tracing::info!(host = name, %error, "an address was refused");
        }
        let mut lookups = lookups();
        if lookups.len() >= REMEMBERED {
            lookups.clear();
        }
        lookups.insert(name.to_owned(), (Instant::now(), found));
        found
    }
}

fn open(kind: Kind, options: &ConnectorOptions, guard: Guard) -> Result<Client, ConnectError> {
    // Whoever installed a provider first keeps it.
    let _ = ring::default_provider().install_default();
    let unprepared = |error: reqwest::Error| ConnectError::Unprepared(innermost(&error));
    let mut builder = Client::builder()
        .user_agent(&options.user_agent)
        .redirect(Policy::none())
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .tcp_nodelay(true)
        .gzip(true)
        // The variables were read once, and which requests they mean is known here.
        .no_proxy();
    builder = match (kind, options.proxies.address()) {
        // The resolver is asked for the host of the proxy alone, which usually lies in a private network.
        (Kind::Proxied, Some(proxy)) => builder.proxy(reqwest::Proxy::all(proxy.clone()).map_err(unprepared)?),
        _ => builder.dns_resolver(guard),
    };
    builder = if kind.is_plain() {
        let no_roots = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        builder.tls_backend_preconfigured(no_roots)
    } else {
        builder.tls_certs_merge(options.authorities.certificates().map_err(unprepared)?)
    };
    builder.build().map_err(unprepared)
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

    /// Whether a name that has these addresses here, or none, may be handed to a proxy.
    fn judge_before_proxy(&self, name: &str, addresses: &[SocketAddr]) -> Result<(), AddressRefused> {
        if addresses.is_empty() && is_reserved_name(name) {
            return Err(AddressRefused::Network);
        }
        self.judge_all(addresses.iter().copied()).map(|_| ())
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
            proxies: Proxies::default(),
            authorities: Authorities::default(),
        })
    }

    async fn refused(connector: &Connector, url: &str, destination: Destination) -> Option<AddressRefused> {
        match connector.client(&Url::parse(url).unwrap(), destination).await {
            Err(ConnectError::Refused(refused)) => Some(refused),
            // A machine without root certificates is no matter here.
            Ok(_) | Err(ConnectError::Unprepared(_)) => None,
        }
    }

    #[tokio::test]
    async fn a_literal_address_is_judged_although_no_resolver_sees_it() {
        let connector = connector(&[]);
        for host in
            ["10.0.0.1", "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0"]
        {
            for destination in [Destination::Fixed, Destination::Entered] {
                let found = refused(&connector, &format!("https://{host}:8443/x"), destination).await;
                assert_eq!(found, Some(AddressRefused::Network), "{host}");
            }
        }
        assert_eq!(
            refused(&connector, "https://169.254.169.254/latest", Destination::Entered).await,
            Some(AddressRefused::Network)
        );
        assert_eq!(refused(&connector, "https://1.1.1.1/", Destination::Entered).await, None);
    }

    #[tokio::test]
    async fn what_a_person_enters_is_refused_by_its_spelling_before_it_is_kept() {
        let judge =
            async |allowed: &[&str], url: &str| match connector(allowed).judge_entered(&Url::parse(url).unwrap()).await
            {
                Err(ConnectError::Refused(refused)) => Some(refused),
                Ok(()) | Err(ConnectError::Unprepared(_)) => None,
            };
        for url in [
            "https://10.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://017700000001/",
            "https://0x7f.0.0.1/",
            "https://0/",
            "https://100.64.0.1/",
            "https://169.254.169.254/",
            "https://192.0.2.1/",
            "https://224.0.0.1/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://intranet/",
            "https://vault.corp/",
            "https://metadata.google.internal/",
        ] {
            assert_eq!(judge(&[], url).await, Some(AddressRefused::Network), "{url}");
        }
        assert_eq!(judge(&[], "https://hooks.example.com/").await, None, "a name is judged when it is connected to");
        assert_eq!(judge(&[], "http://hooks.example.com/").await, Some(AddressRefused::Plain));
        assert_eq!(judge(&["127.0.0.0/8", "::1/128"], "http://localhost:8080/").await, None);
        assert_eq!(judge(&["10.0.0.0/8"], "http://10.0.0.1/").await, Some(AddressRefused::Plain));
        assert_eq!(judge(&["10.0.0.0/8"], "https://10.0.0.1/").await, None);
    }

    #[tokio::test]
    async fn plain_http_goes_to_this_machine_alone() {
        let connector = connector(&["10.0.0.0/8", "127.0.0.0/8"]);
        assert_eq!(refused(&connector, "http://10.0.0.1/", Destination::Entered).await, Some(AddressRefused::Plain));
        assert_eq!(refused(&connector, "http://1.1.1.1/", Destination::Entered).await, Some(AddressRefused::Plain));
        assert_eq!(refused(&connector, "http://127.0.0.1/", Destination::Fixed).await, Some(AddressRefused::Plain));
        assert_eq!(refused(&connector, "http://127.0.0.1/", Destination::Entered).await, None);
        assert_eq!(refused(&connector, "ftp://1.1.1.1/", Destination::Entered).await, Some(AddressRefused::Form));
    }

    #[tokio::test]
    async fn what_whoever_runs_this_machine_chose_may_be_anywhere_and_over_plain_http() {
        let connector = connector(&[]);
        for url in
            ["http://10.0.0.1:4318/", "http://127.0.0.1/", "https://[fd00::1]/", "http://collector:4318/v1/traces"]
        {
            assert_eq!(refused(&connector, url, Destination::Chosen).await, None, "{url}");
        }
        assert_eq!(refused(&connector, "ftp://10.0.0.1/", Destination::Chosen).await, Some(AddressRefused::Form));
    }

    #[tokio::test]
    async fn what_the_settings_allow_is_no_matter_for_fixed_hosts() {
        let connector = connector(&["10.0.0.0/8"]);
        assert_eq!(refused(&connector, "https://10.0.0.1/", Destination::Entered).await, None);
        assert_eq!(refused(&connector, "https://10.0.0.1/", Destination::Fixed).await, Some(AddressRefused::Network));
    }

    #[test]
    fn one_bad_address_among_many_refuses_the_name() {
        let guard = connector(&[]).guard(Kind::Encrypted);
        let of = |texts: &[&str]| guard.judge_all(texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)));
        assert_eq!(of(&["1.1.1.1", "2603:1036::1"]).map(|all| all.len()), Ok(2));
        assert_eq!(of(&["1.1.1.1", "127.0.0.1"]), Err(AddressRefused::Network));
        assert_eq!(of(&["::ffff:169.254.169.254", "1.1.1.1"]), Err(AddressRefused::Network));
    }

    #[test]
    fn a_name_is_handed_to_a_proxy_unless_it_leads_within_or_is_reserved_for_networks_within() {
        let judge = |allowed: &[&str], name: &str, addresses: &[&str]| {
            let addresses: Vec<_> = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
            connector(allowed).guard(Kind::Encrypted).judge_before_proxy(name, &addresses)
        };
        let refused = Err(AddressRefused::Network);
        assert_eq!(judge(&[], "graph.example.com", &["1.1.1.1"]), Ok(()));
        assert_eq!(judge(&[], "graph.example.com", &["1.1.1.1", "10.0.0.1"]), refused);
        assert_eq!(judge(&["10.0.0.0/8"], "graph.example.com", &["10.0.0.1"]), Ok(()));
        assert_eq!(judge(&[], "rebound.example.com", &["169.254.169.254"]), refused);
        assert_eq!(judge(&[], "graph.example.com", &[]), Ok(()));
        for name in ["intranet", "metadata.google.internal", "Printer.LOCAL", "router.home.arpa.", "a.localhost"] {
            assert_eq!(judge(&[], name, &[]), refused, "{name}");
        }
        assert_eq!(judge(&["10.0.0.0/8"], "vault.corp", &["10.0.0.1"]), Ok(()), "it resolves to what is allowed");
        assert_eq!(judge(&[], "notlocal", &[]), refused, "a name without a dot");
        assert_eq!(judge(&[], "glocal.com", &[]), Ok(()));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused_when_connecting_and_nothing_arrives() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
        let connector = connector(&[]);
        let error = connector.client(&url, Destination::Entered).await.unwrap().get(url).send().await.unwrap_err();
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
        let answer = connector.client(&url, Destination::Entered).await.unwrap().get(url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 302);
    }
}
