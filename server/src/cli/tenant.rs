//! `tenantatlas tenant …`

use super::{
    arguments::{CloudArgument, EnvironmentArgument, TenantAddArguments, TenantCommand},
    output::Output,
    secret_input,
};
use crate::{
    exit::{Exit, ExitCode},
    open,
    settings::Settings,
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tenantatlas_engine::{Actor, Engine, EngineConfig};
use tenantatlas_store::tenants::{self, Cloud, ConnectionStatus, Environment, TenantCredential, TenantDetails};
use uuid::Uuid;

/// Adds, lists and checks tenants.
///
/// # Errors
/// When something typed is not acceptable, or the check finds a fault.
pub async fn run(settings: &Settings, command: TenantCommand, output: Output) -> Result<(), Exit> {
    let engine = open::engine(settings, EngineConfig { workers: 0, ..EngineConfig::default() }).await?;
    let result = match command {
        TenantCommand::Add(arguments) => add(&engine, arguments, output).await,
        TenantCommand::List => list(&engine, output).await,
        TenantCommand::Check { tenant } => check(&engine, &tenant, output).await,
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

async fn list(engine: &Engine, output: Output) -> Result<(), Exit> {
    let all = tenants::list(engine.db()).await?;
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

async fn check(engine: &Engine, text: &str, output: Output) -> Result<(), Exit> {
    let tenant = open::tenant(engine.db(), text).await?;
    let check = engine.check_tenant(&Actor::command_line(), tenant.id).await?;
    output.document(&json!({
        "tenant": tenant.name, "status": check.status, "reason_code": check.reason_code, "message": check.message,
        "organization": check.organization, "licence": check.licence, "granted_permissions": check.granted,
        "missing_permissions": check.missing,
    }))?;
    output.line(format!("{}: {}", tenant.name, check.status.as_str()))?;
    if let Some(organization) = &check.organization {
        output.line(format!("  Known at Microsoft as {organization}"))?;
    }
    if let Some(message) = &check.message {
        output.line(format!("  {message}"))?;
    }
    for missing in &check.missing {
        let types = if missing.types.is_empty() { "the names of groups".to_owned() } else { missing.types.join(", ") };
        output.line(format!("  Missing {}: needed for {types}", missing.permission))?;
    }
    match check.status {
        ConnectionStatus::Ok => Ok(()),
        ConnectionStatus::Degraded => Err(Exit::silent(ExitCode::Partial)),
        _ => Err(Exit::silent(check.reason_code.map_or(ExitCode::Failed, open::code_of))),
    }
}
