//! The page of a difference of 800 settings.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenantatlas_domain::body::Completeness;
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::ids::{CaptureId, CorrelationId, OperationRunId, TenantId, VersionId};
use tenantatlas_domain::normalise::{ContentHash, NORMALISER_VERSION};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{self, ItemQuery, ScopeView};
use tenantatlas_store::operation_runs::{self, Claim, KindLimits, Limits, NewOperationRun};
use tenantatlas_store::policies::{self, Checked, CountedItems, NewCapture, NewVersion, SealedSlot, TenantKey};
use tenantatlas_store::setting_catalog::{self, NewCategory, NewDefinition};
use tenantatlas_store::{Db, Reader, Vault};
use uuid::Uuid;

use crate::load::Visitors;
use crate::site::Site;

const SETTINGS: usize = 800;
const TYPE: &str = "settingsCatalogPolicy";
/// Requests a second: few people look at differences at once.
const PER_SECOND: u32 = 5;

/// Prints a line for each way to look at a difference.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let site = Site::make(&["--objects", "300"], postgres, 1).await?;
    site.sync()?;
    let item = keep_versions(&site).await?;
    let server = site.serve()?;
    let visitors = Visitors::new(server.address, &site.cookies)?;
    let page = format!("/t/{}/inventory/{item}", site.tenant);
    for (what, path) in [
        ("all of 800 settings differ", format!("{page}/difference?from=1&to=2")),
        ("400 of 800 settings differ", format!("{page}/difference?from=2&to=3")),
        ("the same, with those that do not", format!("{page}/difference?from=2&to=3&show=all")),
        ("a version of 800 settings", format!("{page}/versions/1")),
    ] {
        let kilobytes = visitors.text(&path).await?.len() / 1_000;
        let answered = visitors.request(&path, PER_SECOND).await?;
        println!(
            "| {name} | {what} | {kilobytes} kB | {} | {} | {:.1} ms | {:.1} ms | {:.1} ms | {} |",
            answered.times.len(),
            answered.failed,
            answered.times.at(0.5),
            answered.times.at(0.99),
            answered.alone,
            if what.starts_with("a version") { "" } else { "p50 < 50 ms" },
        );
    }
    Ok(())
}

fn id(definition: usize) -> String {
    format!("device_vendor_msft_policy_config_area{}_setting{definition}", definition % 40)
}

/// The settings of a policy, each an option; from `changed` on another one.
fn settings(changed: usize, option: usize) -> Value {
    let setting = |place: usize| {
        let definition = id(place);
        let option = if place >= changed { option } else { 0 };
        json!({"id": place.to_string(), "settingInstance": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": definition,
            "choiceSettingValue": {"value": format!("{definition}_{option}"), "children": []},
        }})
    };
    (0..SETTINGS).map(setting).collect()
}

async fn catalogue(db: &Db, at: Timestamp) -> Result<()> {
    let categories: Vec<NewCategory> = (0..40)
        .map(|index| NewCategory { id: format!("area-{index}"), name: format!("Area {index}"), parent_id: None })
        .collect();
    let option = |index: usize, option: usize| (format!("{}_{option}", id(index)), format!("Option {option}"));
    let definitions: Vec<NewDefinition> = (0..SETTINGS)
        .map(|index| NewDefinition {
            id: id(index),
            name: format!("Configure the setting with the number {index}"),
            category_id: Some(format!("area-{}", index % 40)),
            options: (0..3).map(|number| option(index, number)).collect(),
        })
        .collect();
    let mut tx = db.write().await?;
    setting_catalog::record_categories(&mut tx, "configurationCategories", &categories, at).await?;
    setting_catalog::record_definitions(&mut tx, "configurationSettings", &definitions, at).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps three versions of a policy that was read; answers with its item.
async fn keep_versions(site: &Site) -> Result<String> {
    let db = Db::connect(site.database()).await?;
    let vault = Vault::open(&db, &key_file(site.folder())).await?;
    let at = now();
    catalogue(&db, at).await?;
    let reader = Reader::from(db.clone());
    let view = ScopeView::load(&reader, site.tenant, None).await?;
    let mut query = ItemQuery { limit: 1, ..ItemQuery::default() };
    query.filter.policy_types = vec![TYPE.to_owned()];
    let item = inventory::list(&reader, &view, &query).await?.rows.pop().context("a policy")?.item;
    let run = run_of(site.tenant);
    let limits = Limits { global: 1_000, per_tenant: 1_000 };
    let limits = [KindLimits { resource: "bench", action: "fill", limits }];
    let claim = Claim { owner: "bench", lease: Duration::from_secs(3_600), limits: &limits };
    let mut tx = db.write().await?;
    operation_runs::create(&mut tx, &run, at).await?;
    let claimed = operation_runs::claim(&mut tx, &claim, at).await?.context("a run")?;
    let fence = claimed.fence().context("a fence")?;
    let new = NewCapture {
        id: CaptureId::from_uuid(Uuid::new_v4()),
        tenant_id: site.tenant,
        operation_run_id: run.id,
        user_id: None,
    };
    let capture = policies::begin(&mut tx, &fence, &new, at).await?;
    policies::begin_type(&mut tx, &fence, &capture, TYPE, at).await?;
    let key = TenantKey::open_or_make(&mut tx, &vault, site.tenant, at).await?;
    let mut before = None;
    for body in [settings(0, 2), settings(0, 0), settings(SETTINGS / 2, 1)] {
        let version = version(&key, &item.display_name, &item.external_id, &body)?;
        let next = Some(version.id);
        let checked = [Checked {
            external_id: item.external_id.clone(),
            item: (item.content_hash, item.normaliser_version),
            read_at: at,
            compared_with: before,
            version: Some(version),
        }];
        policies::record(&mut tx, &fence, &capture, TYPE, &checked, &CountedItems::default(), at).await?;
        before = next;
    }
    tx.commit().await?;
    db.close().await;
    Ok(item.id.to_string())
}

fn key_file(folder: &Path) -> std::path::PathBuf {
    folder.join("tenantatlas.key")
}

fn run_of(tenant: TenantId) -> NewOperationRun {
    NewOperationRun {
        id: OperationRunId::from_uuid(Uuid::new_v4()),
        tenant_id: tenant,
        user_id: None,
        token_id: None,
        initiator: "Bench".to_owned(),
        resource: "bench".to_owned(),
        action: "fill".to_owned(),
        idempotency_key: "all".to_owned(),
        correlation_id: CorrelationId::from_uuid(Uuid::new_v4()),
        payload: json!({}),
        item_ids: vec![TYPE.to_owned()],
        audit_log_id: Uuid::new_v4(),
        retry_of: None,
        follows: None,
        follow_ups: Vec::new(),
        schedule_id: None,
    }
}

fn version(key: &TenantKey, name: &str, external_id: &str, settings: &Value) -> Result<NewVersion> {
    let seal = |name: &str, value: &Value| -> Result<SealedSlot> {
        let text = to_canonical_string(value);
        let content_hash = ContentHash(Sha256::digest(text.as_bytes()).into());
        Ok(SealedSlot { name: name.to_owned(), content_hash, sealed: key.seal(text.as_bytes())? })
    };
    let object = json!({"id": external_id, "name": name, "platforms": "windows10", "settingCount": SETTINGS});
    Ok(NewVersion {
        id: VersionId::from_uuid(Uuid::now_v7()),
        display_name: name.to_owned(),
        api_version: "beta",
        collection: "deviceManagement/configurationPolicies".to_owned(),
        odata_type: None,
        completeness: Completeness::Complete,
        lacks: Vec::new(),
        content_hash: ContentHash(Sha256::digest(to_canonical_string(settings).as_bytes()).into()),
        normaliser_version: NORMALISER_VERSION,
        settings: Some(SETTINGS as u64),
        withheld: 0,
        slots: vec![seal("", &object)?, seal("settings", settings)?, seal("assignments", &json!([]))?],
    })
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}
