//! Opens what every command works on: the database, the key that seals its secrets, and the engine.

use std::sync::OnceLock;
use std::time::Duration;

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_engine::{Clock as _, CommandError, Engine, EngineConfig, EngineError, RunnerConfig, SystemClock};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_store::audit::{self, Witnessed};
use tenantatlas_store::{Db, Reader, StoreError, Vault, tenants};

use crate::exit::{Exit, ExitCode};
use crate::folder;
use crate::settings::Settings;

/// The end of the audit log is written down at most so often.
const REMEMBER_INTERVAL: Duration = Duration::from_secs(1);
/// How long a process that ends waits for that.
const REMEMBER_PATIENCE: Duration = Duration::from_secs(2);

/// The database at the version of this program.
///
/// # Errors
/// One sentence and the exit code that fits: 69, 74 or 78.
pub async fn database(settings: &Settings) -> Result<Db, Exit> {
    if let Some(file) = settings.sqlite_file() {
        folder::ensure(&settings.data_dir, "the data folder", "TENANTATLAS_DATA_DIR")?;
        if let Some(other) = file.parent().filter(|parent| parent.is_dir()) {
            folder::ensure(other, "the folder of the database", "TENANTATLAS_DATABASE_URL")?;
        }
    }
    let db = Db::connect(&settings.database_url).await?;
    db.migrate().await?;
    Ok(db)
}

/// The key that seals the secrets of that database; made at first use, with the folder it lies in.
///
/// # Errors
/// When the folder cannot be made (exit code 74) or others may write into it (78), and when the key file cannot be used
/// or does not fit the data.
pub async fn vault(settings: &Settings, db: &Db) -> Result<Vault, Exit> {
    if let Some(folder) = settings.key_file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        folder::ensure(folder, "the folder of the key file", "TENANTATLAS_KEY_FILE or TENANTATLAS_DATA_DIR")?;
    }
    let vault = Vault::open(db, &settings.key_file).await?;
    // Only the first counts: a process works on one database.
    let _ = OPENED.set((db.clone(), vault.clone()));
    Ok(vault)
}

/// What this process works on, for the last thing it does.
static OPENED: OnceLock<(Db, Vault)> = OnceLock::new();

/// Writes the end of the audit log down beside the key file: the last thing that a process does. A database that does
/// not answer holds nobody up.
pub async fn remember_log() {
    if let Some((db, vault)) = OPENED.get()
        && tokio::time::timeout(REMEMBER_PATIENCE, LogWatch::default().look(db, vault)).await.is_err()
    {
        tracing::debug!("the end of the audit log was not written down: the database did not answer in time");
    }
}

/// Does the same all the time, at most once a second, so that a process that is killed has hardly missed anything.
async fn watch_log(db: Db, vault: Vault) {
    let mut watch = LogWatch::default();
    loop {
        watch.look(&db, &vault).await;
        tokio::time::sleep(REMEMBER_INTERVAL).await;
    }
}

/// Says what is wrong once, not every second.
#[derive(Default)]
struct LogWatch {
    told: Option<String>,
}

impl LogWatch {
    async fn look(&mut self, db: &Db, vault: &Vault) {
        // A key that another process made is known before it is met.
        if let Err(error @ StoreError::KeyReplaced { .. }) = vault.refresh(db).await {
            let problem = error.to_string();
            if self.told.as_ref() != Some(&problem) {
                tracing::error!("{problem}");
                self.told = Some(problem);
            }
            return;
        }
        let (severe, problem) = match audit::remember(db, vault, SystemClock.now()).await {
            Ok(Witnessed::UpToDate) => {
                self.told = None;
                return;
            }
            Ok(Witnessed::Contradicted(problem)) => (true, problem),
            Err(StoreError::Unwritable { path, cause }) => (
                false,
                format!(
                    "{} cannot be written ({cause}): that entries were cut off at the end of the audit log shows only against an anchor, see `tenantatlas audit anchor --help`",
                    path.display()
                ),
            ),
            Err(error) => (false, error.to_string()),
        };
        if self.told.as_ref() == Some(&problem) {
            return;
        }
        if severe {
            tracing::error!("the audit log is not as it was: {problem}");
        } else {
            tracing::warn!("the end of the audit log was not written down: {problem}");
        }
        self.told = Some(problem);
    }
}

/// An engine that dispatches and watches, but works on nothing itself.
#[must_use]
pub fn without_workers() -> EngineConfig {
    EngineConfig { runs: RunnerConfig { workers: 0, ..RunnerConfig::default() }, ..EngineConfig::default() }
}

/// The engine on that database. Without workers it dispatches and watches, but does no work.
///
/// # Errors
/// Those of [`database`] and [`vault`]; with workers, also when the database cannot be written.
pub async fn engine(settings: &Settings, config: EngineConfig) -> Result<Engine, Exit> {
    let db = database(settings).await?;
    if config.runs.workers > 0 {
        db.ready().await?;
    }
    let vault = vault(settings, &db).await?;
    tokio::spawn(watch_log(db.clone(), vault.clone()));
    let config = EngineConfig { sessions: settings.sessions, outgoing: settings.outgoing.config(), ..config };
    Ok(Engine::start(config, db, vault, graph(settings)))
}

/// An engine with workers, beside one that was opened without them.
pub fn working(settings: &Settings, desk: &Engine) -> Engine {
    let config = EngineConfig { outgoing: settings.outgoing.config(), ..EngineConfig::default() };
    desk.beside(config, graph(settings))
}

fn graph(settings: &Settings) -> GraphClient {
    GraphClient::new(GraphClientOptions {
        allowed_networks: settings.outgoing.allowed_networks.clone(),
        proxies: settings.outgoing.proxies.clone(),
        authorities: settings.outgoing.authorities.clone(),
        ..GraphClientOptions::default()
    })
}

/// The tenant that a person means: its name whatever the case, its id, or its Entra tenant id.
///
/// # Errors
/// When there is none or more than one (exit code 64).
pub async fn tenant(db: &Reader, text: &str) -> Result<tenants::Tenant, Exit> {
    let mut found = tenants::find(db, text).await?;
    match found.len() {
        0 => {
            Err(Exit::usage(format!("there is no tenant \"{text}\": `tenantatlas tenant list` shows those there are")))
        }
        1 => Ok(found.swap_remove(0)),
        count => {
            Err(Exit::usage(format!("\"{text}\" matches {count} tenants: use the id from `tenantatlas tenant list`")))
        }
    }
}

impl From<StoreError> for Exit {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Unreachable { .. } | StoreError::Refused(_) | StoreError::Busy | StoreError::Deadlock => {
                ExitCode::Unavailable
            }
            StoreError::Unwritable { .. } | StoreError::DiskFull | StoreError::ReadOnly | StoreError::Disk { .. } => {
                ExitCode::CannotWrite
            }
            StoreError::Address(_)
            | StoreError::NewerDatabase { .. }
            | StoreError::ForeignMigration(_)
            | StoreError::OlderDatabase
            | StoreError::NotADatabase(_)
            | StoreError::NoFile { .. }
            | StoreError::Unreadable { .. }
            | StoreError::KeyFile { .. }
            | StoreError::KeyMismatch { .. }
            | StoreError::KeyReplaced { .. } => ExitCode::Configuration,
            StoreError::Conflict { .. } => ExitCode::Usage,
            _ => {
                tracing::error!(?error, "the store failed unexpectedly");
                return Self::unexpected(error.to_string());
            }
        };
        tracing::debug!(?error, "the store failed");
        Self::new(code, error.to_string())
    }
}

impl From<CommandError> for Exit {
    fn from(error: CommandError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<EngineError> for Exit {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Graph(error) => Self::new(code_of(error.reason), error.message.clone()),
            EngineError::NotFound(_)
            | EngineError::Confirm
            | EngineError::Invalid { .. }
            | EngineError::Conflict(_)
            | EngineError::TooMany(_)
            | EngineError::Selection(_)
            | EngineError::Query(_) => Self::usage(error.to_string()),
            EngineError::Forbidden | EngineError::Stopping => Self::new(ExitCode::Failed, error.to_string()),
            EngineError::Internal(_) => Self::unexpected(error.to_string()),
        }
    }
}

/// The exit code for a reason why Graph could not be reached or used.
pub fn code_of(reason: ReasonCode) -> ExitCode {
    match reason {
        ReasonCode::AuthFailed | ReasonCode::ConsentMissing => ExitCode::Refused,
        ReasonCode::GraphUnavailable | ReasonCode::GraphTimeout | ReasonCode::GraphThrottled => ExitCode::Unavailable,
        _ => ExitCode::Failed,
    }
}
