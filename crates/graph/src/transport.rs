//! The connections. Redirects are never followed: a token must not travel to where an answer points.

use std::sync::OnceLock;

use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tenantatlas_domain::reason::ReasonCode;
use url::{Host, Url};

use crate::error::GraphError;
use crate::options::GraphClientOptions;

/// One connection pool per kind of address, opened when first needed: a machine without root certificates can still
/// talk to a simulator over plain HTTP.
#[derive(Default)]
pub(crate) struct Transport {
    pools: [OnceLock<Result<reqwest::Client, GraphError>>; 4],
}

impl Transport {
    pub(crate) fn pool(&self, url: &Url, options: &GraphClientOptions) -> Result<&reqwest::Client, GraphError> {
        let encrypted = url.scheme() != "http";
        let loopback = is_loopback(url);
        let pool = &self.pools[usize::from(encrypted) * 2 + usize::from(loopback)];
        pool.get_or_init(|| open(encrypted, loopback, options)).as_ref().map_err(Clone::clone)
    }
}

fn open(encrypted: bool, loopback: bool, options: &GraphClientOptions) -> Result<reqwest::Client, GraphError> {
    // Whoever installed a provider first keeps it.
    let _ = ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .redirect(Policy::none())
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.idle)
        .tcp_nodelay(true)
        .gzip(true);
    if loopback {
        builder = builder.no_proxy();
    }
    if !encrypted {
        let no_roots = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        builder = builder.tls_backend_preconfigured(no_roots);
    }
    builder.build().map_err(|error| {
        let reason = crate::failure::cause(&error);
        GraphError::new(ReasonCode::Internal, &format!("connections cannot be opened on this machine: {reason}"))
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_known() {
        for (url, expected) in [
            ("http://127.0.0.1:3000/graph", true),
            ("http://[::1]/", true),
            ("http://localhost:9/", true),
            ("https://graph.microsoft.com/", false),
            ("http://127.0.0.1.evil.example/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
