//! How this program reaches others: which authorities it trusts, and by which proxy it goes.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::IpNet;
use tenantatlas_engine::{MailConfig, OutgoingConfig};
use tenantatlas_net::{Authorities, LARGEST_FILE, Proxies};
use url::Url;

use super::{networks, wrong};
use crate::exit::Exit;

/// How others are reached.
#[derive(Clone)]
pub struct Outgoing {
    /// Networks that may be asked although they are not public, where a person entered the address.
    pub allowed_networks: Vec<IpNet>,
    /// Certificate authorities that are trusted besides those of the system.
    pub authorities: Authorities,
    /// By which proxy others are reached.
    pub proxies: Proxies,
    /// Where people find this site.
    pub public_url: Option<Url>,
    /// Which mail server sends.
    pub mail: Option<MailConfig>,
}

impl Outgoing {
    /// The same for the engine, which tells others of what happens.
    pub fn config(&self) -> OutgoingConfig {
        OutgoingConfig {
            allowed_networks: self.allowed_networks.clone(),
            proxies: self.proxies.clone(),
            authorities: self.authorities.clone(),
            public_url: self.public_url.clone(),
            mail: self.mail.clone(),
        }
    }
}

/// This machine.
const LOOPBACK: [IpNet; 2] = [
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

/// Puts the settings and the variables for proxies together.
///
/// # Errors
/// One sentence that names the setting or the variable, and says what was expected.
pub(super) fn read(
    allowed: Option<&str>,
    ca_file: Option<&Path>,
    public_url: Option<&str>,
    mail: Option<MailConfig>,
    demo: bool,
) -> Result<Outgoing, Exit> {
    let setting = "allowed_networks (TENANTATLAS_ALLOWED_NETWORKS)";
    let mut allowed_networks = networks(setting, allowed.unwrap_or_default())?;
    if demo {
        // The simulated cloud of the demo runs in this process.
        allowed_networks.extend(LOOPBACK);
    }
    let authorities = ca_file.map(authorities).transpose()?.unwrap_or_default();
    let proxies = Proxies::from_environment().map_err(|error| wrong(&error.to_string()))?;
    let public_url = public_url.map(site).transpose()?;
    Ok(Outgoing { allowed_networks, authorities, proxies, public_url, mail })
}

/// The address of this site.
fn site(text: &str) -> Result<Url, Exit> {
    let url = Url::parse(text.trim()).ok().filter(|url| {
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        matches!(url.scheme(), "http" | "https") && url.host().is_some() && bare && url.fragment().is_none()
    });
    url.ok_or_else(|| {
        wrong(&format!(
            "the setting public_url (TENANTATLAS_PUBLIC_URL) is \"{text}\": expected where people find this site, such as https://atlas.example.com"
        ))
    })
}

/// The certificate authorities in a file.
fn authorities(path: &Path) -> Result<Authorities, Exit> {
    let refused = |what: String| {
        wrong(&format!("the setting ca_file (TENANTATLAS_CA_FILE) names {}, which {what}", path.display()))
    };
    let text = content(path).map_err(refused)?;
    Authorities::from_pem(&text).map_err(|error| refused(error.to_string()))
}

/// What is in a file, up to a little more than may be.
fn content(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| {
        format!("cannot be read ({error}): expected a file with the certificates of authorities as PEM")
    };
    // A pipe would be waited for, and a folder says so later than it could.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("is no file: expected one with the certificates of authorities as PEM".to_owned());
    }
    let mut text = Vec::new();
    let most = LARGEST_FILE as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)).map_err(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_empty_or_a_folder_is_named_in_one_sentence() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").expect("written");
        for (path, wanted) in [
            (folder.path().join("missing.pem"), "cannot be read"),
            (empty, "holds no certificate"),
            (folder.path().to_owned(), "is no file"),
        ] {
            let error = authorities(&path).expect_err("refused").to_string();
            assert!(error.contains(wanted) && error.contains("TENANTATLAS_CA_FILE"), "{error}");
            assert!(error.contains(&path.display().to_string()) && !error.contains('\n'), "{error}");
        }
    }
}
