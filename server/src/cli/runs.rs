//! `tenantatlas runs`

use serde_json::{Value, json};
use tenantatlas_app::run::model::news_words;
use tenantatlas_engine::run_words;
use tenantatlas_store::Reader;
use tenantatlas_store::operation_runs::{self, Filter, OperationRun};

use super::arguments::RunsArguments;
use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Lists operation runs, newest first.
///
/// # Errors
/// When the tenant is unknown or the database fails.
pub async fn run(settings: &Settings, arguments: &RunsArguments, output: Output) -> Result<(), Exit> {
    let db = Reader::from(open::database(settings).await?);
    let tenant_id = match &arguments.tenant {
        Some(text) => Some(open::tenant(&db, text).await?.id),
        None => None,
    };
    let runs = operation_runs::list(&db, &Filter { tenant_id, limit: arguments.limit, ..Filter::default() }).await?;
    output.document(&runs.iter().map(document).collect::<Vec<_>>())?;
    output.table(
        &["RUN", "NAME", "TENANT", "OPERATION", "STATE", "DONE", "FAILED", "NEWS", "STARTED BY", "CREATED", "REASON"],
        runs.iter().map(|run| {
            let words = run_words(run);
            vec![
                run.id.to_string(),
                words.name.clone(),
                run.tenant_name.clone(),
                format!("{}.{}", run.resource, run.action),
                run.status.as_str().to_owned(),
                format!("{}/{}", run.counters.processed, run.counters.total),
                run.counters.failed.to_string(),
                run.news.map(|news| news_words(&news, &words)).unwrap_or_default(),
                run.initiator.clone(),
                run.created_at.to_rfc3339(),
                run.reason_code.map_or("", |reason| reason.as_str()).to_owned(),
            ]
        }),
    )
}

fn document(run: &OperationRun) -> Value {
    json!({
        "id": run.id, "name": run_words(run).name, "tenant_id": run.tenant_id, "tenant": run.tenant_name,
        "news": run.news, "operation": format!("{}.{}", run.resource, run.action),
        "status": run.status, "bucket": run.status.bucket(), "counters": run.counters,
        "failures": run.failures, "reason_code": run.reason_code, "initiator": run.initiator, "attempt": run.attempt,
        "created_at": run.created_at.to_rfc3339(), "started_at": run.started_at.map(tenantatlas_domain::time::Timestamp::to_rfc3339),
        "finished_at": run.finished_at.map(tenantatlas_domain::time::Timestamp::to_rfc3339),
    })
}
