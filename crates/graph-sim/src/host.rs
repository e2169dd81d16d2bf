//! The hosts of Microsoft's clouds, which this cloud stands in for where a client believes to be there
//! (Microsoft, "National cloud deployments").

/// A sign-in service with the Graph that accepts its tokens.
struct National {
    login: &'static str,
    graph: &'static [&'static str],
}

const CLOUDS: [National; 4] = [
    National { login: "login.microsoftonline.com", graph: &["graph.microsoft.com"] },
    National { login: "login.microsoftonline.us", graph: &["graph.microsoft.us", "dod-graph.microsoft.us"] },
    National { login: "login.chinacloudapi.cn", graph: &["microsoftgraph.chinacloudapi.cn"] },
    National { login: "login.partner.microsoftonline.cn", graph: &["microsoftgraph.chinacloudapi.cn"] },
];

/// What a host of Microsoft is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Tokens.
    Login,
    /// Graph.
    Graph,
}

/// What a host is for, without port; `None` for one that is none of Microsoft's.
#[must_use]
pub fn service_of(host: &str) -> Option<Service> {
    CLOUDS.iter().find_map(|cloud| {
        if cloud.login.eq_ignore_ascii_case(host) {
            return Some(Service::Login);
        }
        cloud.graph.iter().any(|graph| graph.eq_ignore_ascii_case(host)).then_some(Service::Graph)
    })
}

/// All of them, each once.
#[must_use]
pub fn all() -> Vec<&'static str> {
    let mut hosts: Vec<_> = CLOUDS.iter().flat_map(|cloud| cloud.graph.iter().copied().chain([cloud.login])).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// The addresses of Graph for which a sign-in service of Microsoft issues tokens; none for any other address.
#[must_use]
pub fn graphs_of(login: &str) -> Vec<String> {
    let host = login.strip_prefix("https://").unwrap_or_default();
    let found = CLOUDS.iter().find(|cloud| cloud.login.eq_ignore_ascii_case(host));
    found.map_or_else(Vec::new, |cloud| cloud.graph.iter().map(|graph| format!("https://{graph}")).collect())
}

/// The host in a `Host` header or the authority of a URL, without port.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_service_issues_tokens_for_the_graph_of_its_own_cloud_alone() {
        assert_eq!(graphs_of("https://login.microsoftonline.com"), ["https://graph.microsoft.com"]);
        assert!(graphs_of("http://127.0.0.1:1/login").is_empty());
        assert_eq!(service_of("Graph.Microsoft.com"), Some(Service::Graph));
        assert_eq!(service_of("graph.microsoft.com.example.com"), None);
        assert_eq!(without_port("[::1]:443"), "[::1]");
        assert_eq!(without_port("graph.microsoft.com"), "graph.microsoft.com");
    }
}
