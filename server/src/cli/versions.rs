//! `tenantatlas versions`

use serde_json::{Value, json};
use tenantatlas_app::format::number;
use tenantatlas_domain::registry::registry;
use tenantatlas_engine::{Actor, Engine, EngineError, OpenVersion};
use tenantatlas_store::Reader;
use tenantatlas_store::policies::{self, Version};
use tenantatlas_store::tenants::Tenant;

use super::arguments::{PolicyArguments, VersionsArguments, VersionsCommand};
use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Versions that are listed, at most.
const MOST: u32 = 500;

/// Lists the versions of a policy, or shows one.
///
/// # Errors
/// When tenant, type or version are unknown (exit code 64), or the database fails.
pub async fn run(settings: &Settings, arguments: VersionsArguments, output: Output) -> Result<(), Exit> {
    match (arguments.command, arguments.policy) {
        (Some(VersionsCommand::Show { policy, number, scripts }), _) => {
            let engine = open::engine(settings, open::without_workers()).await?;
            let result = show(&engine, &policy, number, scripts, output).await;
            engine.shutdown().await;
            result
        }
        (None, Some(policy)) => list(&Reader::from(open::database(settings).await?), &policy, output).await,
        (None, None) => Err(Exit::usage("expected --tenant, --type and --id of a policy")),
    }
}

async fn tenant_of(db: &Reader, policy: &PolicyArguments) -> Result<Tenant, Exit> {
    let tenant = open::tenant(db, &policy.tenant).await?;
    match registry().get(&policy.policy_type) {
        Some(_) => Ok(tenant),
        None => Err(Exit::usage(format!(
            "there is no policy type \"{}\": `tenantatlas types` lists them",
            policy.policy_type
        ))),
    }
}

fn no_version(policy: &PolicyArguments) -> Exit {
    Exit::usage(format!(
        "there is no version of {} {}: `tenantatlas items` lists the ids, and `tenantatlas capture` makes versions",
        policy.policy_type, policy.id
    ))
}

async fn list(db: &Reader, policy: &PolicyArguments, output: Output) -> Result<(), Exit> {
    let tenant = tenant_of(db, policy).await?;
    let versions = policies::versions_of(db, tenant.id, &policy.policy_type, &policy.id, None, MOST).await?;
    if versions.is_empty() {
        return Err(no_version(policy));
    }
    output.document(&json!({
        "policy_type": policy.policy_type, "external_id": policy.id,
        "versions": versions.iter().map(facts).collect::<Vec<_>>(),
    }))?;
    output.table(
        &["VERSION", "NAME", "READ", "COMPLETE", "SETTINGS", "WITHHELD", "LACKS"],
        versions.iter().map(|version| {
            let lacks: Vec<String> = version.lacks.iter().map(tenantatlas_domain::body::Lack::words).collect();
            vec![
                version.number.to_string(),
                version.display_name.clone(),
                version.read_at.to_rfc3339(),
                version.completeness.as_str().to_owned(),
                version.settings.map(number).unwrap_or_default(),
                number(version.withheld),
                lacks.join("; "),
            ]
        }),
    )
}

async fn show(
    engine: &Engine,
    policy: &PolicyArguments,
    number: Option<u64>,
    scripts: bool,
    output: Output,
) -> Result<(), Exit> {
    let tenant = tenant_of(engine.reader(), policy).await?;
    let (key, id) = (policy.policy_type.as_str(), policy.id.as_str());
    let number = match number {
        Some(number) => number,
        None => {
            let latest = policies::latest_of(engine.reader(), tenant.id, key, id).await?;
            latest.ok_or_else(|| no_version(policy))?.number
        }
    };
    let opened = engine.open_version(&Actor::command_line(), tenant.id, (key, id), number, scripts).await;
    let OpenVersion { version, body, left_out } = match opened {
        Err(EngineError::NotFound(_)) => return Err(no_version(policy)),
        opened => opened?,
    };
    let mut document = facts(&version);
    if let Value::Object(document) = &mut document {
        document.insert("left_out".to_owned(), json!(left_out));
        document.insert("body".to_owned(), body.clone());
    }
    output.document(&document)?;
    output.line(format!(
        "{}, version {} of {}, read {}, {}",
        version.display_name,
        version.number,
        tenant.name,
        version.read_at.to_rfc3339(),
        version.completeness.as_str()
    ))?;
    for lack in &version.lacks {
        output.line(format!("  lacks: {}", lack.words()))?;
    }
    for property in left_out {
        output.line(format!("  left out: {property}, which --scripts shows"))?;
    }
    output.line(serde_json::to_string_pretty(&body).unwrap_or_default())
}

/// What is known of a version, as JSON.
fn facts(version: &Version) -> Value {
    json!({
        "id": version.id, "policy_type": version.policy_type, "external_id": version.external_id,
        "number": version.number, "display_name": version.display_name, "api_version": version.api_version,
        "collection": version.collection, "odata_type": version.odata_type,
        "completeness": version.completeness, "lacks": version.lacks,
        "content_hash": version.content_hash.to_string(), "normaliser_version": version.normaliser_version,
        "settings": version.settings, "withheld": version.withheld, "read_at": version.read_at.to_rfc3339(),
        "run_id": version.capture_id,
    })
}
