//! `tenantatlas retention …`

use tenantatlas_engine::{Actor, Engine, EngineError};
use tenantatlas_store::retention::{self, Retention};

use super::arguments::RetentionCommand;
use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Shows and changes how long is kept what has ended.
///
/// # Errors
/// Exit code 64 for what was typed wrong; nothing is changed then.
pub async fn run(settings: &Settings, command: RetentionCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = obey(&engine, command, output).await;
    engine.shutdown().await;
    result
}

async fn obey(engine: &Engine, command: RetentionCommand, output: Output) -> Result<(), Exit> {
    let known = retention::get(engine.reader()).await?;
    let kept = match command {
        RetentionCommand::Show => known,
        RetentionCommand::Set { runs: None, notifications: None, versions: None, deliveries: None } => {
            return Err(Exit::usage(
                "nothing is said: expected --runs, --notifications, --versions or --deliveries with a number of days",
            ));
        }
        RetentionCommand::Set { runs, notifications, versions, deliveries } => {
            let wanted = Retention {
                run_days: runs.unwrap_or(known.run_days),
                notification_days: notifications.unwrap_or(known.notification_days),
                version_days: versions.unwrap_or(known.version_days),
                delivery_days: deliveries.unwrap_or(known.delivery_days),
            };
            engine.set_retention(&Actor::command_line(), wanted).await.map_err(|error| match error {
                EngineError::Invalid { field, message } => {
                    Exit::usage(format!("--{field} {message}; nothing was changed"))
                }
                error => error.into(),
            })?;
            wanted
        }
    };
    output.document(&kept)?;
    output.table(
        &["KEPT", "DAYS"],
        [
            vec!["runs, after their end".to_owned(), kept.run_days.to_string()],
            vec!["notifications".to_owned(), kept.notification_days.to_string()],
            vec!["versions of policies, but for the latest of each".to_owned(), kept.version_days.to_string()],
            vec!["messages to endpoints".to_owned(), kept.delivery_days.to_string()],
        ],
    )
}
