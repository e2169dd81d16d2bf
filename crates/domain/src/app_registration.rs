//! Scripts that register the application with which TenantAtlas signs in to a tenant.
//!
//! A person runs one of them, signed in to the tenant as an administrator. It registers the application, makes its
//! credential on that machine, grants the permissions, and shows what has to be entered here. The scripts hold no secret:
//! what is secret is made where they run. Running one again repairs what is missing and adds a credential.

use crate::registry::{AppPermission, GRAPH_APP_ID};

/// What the application proves itself by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptCredential {
    /// A certificate and its private key.
    Certificate,
    /// A client secret.
    Secret,
}

impl ScriptCredential {
    /// Both, the safer one first.
    pub const ALL: [Self; 2] = [Self::Certificate, Self::Secret];
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

/// The script for a shell and a credential. It names the permissions and nothing else of the tenant.
#[must_use]
pub fn script(shell: ScriptShell, credential: ScriptCredential, permissions: &[AppPermission]) -> String {
    let (text, part) = match (shell, credential) {
        (ScriptShell::AzureCli, ScriptCredential::Certificate) => {
            (include_str!("app_registration/register.sh"), include_str!("app_registration/certificate.sh"))
        }
        (ScriptShell::AzureCli, ScriptCredential::Secret) => {
            (include_str!("app_registration/register.sh"), include_str!("app_registration/secret.sh"))
        }
        (ScriptShell::PowerShell, ScriptCredential::Certificate) => {
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
    text.replace("@CREDENTIAL@\n", part).replace("@ROLES@\n", &roles).replace("@GRAPH@", GRAPH_APP_ID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::registry;

    /// Each script with the permissions of a connection.
    fn scripts() -> Vec<String> {
        let permissions = registry().connection_permissions();
        ScriptShell::ALL
            .into_iter()
            .flat_map(|shell| ScriptCredential::ALL.map(|credential| script(shell, credential, &permissions)))
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
            for place in ["@ROLES@", "@CREDENTIAL@", "@GRAPH@"] {
                assert!(!script.contains(place), "{place} is left in {script}");
            }
            assert!(script.contains(GRAPH_APP_ID));
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
    fn only_the_script_for_a_certificate_makes_a_key() {
        let permissions = registry().connection_permissions();
        for shell in ScriptShell::ALL {
            let with = script(shell, ScriptCredential::Certificate, &permissions);
            let without = script(shell, ScriptCredential::Secret, &permissions);
            assert!(with.contains("PRIVATE KEY") || with.contains("-keyout"));
            assert!(!without.contains("PRIVATE KEY") && !without.contains("-keyout"));
        }
    }
}
