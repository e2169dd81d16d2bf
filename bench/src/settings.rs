//! Search of settings: 10,000 policies with 200,000 settings in 100 tenants of one person.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenantatlas_domain::body::Completeness;
use tenantatlas_domain::canonical::to_canonical_string;
use tenantatlas_domain::ids::{CaptureId, CorrelationId, OperationRunId, TenantId, VersionId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_engine::{Actor, Engine, EngineConfig, SearchRequest};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_store::operation_runs::{self, Claim, KindLimits, Limits, NewOperationRun};
use tenantatlas_store::policies::{self, Checked, CountedItems, NewCapture, NewVersion, SealedSlot, TenantKey};
use tenantatlas_store::setting_catalog::{self, NewCategory, NewDefinition};
use tenantatlas_store::tenants::{self, Cloud, Environment, TenantDetails};
use tenantatlas_store::{Db, Vault, setting_search};
use uuid::Uuid;

use crate::spread::Spread;
use crate::whole::database;

const TENANTS: usize = 100;
const POLICIES: usize = 100;
const SETTINGS: usize = 20;
/// Definitions of which the policies set some.
const DEFINITIONS: usize = 4_000;
const TYPE: &str = "settingsCatalogPolicy";
/// How often each query is asked.
const TIMES: usize = 60;
/// What the definitions are about: one in so many is found by each of these words.
const TOPICS: [&str; 40] = [
    "BitLocker",
    "Firewall",
    "Defender",
    "Edge",
    "Password",
    "Update",
    "Kiosk",
    "Camera",
    "Bluetooth",
    "Printing",
    "Power",
    "Proxy",
    "Browser",
    "Storage",
    "Privacy",
    "Search",
    "Start",
    "Taskbar",
    "Lock",
    "Sign",
    "Network",
    "Wireless",
    "Cellular",
    "Remote",
    "Audit",
    "Office",
    "Teams",
    "OneDrive",
    "Outlook",
    "Credential",
    "Kerberos",
    "Certificate",
    "Script",
    "Device",
    "Sandbox",
    "Attachment",
    "Download",
    "Notification",
    "Location",
    "Language",
];

/// Prints a line for each query.
pub async fn measure(name: &str, postgres: Option<&str>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let db = Db::connect(&database(folder.path(), postgres).await?).await?;
    db.migrate().await?;
    let vault = Vault::open(&db, &folder.path().join("key")).await?;
    catalogue(&db).await?;
    for tenant in 0..TENANTS {
        fill(&db, &vault, tenant).await?;
    }
    // Housekeeping makes searchable what is due, as after an upgrade.
    let engine =
        Engine::start(EngineConfig::default(), db.clone(), vault, GraphClient::new(GraphClientOptions::default()));
    let began = Instant::now();
    while !setting_search::due(&db, engine.now(), 1).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("| {name} | made searchable | {:.1} s | | | |", began.elapsed().as_secs_f64());
    for query in [
        "BitLocker",
        "value:enabled",
        "value:option1 Firewall",
        &id(7),
        "value:unheard",
        "type:settingsCatalogPolicy tenant:T042",
    ] {
        ask(name, &engine, query).await?;
    }
    engine.shutdown().await;
    Ok(())
}

async fn ask(name: &str, engine: &Engine, query: &str) -> Result<()> {
    let request = SearchRequest { query: query.to_owned(), limit: 50, ..SearchRequest::default() };
    let (mut times, mut found) = (Vec::with_capacity(TIMES), 0);
    for _ in 0..TIMES {
        let began = Instant::now();
        let answer = engine.search_settings(&Actor::command_line(), &request).await?;
        times.push(began.elapsed());
        found = answer.policies.iter().map(|policy| policy.settings.len()).sum();
    }
    anyhow::ensure!(found > 0 || query.ends_with("unheard"), "{query} found nothing: nothing was measured");
    let spread = Spread::of(times);
    println!("| {name} | `{query}` | {:.1} ms | {:.1} ms | {found} | p50 < 30 ms |", spread.at(0.5), spread.at(0.99));
    Ok(())
}

fn id(definition: usize) -> String {
    let topic = TOPICS[definition % TOPICS.len()].to_lowercase();
    format!("device_vendor_msft_policy_config_{topic}_setting{definition}")
}

/// What is due later than now is not made searchable.
fn now() -> tenantatlas_domain::time::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    tenantatlas_domain::time::Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

async fn catalogue(db: &Db) -> Result<()> {
    let at = now();
    let category = |index: usize| NewCategory {
        id: format!("category-{index}"),
        name: TOPICS[index % TOPICS.len()].to_owned(),
        parent_id: (index >= TOPICS.len()).then(|| format!("category-{}", index % TOPICS.len())),
    };
    let definition = |index: usize| NewDefinition {
        id: id(index),
        name: format!("Configure {} number {index}", TOPICS[index % TOPICS.len()]),
        category_id: Some(format!("category-{}", index % 400)),
        options: (0..3)
            .map(|option| {
                let name = ["Disabled".to_owned(), "Enabled".to_owned(), format!("Option{}", index % 50)];
                (format!("{}_{option}", id(index)), name[option].clone())
            })
            .collect(),
    };
    let categories: Vec<NewCategory> = (0..400).map(category).collect();
    let definitions: Vec<NewDefinition> = (0..DEFINITIONS).map(definition).collect();
    let mut tx = db.write().await?;
    setting_catalog::record_categories(&mut tx, "configurationCategories", &categories, at).await?;
    setting_catalog::record_definitions(&mut tx, "configurationSettings", &definitions, at).await?;
    tx.commit().await?;
    Ok(())
}

/// A tenant with its policies, as a capture keeps them.
async fn fill(db: &Db, vault: &Vault, number: usize) -> Result<()> {
    let at = now();
    let tenant = TenantId::from_uuid(Uuid::new_v4());
    let details = TenantDetails {
        name: format!("T{number:03}"),
        entra_tenant_id: Uuid::new_v4().to_string(),
        cloud: Cloud::Global,
        login_url: None,
        graph_url: None,
        environment: Environment::Other,
        client_id: Uuid::new_v4().to_string(),
    };
    let run = OperationRunId::from_uuid(Uuid::new_v4());
    let new_run = NewOperationRun {
        id: run,
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
    };
    let limits =
        [KindLimits { resource: "bench", action: "fill", limits: Limits { global: 1_000, per_tenant: 1_000 } }];
    let claim = Claim { owner: "bench", lease: Duration::from_secs(3_600), limits: &limits };
    let mut tx = db.write().await?;
    tenants::create(&mut tx, tenant, &details, at).await?;
    operation_runs::create(&mut tx, &new_run, at).await?;
    let claimed = operation_runs::claim(&mut tx, &claim, at).await?.context("a run")?;
    let fence = claimed.fence().context("a fence")?;
    let new = NewCapture {
        id: CaptureId::from_uuid(Uuid::new_v4()),
        tenant_id: tenant,
        operation_run_id: run,
        user_id: None,
    };
    let capture = policies::begin(&mut tx, &fence, &new, at).await?;
    policies::begin_type(&mut tx, &fence, &capture, TYPE, at).await?;
    let key = TenantKey::open_or_make(&mut tx, vault, tenant, at).await?;
    let checked: Vec<Checked> = (0..POLICIES).map(|policy| checked(&key, number, policy, at)).collect::<Result<_>>()?;
    let counted = CountedItems::default();
    policies::record(&mut tx, &fence, &capture, TYPE, &checked, &counted, at).await?;
    tx.commit().await?;
    Ok(())
}

fn checked(key: &TenantKey, tenant: usize, policy: usize, at: tenantatlas_domain::time::Timestamp) -> Result<Checked> {
    let settings: Vec<Value> = (0..SETTINGS)
        .map(|place| {
            let definition = id((tenant * 31 + policy * SETTINGS * 7 + place * 13) % DEFINITIONS);
            let option = format!("{definition}_{}", (tenant + policy + place) % 3);
            json!({"settingInstance": {
                "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
                "settingDefinitionId": definition,
                "choiceSettingValue": {"value": option, "children": []},
            }})
        })
        .collect();
    let seal = |name: &str, value: &Value| -> Result<SealedSlot> {
        let text = to_canonical_string(value);
        let content_hash = ContentHash(Sha256::digest(text.as_bytes()).into());
        Ok(SealedSlot { name: name.to_owned(), content_hash, sealed: key.seal(text.as_bytes())? })
    };
    let external_id = Uuid::new_v4().to_string();
    let version = NewVersion {
        id: VersionId::from_uuid(Uuid::new_v4()),
        display_name: format!("Policy {policy}"),
        api_version: "beta",
        collection: "deviceManagement/configurationPolicies".to_owned(),
        odata_type: None,
        completeness: Completeness::Complete,
        lacks: Vec::new(),
        content_hash: ContentHash([1; 32]),
        normaliser_version: 1,
        settings: Some(SETTINGS as u64),
        withheld: 0,
        // The object itself has no setting: exactly so many are counted.
        slots: vec![seal("", &json!({"id": external_id}))?, seal("settings", &Value::Array(settings))?],
    };
    Ok(Checked {
        external_id,
        item: (ContentHash([1; 32]), 1),
        read_at: at,
        compared_with: None,
        version: Some(version),
    })
}
