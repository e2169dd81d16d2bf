//! `tenantatlas tenant …`

use std::io::Write as _;
use std::path::Path;

use secrecy::ExposeSecret as _;
use serde_json::json;
use tenantatlas_domain::operation::{Failure, OperationStatus};
use tenantatlas_engine::{Actor, Engine, make_certificate};
use tenantatlas_store::operation_runs;
use tenantatlas_store::permissions::{self, Permission};
use tenantatlas_store::tenants::{
    self, AfterSync, Cloud, ConnectionStatus, Environment, Tenant, TenantCredential, TenantDetails,
};
use uuid::Uuid;

use super::arguments::{CloudArgument, EnvironmentArgument, TenantAddArguments, TenantCommand};
use super::output::Output;
use super::{progress, secret_input};
use crate::exit::{Exit, ExitCode};
use crate::open;
use crate::settings::Settings;

/// Adds, lists and checks tenants.
///
/// # Errors
/// When something typed is not acceptable, or the check finds a fault.
pub async fn run(settings: &Settings, command: TenantCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = match command {
        TenantCommand::Add(arguments) => add(&engine, arguments, output).await,
        TenantCommand::Certificate { certificate_file, private_key_file } => {
            certificate(&engine, &certificate_file, &private_key_file, output).await
        }
        TenantCommand::List => list(&engine, output).await,
        TenantCommand::AfterSync { tenant, drift, capture, audit_events } => {
            after_sync(&engine, &tenant, (drift, capture, audit_events), output).await
        }
        TenantCommand::Check { tenant, types } => check(settings, &engine, &tenant, types, output).await,
    };
    engine.shutdown().await;
    result
}

async fn add(engine: &Engine, arguments: TenantAddArguments, output: Output) -> Result<(), Exit> {
    for (option, text) in [("--entra-id", &arguments.entra_id), ("--client-id", &arguments.client_id)] {
        if Uuid::try_parse(text).is_err() {
            return Err(Exit::usage(format!(
                "{option} \"{text}\" is not a GUID: expected a form like 11111111-2222-3333-4444-555555555555; nothing was added"
            )));
        }
    }
    let credential = match (&arguments.client_secret_file, &arguments.certificate_file, &arguments.private_key_file) {
        (Some(file), _, _) => TenantCredential::ClientSecret(secret_input::first_line(file, "client secret")?),
        (None, Some(certificate), Some(key)) => TenantCredential::Certificate {
            certificate_pem: secret_input::whole_file(certificate, "certificate")?.expose_secret().to_owned(),
            private_key_pem: secret_input::whole_file(key, "private key")?,
        },
        _ => return Err(Exit::usage("expected --client-secret-file, or --certificate-file with --private-key-file")),
    };
    let details = TenantDetails {
        name: arguments.name,
        entra_tenant_id: arguments.entra_id,
        cloud: match arguments.cloud {
            CloudArgument::Global => Cloud::Global,
            CloudArgument::UsgovL4 => Cloud::UsgovL4,
            CloudArgument::UsgovDod => Cloud::UsgovDod,
            CloudArgument::China => Cloud::China,
            CloudArgument::Custom => Cloud::Custom,
        },
        login_url: arguments.login_url,
        graph_url: arguments.graph_url,
        environment: match arguments.environment {
            EnvironmentArgument::Prod => Environment::Prod,
            EnvironmentArgument::Dev => Environment::Dev,
            EnvironmentArgument::Staging => Environment::Staging,
            EnvironmentArgument::Other => Environment::Other,
        },
        client_id: arguments.client_id,
    };
    let id = engine.add_tenant(&Actor::command_line(), &details, &credential).await?;
    output.document(&json!({"id": id, "name": details.name}))?;
    output.line(format!("{} is added. Next: tenantatlas tenant check \"{}\"", details.name, details.name))
}

/// Writes a new certificate and its private key. Neither file may be there before.
async fn certificate(engine: &Engine, public: &Path, private: &Path, output: Output) -> Result<(), Exit> {
    let made = make_certificate(engine.now()).await?;
    write_new(private, made.private_key_pem.expose_secret())?;
    write_new(public, &made.certificate_pem)?;
    output.document(&json!({
        "certificate_file": public.display().to_string(), "private_key_file": private.display().to_string(),
    }))?;
    output.line(format!(
        "Upload {} to the app registration. Next: tenantatlas tenant add --certificate-file … --private-key-file …, then delete {}",
        public.display(),
        private.display()
    ))
}

fn write_new(path: &Path, text: &str) -> Result<(), Exit> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Exit::new(ExitCode::CannotWrite, format!("cannot write {}: {error}", path.display())))
}

/// Changes what is given of what follows each sync, and shows it.
async fn after_sync(
    engine: &Engine,
    tenant: &str,
    (drift, capture, audit_events): (Option<bool>, Option<bool>, Option<bool>),
    output: Output,
) -> Result<(), Exit> {
    let tenant = open::tenant(engine.reader(), tenant).await?;
    let known = tenant.after_sync;
    let wanted = AfterSync {
        drift: drift.unwrap_or(known.drift),
        capture: capture.unwrap_or(known.capture),
        audit_events: audit_events.unwrap_or(known.audit_events),
    };
    if wanted != known {
        engine.set_after_sync(&Actor::command_line(), tenant.id, wanted).await?;
    }
    output.document(&json!({
        "drift": wanted.drift, "capture": wanted.capture, "audit_events": wanted.audit_events,
    }))?;
    let said = [("comparison", wanted.drift), ("capture", wanted.capture), ("audit logs", wanted.audit_events)];
    let said = said.map(|(name, wanted)| format!("{name}: {}", if wanted { "yes" } else { "no" }));
    output.line(format!("after each sync of {}: {}", tenant.name, said.join(", ")))
}

async fn list(engine: &Engine, output: Output) -> Result<(), Exit> {
    let all = tenants::list(engine.reader()).await?;
    output.document(&all)?;
    output.table(
        &["NAME", "ENTRA TENANT ID", "CLOUD", "ENVIRONMENT", "CONNECTION", "ID"],
        all.iter().map(|tenant| {
            vec![
                tenant.name.clone(),
                tenant.entra_tenant_id.clone(),
                tenant.cloud.as_str().to_owned(),
                tenant.environment.as_str().to_owned(),
                tenant.connection_status.as_str().to_owned(),
                tenant.id.to_string(),
            ]
        }),
    )
}

async fn check(settings: &Settings, desk: &Engine, text: &str, types: bool, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(desk.reader(), text).await?;
    let dispatched = desk.check_tenant(&Actor::command_line(), tenant.id, types).await?;
    let engine = open::working(settings, desk);
    let ended = progress::follow(&engine, &tenant, &dispatched.state, output).await;
    engine.shutdown().await;
    let ended = ended?;
    let run = operation_runs::get(desk.reader(), tenant.id, ended.id).await?;
    let failures = run.as_ref().map(|run| run.failures.as_slice()).unwrap_or_default();
    let tenant = open::tenant(desk.reader(), text).await?;
    let known = permissions::list(desk.reader(), tenant.id).await?;
    let missing: Vec<&Permission> = known.iter().filter(|permission| !permission.granted).collect();
    let names = |granted: bool| known.iter().filter(move |one| one.granted == granted).map(|one| &one.permission);
    output.document(&json!({
        "tenant": tenant.name, "operation_run_id": ended.id, "run_status": ended.status,
        "status": tenant.connection_status, "reason_code": tenant.connection_reason,
        "message": tenant.connection_message, "organization": tenant.organization, "licence": tenant.licence,
        "granted_permissions": names(true).collect::<Vec<_>>(),
        "missing_permissions": missing.iter()
            .map(|one| json!({"permission": one.permission, "types": one.required_by})).collect::<Vec<_>>(),
        "failures": failures,
    }))?;
    // A run that did not come to its end says nothing of the connection.
    if !matches!(ended.status, OperationStatus::Completed | OperationStatus::CompletedWithErrors)
        && tenant.connection_status != ConnectionStatus::Failed
    {
        let reason = ended.reason_code.map(|reason| format!(": {}", reason.sentence())).unwrap_or_default();
        output.line(format!("{}: the check did not come to its end{reason}", tenant.name))?;
        return Err(Exit::silent(ended.reason_code.map_or(ExitCode::Failed, open::code_of)));
    }
    tell_check(&tenant, &missing, failures, output)?;
    match tenant.connection_status {
        ConnectionStatus::Ok => Ok(()),
        ConnectionStatus::Degraded => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(tenant.connection_reason.map_or(ExitCode::Failed, open::code_of))),
    }
}

fn tell_check(tenant: &Tenant, missing: &[&Permission], failures: &[Failure], output: Output) -> Result<(), Exit> {
    output.line(format!("{}: {}", tenant.name, tenant.connection_status.as_str()))?;
    if let Some(organization) = &tenant.organization {
        output.line(format!("  Known at Microsoft as {organization}"))?;
    }
    if let Some(message) = &tenant.connection_message {
        output.line(format!("  {message}"))?;
    }
    for one in missing {
        let types =
            if one.required_by.is_empty() { "the names of groups".to_owned() } else { one.required_by.join(", ") };
        output.line(format!("  Missing {}: needed for {types}", one.permission))?;
    }
    for failure in failures {
        if let Some(key) = failure.item_id.as_deref().and_then(|unit| unit.strip_prefix("type:")) {
            output.line(format!("  {key}: {}", failure.reason))?;
        }
    }
    Ok(())
}
