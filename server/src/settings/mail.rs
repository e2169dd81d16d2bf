//! Which mail server sends, and as whom.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_engine::{MailConfig, MailTls};

use super::wrong;
use crate::cli::secret_input;
use crate::exit::Exit;

/// Options for mail. Without `smtp_host` none is sent.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct MailOptions {
    /// The host of the SMTP server by which mail is sent [default: none, and no mail]
    #[arg(long, global = true, env = "TENANTATLAS_SMTP_HOST", value_name = "HOST", help_heading = "Settings")]
    pub smtp_host: Option<String>,
    /// Its port [default: 587 with starttls, 465 with tls, 25 with none]
    #[arg(long, global = true, env = "TENANTATLAS_SMTP_PORT", value_name = "PORT", help_heading = "Settings")]
    pub smtp_port: Option<String>,
    /// How the connection to it is protected: starttls, which is then required, tls, or none, which only a server on this
    /// machine may have [default: starttls]
    #[arg(long, global = true, env = "TENANTATLAS_SMTP_TLS", value_name = "HOW", help_heading = "Settings")]
    pub smtp_tls: Option<String>,
    /// The name with which one signs in to it [default: none]
    #[arg(long, global = true, env = "TENANTATLAS_SMTP_USER", value_name = "NAME", help_heading = "Settings")]
    pub smtp_user: Option<String>,
    /// The password for that. Better by the environment or a file, since other people of the machine see command lines
    #[arg(
        long,
        global = true,
        env = "TENANTATLAS_SMTP_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD",
        help_heading = "Settings"
    )]
    pub smtp_password: Option<SecretString>,
    /// The file whose first line is that password
    #[arg(long, global = true, env = "TENANTATLAS_SMTP_PASSWORD_FILE", value_name = "FILE", help_heading = "Settings")]
    pub smtp_password_file: Option<PathBuf>,
    /// The sender of mail, such as "TenantAtlas <atlas@example.com>"
    #[arg(long, global = true, env = "TENANTATLAS_SMTP_FROM", value_name = "ADDRESS", help_heading = "Settings")]
    pub smtp_from: Option<String>,
}

impl MailOptions {
    /// These, and where they say nothing those.
    pub(super) fn or(self, file: Self) -> Self {
        Self {
            smtp_host: self.smtp_host.or(file.smtp_host),
            smtp_port: self.smtp_port.or(file.smtp_port),
            smtp_tls: self.smtp_tls.or(file.smtp_tls),
            smtp_user: self.smtp_user.or(file.smtp_user),
            smtp_password: self.smtp_password,
            smtp_password_file: self.smtp_password_file.or(file.smtp_password_file),
            smtp_from: self.smtp_from.or(file.smtp_from),
        }
    }

    /// What they mean; nothing without a host.
    ///
    /// # Errors
    /// One sentence that names the setting, and says what was expected.
    pub(super) fn read(self) -> Result<Option<MailConfig>, Exit> {
        let Some(host) = self.smtp_host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()) else {
            return Ok(None);
        };
        let (tls, usual) = match self.smtp_tls.as_deref().unwrap_or("starttls") {
            "starttls" => (MailTls::StartTls, 587),
            "tls" => (MailTls::Implicit, 465),
            "none" if matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1") => (MailTls::PlainToThisMachine, 25),
            "none" => {
                return Err(wrong(&format!(
                    "the setting smtp_tls (TENANTATLAS_SMTP_TLS) is \"none\", which only a mail server on this machine may have, and smtp_host is \"{host}\": expected starttls or tls"
                )));
            }
            other => {
                return Err(wrong(&format!(
                    "the setting smtp_tls (TENANTATLAS_SMTP_TLS) is \"{other}\": expected starttls, tls, or none for a mail server on this machine"
                )));
            }
        };
        let port = match self.smtp_port.as_deref() {
            None => usual,
            Some(text) => text.trim().parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                wrong(&format!(
                    "the setting smtp_port (TENANTATLAS_SMTP_PORT) is \"{text}\": expected a port such as 587"
                ))
            })?,
        };
        let from = self.smtp_from.ok_or_else(|| {
            wrong("smtp_host is set and smtp_from (TENANTATLAS_SMTP_FROM) is not: expected the sender of mail, such as atlas@example.com")
        })?;
        let from = MailConfig::sender(&from).map_err(|expected| {
            wrong(&format!("the setting smtp_from (TENANTATLAS_SMTP_FROM) is \"{from}\": {expected}"))
        })?;
        let password = match (self.smtp_password, &self.smtp_password_file) {
            (Some(password), _) => Some(password),
            (None, Some(file)) => Some(secret_input::first_line(file, "password of the mail server")?),
            (None, None) => None,
        };
        let login = match (self.smtp_user, password.filter(|password| !password.expose_secret().is_empty())) {
            (None, None) => None,
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) | (None, Some(_)) => {
                return Err(wrong(
                    "smtp_user (TENANTATLAS_SMTP_USER) and a password (TENANTATLAS_SMTP_PASSWORD or smtp_password_file) go together: set both, or neither",
                ));
            }
        };
        Ok(Some(MailConfig { host, port, tls, login, from }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(change: impl FnOnce(&mut MailOptions)) -> MailOptions {
        let mut options = MailOptions {
            smtp_host: Some("mail.example.com".to_owned()),
            smtp_from: Some("TenantAtlas <atlas@example.com>".to_owned()),
            ..MailOptions::default()
        };
        change(&mut options);
        options
    }

    #[test]
    fn a_connection_in_clear_is_for_a_server_on_this_machine_alone() {
        let tls = |host: &str, tls: Option<&str>| {
            let read = options(|options| {
                options.smtp_host = Some(host.to_owned());
                options.smtp_tls = tls.map(ToOwned::to_owned);
            })
            .read();
            read.map(|config| config.map(|config| (config.tls, config.port))).map_err(|error| error.to_string())
        };
        assert_eq!(tls("mail.example.com", None), Ok(Some((MailTls::StartTls, 587))));
        assert_eq!(tls("mail.example.com", Some("tls")), Ok(Some((MailTls::Implicit, 465))));
        assert_eq!(tls("127.0.0.1", Some("none")), Ok(Some((MailTls::PlainToThisMachine, 25))));
        assert!(tls("mail.example.com", Some("none")).is_err_and(|error| error.contains("TENANTATLAS_SMTP_TLS")));
        assert!(tls("mail.example.com", Some("ssl")).is_err_and(|error| error.contains("expected starttls")));
        assert_eq!(MailOptions::default().read().map(|config| config.is_none()).ok(), Some(true));
    }

    #[test]
    fn what_is_lacking_or_wrong_is_named_and_a_password_is_not_repeated() {
        for (change, named) in [
            (options(|options| options.smtp_from = None), "TENANTATLAS_SMTP_FROM"),
            (options(|options| options.smtp_from = Some("nobody".to_owned())), "TENANTATLAS_SMTP_FROM"),
            (options(|options| options.smtp_port = Some("0".to_owned())), "TENANTATLAS_SMTP_PORT"),
            (options(|options| options.smtp_user = Some("atlas".to_owned())), "TENANTATLAS_SMTP_PASSWORD"),
            (options(|options| options.smtp_password = Some("hunter2".into())), "TENANTATLAS_SMTP_USER"),
        ] {
            let error = change.read().expect_err("refused").to_string();
            assert!(error.contains(named) && !error.contains("hunter2"), "{error}");
        }
    }
}
