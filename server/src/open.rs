//! Opens what every command works on: the database, the key that seals its secrets, and the engine.

use crate::{
    exit::{Exit, ExitCode},
    settings::Settings,
};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_engine::{Engine, EngineConfig, EngineError};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_store::{Db, StoreError, Vault, tenants};

/// The database at the version of this program.
///
/// # Errors
/// One sentence and the exit code that fits: 69, 74 or 78.
pub async fn database(settings: &Settings) -> Result<Db, Exit> {
    if settings.database_url.starts_with("sqlite:") {
        std::fs::create_dir_all(&settings.data_dir).map_err(|error| {
            Exit::new(
                ExitCode::CannotWrite,
                format!(
                    "cannot make the data folder {}: {error}; set TENANTATLAS_DATA_DIR to a folder that can be written",
                    settings.data_dir.display()
                ),
            )
        })?;
    }
    let db = Db::connect(&settings.database_url).await?;
    db.migrate().await?;
    Ok(db)
}

/// The key that seals the secrets of that database; made at first use, with the folder it lies in.
///
/// # Errors
/// When the folder cannot be made (exit code 74), and when the key file cannot be used or does not fit the data.
pub async fn vault(settings: &Settings, db: &Db) -> Result<Vault, Exit> {
    if let Some(folder) = settings.key_file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Exit::new(
                ExitCode::CannotWrite,
                format!(
                    "cannot make the folder {} of the key file: {error}; set TENANTATLAS_KEY_FILE or TENANTATLAS_DATA_DIR to a place that can be written",
                    folder.display()
                ),
            )
        })?;
    }
    Ok(Vault::open(db, &settings.key_file).await?)
}

/// The engine on that database. Without workers it dispatches and watches, but does no work.
///
/// # Errors
/// Those of [`database`] and [`vault`].
pub async fn engine(settings: &Settings, config: EngineConfig) -> Result<Engine, Exit> {
    let db = database(settings).await?;
    let vault = vault(settings, &db).await?;
    Ok(Engine::start(config, db, vault, GraphClient::new(GraphClientOptions::default())))
}

/// An engine with workers, beside one that was opened without them.
pub fn working(desk: &Engine) -> Engine {
    let graph = GraphClient::new(GraphClientOptions::default());
    Engine::start(EngineConfig::default(), desk.db().clone(), desk.vault().clone(), graph)
}

/// The tenant that a person means: its name whatever the case, its id, or its Entra tenant id.
///
/// # Errors
/// When there is none or more than one (exit code 64).
pub async fn tenant(db: &Db, text: &str) -> Result<tenants::Tenant, Exit> {
    let mut found = tenants::find(db, text).await?;
    match found.len() {
        0 => {
            Err(Exit::usage(format!("there is no tenant \"{text}\": `tenantatlas tenant list` shows those there are")))
        }
        1 => Ok(found.swap_remove(0)),
        count => {
            Err(Exit::usage(format!("\"{text}\" fits {count} tenants: use the id from `tenantatlas tenant list`")))
        }
    }
}

impl From<StoreError> for Exit {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Unreachable { .. } | StoreError::Refused(_) | StoreError::Busy => ExitCode::Unavailable,
            StoreError::Unwritable { .. } | StoreError::DiskFull => ExitCode::CannotWrite,
            StoreError::Address(_)
            | StoreError::NewerDatabase { .. }
            | StoreError::ForeignMigration(_)
            | StoreError::OlderDatabase
            | StoreError::NotADatabase(_)
            | StoreError::KeyFile { .. }
            | StoreError::KeyMismatch { .. } => ExitCode::Configuration,
            StoreError::Conflict { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        };
        tracing::debug!(?error, "the store failed");
        Self::new(code, error.to_string())
    }
}

impl From<EngineError> for Exit {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Graph(error) => Self::new(code_of(error.reason), error.message.clone()),
            EngineError::NotFound(_)
            | EngineError::Invalid { .. }
            | EngineError::Conflict(_)
            | EngineError::TooMany(_)
            | EngineError::Selection(_) => Self::usage(error.to_string()),
            _ => Self::new(ExitCode::Failed, error.to_string()),
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
