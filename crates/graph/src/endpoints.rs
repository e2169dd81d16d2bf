//! Where a cloud lives, and which addresses belong to it.

use std::fmt;

use tenantatlas_net::is_loopback_host;
use url::Url;

use crate::options::ErrorDetail;

/// Version of the Graph API, the first segment of every path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GraphVersion {
    /// `v1.0`
    V1,
    /// `beta`
    Beta,
}

impl GraphVersion {
    /// The path segment.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

impl fmt::Display for GraphVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The sign-in address and the Graph address of one cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloudEndpoints {
    login: Url,
    graph: Url,
    custom: bool,
}

/// Why an address cannot be used for a custom cloud.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Neither `http` nor `https`.
    #[error("the {which} address must start with http:// or https://")]
    Scheme {
        /// `login` or `graph`
        which: &'static str,
    },
    /// No host, or one that cannot carry a path.
    #[error("the {which} address has no host")]
    Host {
        /// `login` or `graph`
        which: &'static str,
    },
    /// Plain HTTP to another machine: secret and token would travel in clear.
    #[error(
        "the {which} address must start with https://; http:// is accepted for this machine only (127.0.0.1, [::1] or localhost)"
    )]
    Plain {
        /// `login` or `graph`
        which: &'static str,
    },
    /// User name, password, query or fragment in the address.
    #[error("the {which} address must be a plain address, without user name, query or fragment")]
    Extra {
        /// `login` or `graph`
        which: &'static str,
    },
}

impl CloudEndpoints {
    /// Global service and GCC.
    #[must_use]
    pub fn global() -> Self {
        Self::microsoft("https://login.microsoftonline.com", "https://graph.microsoft.com")
    }

    /// US Government L4 (GCC High).
    #[must_use]
    pub fn usgov_l4() -> Self {
        Self::microsoft("https://login.microsoftonline.us", "https://graph.microsoft.us")
    }

    /// US Government L5 (DoD).
    #[must_use]
    pub fn usgov_dod() -> Self {
        Self::microsoft("https://login.microsoftonline.us", "https://dod-graph.microsoft.us")
    }

    /// China, operated by 21Vianet.
    #[must_use]
    pub fn china() -> Self {
        Self::microsoft("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn")
    }

    /// A cloud of one's own: a simulator, a test double, a gateway. Paths are allowed and kept. Plain `http` is accepted
    /// for this machine only: a loopback address, `localhost` or a name below it (RFC 6761, section 6.3). Where the names
    /// lead is judged when they are connected to, see [`tenantatlas_net`].
    ///
    /// # Errors
    /// [`EndpointError`] names the address and what is wrong with it.
    pub fn custom(login: Url, graph: Url) -> Result<Self, EndpointError> {
        Ok(Self { login: plain("login", login)?, graph: plain("graph", graph)?, custom: true })
    }

    fn microsoft(login: &str, graph: &str) -> Self {
        let parse = |text: &str| Url::parse(text).expect("a constant address parses");
        Self { login: parse(login), graph: parse(graph), custom: false }
    }

    /// The sign-in address.
    #[must_use]
    pub fn login(&self) -> &Url {
        &self.login
    }

    /// The Graph address, without version.
    #[must_use]
    pub fn graph(&self) -> &Url {
        &self.graph
    }

    /// Whether this is not one of Microsoft's clouds.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.custom
    }

    /// Whether a person may be told what went wrong with an address of this cloud before it has answered.
    pub(crate) fn tells_details(&self, detail: ErrorDetail) -> bool {
        !self.custom || detail == ErrorDetail::Always
    }

    /// The scope that asks for every permission granted to the application.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}/.default", self.graph.as_str().trim_end_matches('/'))
    }

    /// The token endpoint of a tenant, or `None` when the text cannot be a tenant (GUID or domain name).
    pub(crate) fn token_url(&self, tenant: &str) -> Option<Url> {
        let plausible = tenant.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.'))
            && tenant.chars().any(|letter| letter.is_ascii_alphanumeric());
        if !plausible {
            return None;
        }
        let mut url = self.login.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend([tenant, "oauth2", "v2.0", "token"]);
        Some(url)
    }

    /// The address of a resource, or `None` when the path leads out of this Graph.
    pub(crate) fn resource(&self, version: GraphVersion, path_and_query: &str) -> Option<Url> {
        let base = self.graph.as_str().trim_end_matches('/');
        let path = path_and_query.trim_start_matches('/');
        Url::parse(&format!("{base}/{version}/{path}")).ok().filter(|url| self.owns(url))
    }

    /// Resolves a next link against the page it stood on. `None` when it leads to anywhere but this Graph: other
    /// scheme, host, port or base path, or with a user name in it (`docs/rules.md`, section Inventory sync, Reading).
    pub(crate) fn next_link(&self, page: &Url, link: &str) -> Option<Url> {
        page.join(link).ok().filter(|url| self.owns(url))
    }

    /// The path of an address of this Graph, from the version on.
    pub(crate) fn below_graph<'url>(&self, url: &'url Url) -> &'url str {
        url.path().strip_prefix(self.graph.path().trim_end_matches('/')).unwrap_or_default()
    }

    fn owns(&self, url: &Url) -> bool {
        let base = self.graph.path().trim_end_matches('/');
        url.scheme() == self.graph.scheme()
            && url.host() == self.graph.host()
            && url.port_or_known_default() == self.graph.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn plain(which: &'static str, mut url: Url) -> Result<Url, EndpointError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(EndpointError::Scheme { which });
    }
    if url.host_str().is_none_or(str::is_empty) || url.cannot_be_a_base() {
        return Err(EndpointError::Host { which });
    }
    if url.scheme() == "http" && !is_loopback_host(&url) {
        return Err(EndpointError::Plain { which });
    }
    let extra = !url.username().is_empty() || url.password().is_some();
    if extra || url.query().is_some() || url.fragment().is_some() {
        return Err(EndpointError::Extra { which });
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use tenantatlas_domain::path_segment::path_segment;

    use super::*;

    fn custom(graph: &str) -> CloudEndpoints {
        CloudEndpoints::custom(Url::parse("http://127.0.0.1:9/login/").unwrap(), Url::parse(graph).unwrap()).unwrap()
    }

    fn page(endpoints: &CloudEndpoints) -> Url {
        endpoints.resource(GraphVersion::Beta, "deviceManagement/things?$top=2").unwrap()
    }

    #[test]
    fn a_custom_cloud_keeps_its_paths() {
        let endpoints = custom("http://127.0.0.1:9/graph/");
        assert_eq!(endpoints.scope(), "http://127.0.0.1:9/graph/.default");
        assert_eq!(endpoints.token_url("contoso.com").unwrap().path(), "/login/contoso.com/oauth2/v2.0/token");
        assert_eq!(page(&endpoints).as_str(), "http://127.0.0.1:9/graph/beta/deviceManagement/things?$top=2");
    }

    #[test]
    fn the_scope_of_a_microsoft_cloud_has_one_slash() {
        assert_eq!(CloudEndpoints::global().scope(), "https://graph.microsoft.com/.default");
        assert_eq!(CloudEndpoints::china().scope(), "https://microsoftgraph.chinacloudapi.cn/.default");
    }

    #[test]
    fn a_tenant_that_is_no_name_has_no_token_url() {
        for tenant in ["", "..", "a/b", "a?b", "a b", "../common"] {
            assert!(CloudEndpoints::global().token_url(tenant).is_none(), "{tenant}");
        }
    }

    #[test]
    fn links_within_the_base_path_are_followed() {
        let endpoints = custom("http://127.0.0.1:9/graph");
        for link in ["http://127.0.0.1:9/graph/beta/x?$skiptoken=a%2Fb", "/graph/beta/x", "?$skiptoken=2"] {
            assert!(endpoints.next_link(&page(&endpoints), link).is_some(), "{link}");
        }
    }

    #[test]
    fn links_to_anywhere_else_are_refused() {
        let endpoints = custom("http://127.0.0.1:9/graph");
        for link in [
            "https://127.0.0.1:9/graph/beta/x",
            "http://127.0.0.1:10/graph/beta/x",
            "http://127.0.0.1/graph/beta/x",
            "http://localhost:9/graph/beta/x",
            "http://127.0.0.1:9@evil.example/graph/beta/x",
            "http://me@127.0.0.1:9/graph/beta/x",
            "http://127.0.0.1:9/graphics/beta/x",
            "http://127.0.0.1:9/graph/../login/x",
            "http://127.0.0.1:9/graph/%2e%2e/login/x",
            "//evil.example/graph/beta/x",
            "\\\\evil.example/graph",
            "file:///etc/passwd",
        ] {
            assert!(endpoints.next_link(&page(&endpoints), link).is_none(), "{link}");
        }
        let global = CloudEndpoints::global();
        for link in ["https://graph.microsoft.com.evil.example/beta/x", "https://graph.microsoft.us/beta/x"] {
            assert!(global.next_link(&page(&global), link).is_none(), "{link}");
        }
        assert!(global.next_link(&page(&global), "https://GRAPH.microsoft.com:443/beta/x").is_some());
    }

    #[test]
    fn a_wrong_address_is_named() {
        let login = || Url::parse("http://127.0.0.1/login").unwrap();
        let refused = |graph: &str| CloudEndpoints::custom(login(), Url::parse(graph).unwrap()).unwrap_err();
        assert_eq!(refused("ftp://host/x"), EndpointError::Scheme { which: "graph" });
        assert_eq!(refused("https://user:pw@host/x"), EndpointError::Extra { which: "graph" });
        assert_eq!(refused("https://host/x?y"), EndpointError::Extra { which: "graph" });
    }

    #[test]
    fn no_secret_goes_to_another_machine_in_clear() {
        let login = || Url::parse("https://login.example/").unwrap();
        let made = |graph: &str| CloudEndpoints::custom(login(), Url::parse(graph).unwrap());
        for graph in ["http://graph.example/", "http://10.0.0.1/", "http://0.0.0.0/", "http://127.0.0.1.example/"] {
            assert_eq!(made(graph).unwrap_err(), EndpointError::Plain { which: "graph" }, "{graph}");
        }
        for graph in ["http://127.0.0.1/", "http://[::1]:8400/graph", "http://localhost:8400/", "https://10.0.0.1/"] {
            assert!(made(graph).is_ok(), "{graph}");
        }
        let swapped = CloudEndpoints::custom(Url::parse("http://login.example/").unwrap(), login()).unwrap_err();
        assert_eq!(swapped, EndpointError::Plain { which: "login" });
    }

    proptest! {
        #[test]
        fn whatever_a_link_says_only_the_own_graph_is_asked(link in "\\PC{0,80}") {
            let endpoints = custom("http://127.0.0.1:9/graph");
            if let Some(url) = endpoints.next_link(&page(&endpoints), &link) {
                prop_assert!(url.as_str().starts_with("http://127.0.0.1:9/graph/"));
            }
        }

        #[test]
        fn a_link_to_another_host_is_refused(host in "[a-z]{1,12}(\\.[a-z]{2,8}){1,3}", rest in "[a-z0-9/?=$]{0,20}") {
            let global = CloudEndpoints::global();
            prop_assume!(host != "graph.microsoft.com");
            let link = format!("https://{host}/beta/{rest}");
            prop_assert!(global.next_link(&page(&global), &link).is_none());
        }

        #[test]
        fn an_encoded_segment_stays_one_segment(text in "\\PC{1,30}") {
            let endpoints = custom("http://127.0.0.1:9/graph");
            let url = endpoints.resource(GraphVersion::V1, &format!("things/{}/child", path_segment(&text))).unwrap();
            prop_assert_eq!(url.path_segments().unwrap().count(), 5);
            prop_assert!(url.query().is_none());
        }
    }
}
