//! The proxy that whoever runs this machine chose, by the variables that other programs read too.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::networks::is_loopback_host;

/// Variables that name the proxy for `https` addresses; the first that is set counts, capital letters before small ones.
const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Variables that name the hosts that are asked without it.
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Which requests go by way of a proxy. The default: none.
///
/// Plain HTTP never does, since it goes to this machine alone: `HTTP_PROXY` has nothing to say. Nor does what is this
/// machine by its spelling, for which a proxy would take itself.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<Url>,
    exempt: String,
}

/// A variable that was not understood. It may hold a password, so its value is not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the variable {0} was not understood: expected the address of a proxy such as http://proxy.example.com:3128 or http://USER:PASSWORD@proxy.example.com:3128"
)]
pub struct ProxyError(&'static str);

impl Proxies {
    /// What the variables of this process say.
    ///
    /// # Errors
    /// With the variable that was not understood.
    pub fn from_environment() -> Result<Self, ProxyError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// What these variables say. One that is empty is not set.
    ///
    /// # Errors
    /// With the variable that was not understood.
    pub fn from_variables(value: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let set = |name: &str| value(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let https = match PROXY.into_iter().find_map(|name| set(name).map(|text| (name, text))) {
            Some((name, text)) => Some(address(&text).ok_or(ProxyError(name))?),
            None => None,
        };
        Ok(Self { https, exempt: EXEMPT.into_iter().find_map(set).unwrap_or_default() })
    }

    /// Where the proxy is, with name and password.
    pub(crate) fn address(&self) -> Option<&Url> {
        self.https.as_ref()
    }

    /// The proxy for a request to this address.
    pub(crate) fn for_url(&self, url: &Url) -> Option<&Url> {
        let proxy = self.https.as_ref()?;
        if url.scheme() != "https" || is_loopback_host(url) {
            return None;
        }
        // The matcher knows the rules of `NO_PROXY`; the address it answers with does not matter.
        let matcher = Matcher::builder().all("http://proxy.invalid").no(self.exempt.as_str()).build();
        let asked = url.as_str().parse().ok()?;
        matcher.intercept(&asked).map(|_| proxy)
    }
}

/// Tells the host, and neither name nor password.
impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let https = self.https.as_ref().map(|url| (url.host_str(), url.port_or_known_default()));
        formatter.debug_struct("Proxies").field("https", &https).field("exempt", &self.exempt).finish()
    }
}

/// The address of a proxy; without a scheme it is one over HTTP.
fn address(text: &str) -> Option<Url> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) }.ok()?;
    let usable = matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.path() == "/";
    (usable && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, ProxyError> {
        Proxies::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = proxies(variables).expect("understood");
        proxies.for_url(&Url::parse(url).expect("a URL")).map(Url::to_string)
    }

    #[test]
    fn capital_letters_come_before_small_ones_and_the_special_before_the_general() {
        let url = "https://graph.microsoft.com/beta";
        let small = ("https_proxy", "http://small:1");
        assert_eq!(proxy(&[small, ("ALL_PROXY", "http://all:1")], url).as_deref(), Some("http://small:1/"));
        assert_eq!(proxy(&[small, ("HTTPS_PROXY", "big:2")], url).as_deref(), Some("http://big:2/"));
        assert_eq!(proxy(&[small, ("HTTPS_PROXY", " ")], url).as_deref(), Some("http://small:1/"));
        assert_eq!(proxy(&[("HTTP_PROXY", "http://x:1")], url), None, "it is for plain HTTP");
    }

    #[test]
    fn hosts_that_are_exempt_and_this_machine_are_asked_directly() {
        let variables = [("HTTPS_PROXY", "http://p:1"), ("no_proxy", "example.com, 10.0.0.0/8")];
        for direct in [
            "https://example.com/",
            "https://a.example.com/",
            "https://10.1.2.3/",
            "https://127.0.0.1/",
            "https://localhost:8443/",
            "https://[::1]/",
            "http://graph.microsoft.com/",
        ] {
            assert_eq!(proxy(&variables, direct), None, "{direct}");
        }
        assert!(proxy(&variables, "https://notexample.com/").is_some());
        let everything = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "*")];
        assert_eq!(proxy(&everything, "https://graph.microsoft.com/"), None);
    }

    #[test]
    fn what_was_not_understood_is_named_and_a_password_is_not_repeated() {
        for wrong in ["http://", "socks5://user:hunter2@p:1", "http://user:hunter2@p:1/path", "http://user:hunter2@p:x"]
        {
            let error = proxies(&[("https_proxy", wrong)]).expect_err(wrong).to_string();
            assert!(error.contains("https_proxy") && !error.contains("hunter2"), "{error}");
        }
        let told = format!("{:?}", proxies(&[("HTTPS_PROXY", "http://user:hunter2@p:1")]));
        assert!(told.contains("\"p\"") && !told.contains("hunter2") && !told.contains("user"), "{told}");
    }
}
