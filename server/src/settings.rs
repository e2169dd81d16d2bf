//! Settings: command-line options before environment variables before the TOML file before the defaults.

mod mail;
mod outgoing;
mod sessions;
mod traces;

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use secrecy::SecretString;
use serde::Deserialize;
use tenantatlas_engine::SessionPolicy;

use self::mail::MailOptions;
use self::outgoing::Outgoing;
use self::traces::TraceOptions;
use crate::exit::{Exit, ExitCode};

/// Options that every command takes. Each has an environment variable and a key of the same meaning in the TOML file.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct SettingsOptions {
    /// A TOML file with any of the keys database_url, data_dir, listen, key_file, metrics_token, trusted_proxies, proxy_hops,
    /// allowed_networks, ca_file, public_url, session_idle, session_lifetime, require_second_factor, smtp_host,
    /// smtp_port, smtp_tls, smtp_user, smtp_password_file, smtp_from, otlp_endpoint, otlp_traces_endpoint, otlp_headers
    #[arg(long, global = true, env = "TENANTATLAS_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Where the records live: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE [default: a SQLite file in the data folder]
    #[arg(
        long,
        global = true,
        env = "TENANTATLAS_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Settings"
    )]
    pub database_url: Option<String>,
    /// The folder for the SQLite file and the key file [default: ~/.local/share/tenantatlas]
    #[arg(long, global = true, env = "TENANTATLAS_DATA_DIR", value_name = "FOLDER", help_heading = "Settings")]
    pub data_dir: Option<PathBuf>,
    /// The key that seals stored secrets; made at first use with mode 0600 [default: tenantatlas.key in the data folder]
    #[arg(long, global = true, env = "TENANTATLAS_KEY_FILE", value_name = "FILE", help_heading = "Settings")]
    pub key_file: Option<PathBuf>,
    /// The address the web server listens on [default: 127.0.0.1:3000]; a worker listens only where this is set
    #[arg(long, global = true, env = "TENANTATLAS_LISTEN", value_name = "ADDRESS:PORT", help_heading = "Settings")]
    pub listen: Option<String>,
    /// Whoever sends this as a bearer token may read /metrics; without one nobody may
    #[arg(
        long,
        global = true,
        env = "TENANTATLAS_METRICS_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help_heading = "Settings"
    )]
    pub metrics_token: Option<SecretString>,
    /// Proxies that are believed about where a request comes from, beside those on this machine: addresses or networks,
    /// with commas between them. They may open any number of connections; other addresses 512
    #[arg(
        long,
        global = true,
        env = "TENANTATLAS_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        help_heading = "Settings"
    )]
    pub trusted_proxies: Option<String>,
    /// How many proxies a request passes on its way here, at most, each of them trusted: so many addresses of
    /// X-Forwarded-For are read, from its end [default: 1, at most 10]
    #[arg(long, global = true, env = "TENANTATLAS_PROXY_HOPS", value_name = "N", help_heading = "Settings")]
    pub proxy_hops: Option<String>,
    /// Networks that a custom cloud or a webhook may lie in although they are not public: addresses or networks, with commas between
    /// them [default: none, not even this machine; 127.0.0.0/8,::1 for a simulated cloud here]
    #[arg(
        long,
        global = true,
        env = "TENANTATLAS_ALLOWED_NETWORKS",
        value_name = "NETWORKS",
        help_heading = "Settings"
    )]
    pub allowed_networks: Option<String>,
    /// A file with certificate authorities (PEM, one or more) to trust besides those of the system, for networks that
    /// inspect TLS. The proxy is the one that HTTPS_PROXY and NO_PROXY name
    #[arg(long, global = true, env = "TENANTATLAS_CA_FILE", value_name = "FILE", help_heading = "Settings")]
    pub ca_file: Option<PathBuf>,
    /// Where people find this site, for links in messages to webhooks, such as https://atlas.example.com [default: none, and
    /// no links]
    #[arg(long, global = true, env = "TENANTATLAS_PUBLIC_URL", value_name = "URL", help_heading = "Settings")]
    pub public_url: Option<String>,
    /// How long a session of the web application lasts without a request, in minutes [default: 30, at most 720]
    #[arg(long, global = true, env = "TENANTATLAS_SESSION_IDLE", value_name = "MINUTES", help_heading = "Settings")]
    pub session_idle: Option<String>,
    /// How long a session of the web application lasts in any case, in hours [default: 12, at most 336]
    #[arg(long, global = true, env = "TENANTATLAS_SESSION_LIFETIME", value_name = "HOURS", help_heading = "Settings")]
    pub session_lifetime: Option<String>,
    /// Who cannot sign in without a second factor: none, administrators or everyone [default: none]
    #[arg(
        long,
        global = true,
        env = "TENANTATLAS_REQUIRE_SECOND_FACTOR",
        value_name = "WHO",
        help_heading = "Settings"
    )]
    pub require_second_factor: Option<String>,
    /// Which mail server sends
    #[command(flatten)]
    pub mail: MailOptions,
    /// Where traces are sent
    #[command(flatten)]
    pub traces: TraceOptions,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    database_url: Option<String>,
    data_dir: Option<PathBuf>,
    key_file: Option<PathBuf>,
    listen: Option<String>,
    metrics_token: Option<SecretString>,
    trusted_proxies: Option<String>,
    proxy_hops: Option<String>,
    allowed_networks: Option<String>,
    ca_file: Option<PathBuf>,
    public_url: Option<String>,
    session_idle: Option<String>,
    session_lifetime: Option<String>,
    require_second_factor: Option<String>,
    smtp_host: Option<String>,
    smtp_port: Option<String>,
    smtp_tls: Option<String>,
    smtp_user: Option<String>,
    smtp_password_file: Option<PathBuf>,
    smtp_from: Option<String>,
    otlp_endpoint: Option<String>,
    otlp_traces_endpoint: Option<String>,
    otlp_headers: Option<SecretString>,
}

impl SettingsFile {
    fn traces(&mut self) -> TraceOptions {
        TraceOptions {
            otlp_endpoint: self.otlp_endpoint.take(),
            otlp_traces_endpoint: self.otlp_traces_endpoint.take(),
            otlp_headers: self.otlp_headers.take(),
        }
    }

    fn mail(&mut self) -> MailOptions {
        MailOptions {
            smtp_host: self.smtp_host.take(),
            smtp_port: self.smtp_port.take(),
            smtp_tls: self.smtp_tls.take(),
            smtp_user: self.smtp_user.take(),
            smtp_password: None,
            smtp_password_file: self.smtp_password_file.take(),
            smtp_from: self.smtp_from.take(),
        }
    }
}

/// The settings in force.
#[derive(Clone)]
pub struct Settings {
    /// `sqlite:PATH` or `postgres://…`; may hold a password, so it is never logged.
    pub database_url: String,
    /// The folder for the SQLite file and the key file.
    pub data_dir: PathBuf,
    /// The file with the key that seals stored secrets.
    pub key_file: PathBuf,
    /// Where the web server listens.
    pub listen: SocketAddr,
    /// Whether that was said, and is not the default.
    pub listen_is_set: bool,
    /// Lets whoever sends it read the metrics.
    pub metrics_token: Option<SecretString>,
    /// Networks of proxies that are believed about where a request comes from, beside this machine.
    pub trusted_proxies: Vec<IpNet>,
    /// How many addresses of `X-Forwarded-For` are read, from its end.
    pub proxy_hops: usize,
    /// How others are reached.
    pub outgoing: Outgoing,
    /// How long sessions last, and who needs a second factor.
    pub sessions: SessionPolicy,
    /// Where traces are sent, as it was given: servers alone read it.
    pub traces: TraceOptions,
}

impl Settings {
    /// Puts options, environment and file together.
    ///
    /// # Errors
    /// Names the setting, where it came from and what was expected (exit code 78).
    pub fn load(options: &SettingsOptions, demo: bool) -> Result<Self, Exit> {
        let mut file = match &options.config {
            Some(path) => read_file(path)?,
            None => SettingsFile::default(),
        };
        let (mail, traces) = (options.mail.clone().or(file.mail()), options.traces.clone().or(file.traces()));
        let mut data_dir = options.data_dir.clone().or(file.data_dir).map_or_else(default_data_dir, Ok)?;
        let database_url = options.database_url.clone().or(file.database_url);
        let key_file = options.key_file.clone().or(file.key_file);
        if demo {
            refuse_with_demo("database_url (TENANTATLAS_DATABASE_URL)", database_url.is_some())?;
            refuse_with_demo("key_file (TENANTATLAS_KEY_FILE)", key_file.is_some())?;
            data_dir.push("demo");
        }
        let listen = options.listen.clone().or(file.listen);
        let listen_is_set = listen.is_some();
        let listen = listen.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let listen = listen.parse().map_err(|_| {
            wrong(&format!(
                "the setting listen (TENANTATLAS_LISTEN) is \"{listen}\": expected an IP address and a port such as 127.0.0.1:3000 or [::]:3000"
            ))
        })?;
        let database_url =
            database_url.unwrap_or_else(|| format!("sqlite:{}", data_dir.join("tenantatlas.db").display()));
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
            return Err(wrong(
                "the setting database_url (TENANTATLAS_DATABASE_URL) was not understood: expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE",
            ));
        }
        let key_file = key_file.unwrap_or_else(|| data_dir.join("tenantatlas.key"));
        let metrics_token = options.metrics_token.clone().or(file.metrics_token);
        let trusted_proxies = options.trusted_proxies.clone().or(file.trusted_proxies).unwrap_or_default();
        let trusted_proxies = networks("trusted_proxies (TENANTATLAS_TRUSTED_PROXIES)", &trusted_proxies)?;
        let proxy_hops = proxy_hops(options.proxy_hops.as_deref().or(file.proxy_hops.as_deref()))?;
        let outgoing = outgoing::read(
            options.allowed_networks.as_deref().or(file.allowed_networks.as_deref()),
            options.ca_file.as_deref().or(file.ca_file.as_deref()),
            options.public_url.as_deref().or(file.public_url.as_deref()),
            mail.read()?,
            demo,
        )?;
        let sessions = sessions::policy(
            options.session_idle.as_deref().or(file.session_idle.as_deref()),
            options.session_lifetime.as_deref().or(file.session_lifetime.as_deref()),
            options.require_second_factor.as_deref().or(file.require_second_factor.as_deref()),
        )?;
        Ok(Self {
            database_url,
            data_dir,
            key_file,
            listen,
            listen_is_set,
            metrics_token,
            trusted_proxies,
            proxy_hops,
            outgoing,
            sessions,
            traces,
        })
    }

    /// The file of the database, when it is one.
    pub fn sqlite_file(&self) -> Option<&Path> {
        let path = self.database_url.strip_prefix("sqlite:")?;
        Some(Path::new(path.strip_prefix("//").unwrap_or(path)))
    }
}

/// The demo writes into records of its own: a setting that names others is refused.
fn refuse_with_demo(setting: &str, given: bool) -> Result<(), Exit> {
    if given {
        return Err(wrong(&format!(
            "the setting {setting} does not go with --demo, which keeps a SQLite file and a key of its own below the data folder: unset it, or leave --demo out"
        )));
    }
    Ok(())
}

/// Proxies that a request may pass.
const PROXY_HOPS: RangeInclusive<usize> = 1..=10;

fn proxy_hops(text: Option<&str>) -> Result<usize, Exit> {
    let Some(text) = text else { return Ok(*PROXY_HOPS.start()) };
    text.trim().parse().ok().filter(|hops| PROXY_HOPS.contains(hops)).ok_or_else(|| {
        wrong(&format!(
            "the setting proxy_hops (TENANTATLAS_PROXY_HOPS) is \"{text}\": expected how many proxies a request passes, a whole number from 1 to 10"
        ))
    })
}

/// Addresses and networks, with commas between them.
fn networks(setting: &str, text: &str) -> Result<Vec<IpNet>, Exit> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let network = |part: &str| part.parse().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
    parts
        .map(|part| {
            network(part).ok_or_else(|| {
                wrong(&format!(
                    "the setting {setting} holds \"{part}\": expected addresses or networks such as 10.0.0.5 or 172.16.0.0/12, with commas between them"
                ))
            })
        })
        .collect()
}

fn read_file(path: &Path) -> Result<SettingsFile, Exit> {
    let text = fs::read_to_string(path)
        .map_err(|error| wrong(&format!("cannot read the settings file {}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        // The message of the parser shows the line; a database address may stand in it, so only the reason is kept.
        let reason = error.message().to_owned();
        wrong(&format!(
            "the settings file {} was not understood: {reason}; expected database_url, data_dir, listen, key_file, metrics_token, trusted_proxies, proxy_hops, allowed_networks, ca_file, public_url, session_idle, session_lifetime, require_second_factor, smtp_host, smtp_port, smtp_tls, smtp_user, smtp_password_file, smtp_from, otlp_endpoint, otlp_traces_endpoint or otlp_headers, each with a text in quotes",
            path.display()
        ))
    })
}

fn default_data_dir() -> Result<PathBuf, Exit> {
    if let Some(folder) = std::env::var_os("XDG_DATA_HOME").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(folder).join("tenantatlas"));
    }
    match std::env::var_os("HOME").filter(|value| !value.is_empty()) {
        Some(home) => Ok(PathBuf::from(home).join(".local/share/tenantatlas")),
        None => Err(wrong(
            "there is no HOME to put the data folder in: set TENANTATLAS_DATA_DIR to a folder that can be written",
        )),
    }
}

fn wrong(message: &str) -> Exit {
    Exit::new(ExitCode::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SettingsOptions {
        SettingsOptions { data_dir: Some("/srv/atlas".into()), ..SettingsOptions::default() }
    }

    #[test]
    fn the_defaults_put_everything_in_the_data_folder() {
        let settings = Settings::load(&options(), false).expect("valid");
        assert_eq!(settings.database_url, "sqlite:/srv/atlas/tenantatlas.db");
        assert_eq!(settings.key_file, PathBuf::from("/srv/atlas/tenantatlas.key"));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:3000");
    }

    #[test]
    fn the_demo_never_touches_real_data() {
        let settings = Settings::load(&options(), true).expect("valid");
        assert_eq!(settings.database_url, "sqlite:/srv/atlas/demo/tenantatlas.db");
        assert_eq!(settings.key_file, PathBuf::from("/srv/atlas/demo/tenantatlas.key"));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.toml");
        fs::write(&path, "database_url = \"postgres://atlas@db/atlas\"\n").expect("written");
        for (options, named) in [
            (
                SettingsOptions { database_url: Some("sqlite:/srv/atlas/tenantatlas.db".into()), ..options() },
                "TENANTATLAS_DATABASE_URL",
            ),
            (SettingsOptions { config: Some(path), ..options() }, "TENANTATLAS_DATABASE_URL"),
            (
                SettingsOptions { key_file: Some("/srv/atlas/tenantatlas.key".into()), ..options() },
                "TENANTATLAS_KEY_FILE",
            ),
        ] {
            assert!(Settings::load(&options, false).is_ok(), "without the demo it is in order");
            let error = Settings::load(&options, true).err().expect("refused");
            assert_eq!(error.code(), ExitCode::Configuration);
            assert!(error.to_string().contains(named) && error.to_string().contains("--demo"), "{error}");
        }
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let trusted = SettingsOptions { trusted_proxies: Some("10.0.0.5, fd00::/8,".into()), ..options() };
        let trusted = Settings::load(&trusted, false).expect("valid").trusted_proxies;
        assert_eq!(trusted.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.5/32", "fd00::/8"]);
        let hops = |hops: Option<&str>| {
            let options = SettingsOptions { proxy_hops: hops.map(str::to_owned), ..options() };
            Settings::load(&options, false).expect("valid").proxy_hops
        };
        assert_eq!((hops(None), hops(Some("3"))), (1, 3));
    }

    #[test]
    fn no_network_that_is_not_public_may_be_asked_unless_it_is_named_or_the_demo_runs_there() {
        let allowed = |options: &SettingsOptions, demo| {
            let settings = Settings::load(options, demo).expect("valid");
            settings.outgoing.allowed_networks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(allowed(&options(), false).is_empty());
        assert_eq!(allowed(&options(), true), ["127.0.0.0/8", "::1/128"]);
        let named = SettingsOptions { allowed_networks: Some("10.1.0.0/16, ::1".into()), ..options() };
        assert_eq!(allowed(&named, false), ["10.1.0.0/16", "::1/128"]);
        assert_eq!(allowed(&named, true), ["10.1.0.0/16", "::1/128", "127.0.0.0/8", "::1/128"]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.toml");
        fs::write(&path, "allowed_networks = \"192.168.7.0/24\"\n").expect("written");
        assert_eq!(allowed(&SettingsOptions { config: Some(path), ..options() }, false), ["192.168.7.0/24"]);
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_was_expected() {
        for (options, named) in [
            (SettingsOptions { listen: Some("everywhere".into()), ..options() }, "TENANTATLAS_LISTEN"),
            (SettingsOptions { database_url: Some("mysql://x".into()), ..options() }, "TENANTATLAS_DATABASE_URL"),
            (
                SettingsOptions { trusted_proxies: Some("10.0.0.1, proxy".into()), ..options() },
                "TENANTATLAS_TRUSTED_PROXIES) holds \"proxy\"",
            ),
            (SettingsOptions { proxy_hops: Some("0".into()), ..options() }, "TENANTATLAS_PROXY_HOPS) is \"0\""),
            (
                SettingsOptions { allowed_networks: Some("intranet".into()), ..options() },
                "TENANTATLAS_ALLOWED_NETWORKS) holds \"intranet\"",
            ),
            (SettingsOptions { public_url: Some("atlas".into()), ..options() }, "TENANTATLAS_PUBLIC_URL) is \"atlas\""),
            (SettingsOptions { public_url: Some("https://u:p@x/".into()), ..options() }, "TENANTATLAS_PUBLIC_URL"),
            (SettingsOptions { config: Some("/does/not/exist".into()), ..options() }, "/does/not/exist"),
        ] {
            let error = Settings::load(&options, false).err().expect("refused");
            assert_eq!(error.code(), ExitCode::Configuration);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named_and_a_password_is_not_repeated() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.toml");
        fs::write(&path, "database_uri = \"postgres://atlas:hunter2@db/atlas\"\n").expect("written");
        let error = Settings::load(&SettingsOptions { config: Some(path), ..options() }, false).err().expect("refused");
        assert!(error.to_string().contains("database_uri"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
