//! Scripts that register the application with which TenantAtlas signs in to a tenant.
//!
//! A person runs one of them, signed in to the tenant as an administrator. It registers the application, gives it the certificate
//! that was made here, or makes a client secret on that machine, grants the permissions, and shows what has to be entered here.
//! The scripts hold no secret. Running one again repairs what is missing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::registry::{AppPermission, GRAPH_APP_ID};

/// Characters of a line of PEM.
const LINE: usize = 64;

/// The public half of a certificate, as it is written into a script: base64 that was made here, whatever was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicCertificate {
    base64: String,
}

impl PublicCertificate {
    /// Reads a certificate in PEM form. `None` when it is anything else, or more than that.
    #[must_use]
    pub fn of_pem(text: &str) -> Option<Self> {
        let body =
            text.trim().strip_prefix("-----BEGIN CERTIFICATE-----")?.strip_suffix("-----END CERTIFICATE-----")?;
        let der = STANDARD.decode(body.lines().map(str::trim).collect::<String>()).ok()?;
        // A certificate is a sequence.
        (der.first() == Some(&0x30)).then(|| Self { base64: STANDARD.encode(der) })
    }

    /// The certificate in PEM form, without a line break at its end.
    #[must_use]
    pub fn pem(&self) -> String {
        let mut lines = vec!["-----BEGIN CERTIFICATE-----"];
        let mut rest = self.base64.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(LINE.min(rest.len()));
            lines.push(line);
            rest = after;
        }
        lines.push("-----END CERTIFICATE-----");
        lines.join("\n")
    }

    /// What the application calls it at Microsoft, by which a script that runs again finds it.
    #[must_use]
    pub fn label(&self) -> String {
        let digest = Sha256::digest(&self.base64);
        format!("TenantAtlas {:08x}", digest.iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)))
    }
}

/// What the application proves itself by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptCredential<'a> {
    /// A certificate whose private key is kept here.
    Certificate(&'a PublicCertificate),
    /// A client secret, which the script makes.
    Secret,
}

/// What a script is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptShell {
    /// Bash with the Azure CLI, as Azure Cloud Shell has it.
    AzureCli,
    /// PowerShell 7 with the Microsoft Graph module.
    PowerShell,
}

impl ScriptShell {
    /// Both, the one that needs nothing installed first.
    pub const ALL: [Self; 2] = [Self::AzureCli, Self::PowerShell];

    /// The words for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AzureCli => "Azure CLI (Bash, for example in Azure Cloud Shell)",
            Self::PowerShell => "PowerShell 7",
        }
    }
}

/// The script for a shell and a credential. It names the permissions and, where there is one, the address to which Microsoft leads
/// back after admin consent.
#[must_use]
pub fn script(
    shell: ScriptShell,
    credential: ScriptCredential<'_>,
    permissions: &[AppPermission],
    return_to: Option<&str>,
) -> String {
    let (text, part) = match (shell, credential) {
        (ScriptShell::AzureCli, ScriptCredential::Certificate(_)) => {
            (include_str!("app_registration/register.sh"), include_str!("app_registration/certificate.sh"))
        }
        (ScriptShell::AzureCli, ScriptCredential::Secret) => {
            (include_str!("app_registration/register.sh"), include_str!("app_registration/secret.sh"))
        }
        (ScriptShell::PowerShell, ScriptCredential::Certificate(_)) => {
            (include_str!("app_registration/register.ps1"), include_str!("app_registration/certificate.ps1"))
        }
        (ScriptShell::PowerShell, ScriptCredential::Secret) => {
            (include_str!("app_registration/register.ps1"), include_str!("app_registration/secret.ps1"))
        }
    };
    let quote = |permission: &AppPermission| match shell {
        ScriptShell::AzureCli => format!("  {} # {}\n", permission.app_role_id, permission.name),
        ScriptShell::PowerShell => format!("  '{}' # {}\n", permission.app_role_id, permission.name),
    };
    let roles: String = permissions.iter().map(quote).collect();
    let back = match (shell, return_to) {
        (_, None) => String::new(),
        (ScriptShell::AzureCli, Some(_)) => include_str!("app_registration/return.sh").to_owned(),
        (ScriptShell::PowerShell, Some(_)) => include_str!("app_registration/return.ps1").to_owned(),
    };
    // Within single quotes of both shells nothing but these means anything.
    let address = return_to.unwrap_or_default().replace('\'', "%27");
    let text = text
        .replace("@RETURN@\n", &back)
        .replace("@ADDRESS@", &address)
        .replace("@CREDENTIAL@\n", part)
        .replace("@ROLES@\n", &roles)
        .replace("@GRAPH@", GRAPH_APP_ID);
    match credential {
        ScriptCredential::Certificate(one) => {
            text.replace("@CERTIFICATE@", &one.pem()).replace("@LABEL@", &one.label())
        }
        ScriptCredential::Secret => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB+/8A\nAAAA\n-----END CERTIFICATE-----\n";

    const BACK: &str = "https://atlas.example.com/consent";

    fn certificate() -> PublicCertificate {
        PublicCertificate::of_pem(PEM).expect("a certificate")
    }

    /// Each script with the permissions of a connection.
    fn scripts() -> Vec<String> {
        let (permissions, certificate) = (registry().connection_permissions(), certificate());
        let credentials = [ScriptCredential::Certificate(&certificate), ScriptCredential::Secret];
        ScriptShell::ALL
            .into_iter()
            .flat_map(|shell| credentials.map(|credential| script(shell, credential, &permissions, Some(BACK))))
            .collect()
    }

    /// What a script says it grants: the id and the name of each app role.
    fn granted(script: &str) -> Vec<(&str, &str)> {
        script
            .lines()
            .filter_map(|line| line.split_once(" # "))
            .map(|(id, name)| (id.trim().trim_matches('\''), name.trim()))
            .filter(|(id, _)| id.len() == 36)
            .collect()
    }

    #[test]
    fn every_script_grants_exactly_what_the_check_of_a_connection_looks_for() {
        let wanted: Vec<(&str, &str)> =
            registry().connection_permissions().iter().map(|one| (one.app_role_id, one.name)).collect();
        for script in scripts() {
            assert_eq!(granted(&script), wanted, "{script}");
            for place in ["@ROLES@", "@CREDENTIAL@", "@GRAPH@", "@CERTIFICATE@", "@LABEL@", "@RETURN@", "@ADDRESS@"] {
                assert!(!script.contains(place), "{place} is left in {script}");
            }
            assert!(script.contains(GRAPH_APP_ID));
            assert!(
                script.contains(BACK),
                "Microsoft leads nobody back to an address that the application does not name"
            );
        }
    }

    #[test]
    fn a_script_never_puts_a_secret_into_an_address_a_file_name_or_a_command_line() {
        for script in scripts() {
            for line in script.lines().filter(|line| line.contains("--url") || line.contains("-Uri")) {
                assert!(!line.to_lowercase().contains("secret"), "{line}");
            }
            assert!(!script.contains("--password") && !script.contains("set -x"), "{script}");
        }
    }

    #[test]
    fn no_script_makes_or_shows_a_private_key_so_that_none_passes_through_a_shell_or_a_clipboard() {
        for script in scripts() {
            for word in ["PRIVATE KEY", "openssl", "-keyout", "[Security.Cryptography.RSA]", "ExportPkcs8"] {
                assert!(!script.contains(word), "{word} in {script}");
            }
        }
    }

    #[test]
    fn the_certificate_stands_whole_in_the_scripts_for_it_and_running_them_again_adds_none() {
        let certificate = certificate();
        let with: Vec<String> = scripts().into_iter().filter(|script| script.contains(&certificate.pem())).collect();
        assert_eq!(with.len(), 2);
        assert!(with.iter().all(|script| script.matches(&certificate.label()).count() == 2));
    }

    #[test]
    fn neither_a_certificate_nor_an_address_ends_the_quotes_around_it() {
        for script in scripts().iter().filter(|script| script.contains("<<")) {
            assert!(script.contains("<<'END_OF_CERTIFICATE'"), "base64 has no such line: {script}");
        }
        let quoted = script(ScriptShell::AzureCli, ScriptCredential::Secret, &[], Some("https://x/';reboot;'"));
        assert!(quoted.contains("'https://x/%27;reboot;%27'"), "{quoted}");
    }

    #[test]
    fn nothing_but_a_certificate_gets_into_a_script_that_an_administrator_runs() {
        let hostile =
            ["$(reboot)", "'@\nreboot", "PEM\nreboot", "`reboot`", "", "AAAA\n\nAAAA", "AA AA", "AAAA; reboot"];
        for text in hostile {
            let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
            assert_eq!(PublicCertificate::of_pem(&pem), None, "{text}");
        }
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for text in [key.to_owned(), format!("{PEM}{key}"), format!("{key}{PEM}"), format!("{PEM}{PEM}")] {
            assert_eq!(PublicCertificate::of_pem(&text), None, "{text}");
        }
    }
}
