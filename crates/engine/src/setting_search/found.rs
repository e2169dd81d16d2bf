//! From the lines of a page to what is told of them.

use std::collections::{BTreeSet, HashMap};

use tenantatlas_domain::body::Completeness;
use tenantatlas_domain::ids::{TenantId, VersionId};
use tenantatlas_domain::settings::{Glossary, SearchEntry, Setting};
use tenantatlas_store::inventory::{self, ItemRow, ObjectOf};
use tenantatlas_store::policies::TenantKey;
use tenantatlas_store::setting_search::{Hit, SearchedTenant};
use tenantatlas_store::{Reader, StoreError};

use super::reach::Reach;
use super::{FoundPolicy, FoundSetting};
use crate::engine::Engine;
use crate::error::EngineError;

/// The policies of a page with their settings, in its order.
pub(super) async fn policies(
    engine: &Engine,
    reach: &Reach,
    tenants: &[SearchedTenant],
    hits: Vec<Hit>,
) -> Result<Vec<FoundPolicy>, EngineError> {
    let keys: HashMap<TenantId, &TenantKey> = tenants.iter().map(|tenant| (tenant.id, &tenant.key)).collect();
    let mut opened: Vec<(Hit, SearchEntry)> = Vec::with_capacity(hits.len());
    for hit in hits {
        let key = keys.get(&hit.tenant_id).ok_or(StoreError::Sealed)?;
        let entry = entry(key, hit.version_id, &hit.sealed)?;
        opened.push((hit, entry));
    }
    // A setting below a definition has a name by both.
    let is_known = |(hit, entry): &&(Hit, SearchEntry)| entry.definition_id.is_some() || hit.key.contains('/');
    let ids: BTreeSet<String> = opened.iter().filter(is_known).map(|(hit, _)| hit.key.clone()).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let db = engine.reader();
    let (definitions, items, tags) =
        futures::try_join!(engine.names_of_definitions(&ids), async { Ok(items(db, &opened).await?) }, async {
            Ok(tags(db, &opened).await?)
        },)?;
    Ok(grouped(reach, opened, &Names { definitions, tags }, items))
}

/// What is shown of a line.
pub(super) fn entry(key: &TenantKey, version: VersionId, sealed: &[u8]) -> Result<SearchEntry, StoreError> {
    let plain = key.open_line(version, sealed)?;
    serde_json::from_slice(&plain).map_err(|_| StoreError::Sealed)
}

/// What the ids in settings are called.
struct Names {
    /// By Microsoft, in every tenant.
    definitions: Glossary,
    /// By the tenants.
    tags: HashMap<TenantId, Glossary>,
}

impl Names {
    /// The setting with its names: by its definition where it has one, else by what its tenant calls scope tags.
    fn name(&self, hit: &Hit, entry: &SearchEntry) -> Setting {
        let of_tenant = self.tags.get(&hit.tenant_id).filter(|_| names_tags(entry));
        entry.named(&hit.key, of_tenant.unwrap_or(&self.definitions))
    }
}

/// What tenants call their scope tags, where a setting of the page names some.
async fn tags(db: &Reader, opened: &[(Hit, SearchEntry)]) -> Result<HashMap<TenantId, Glossary>, StoreError> {
    let naming = opened.iter().filter(|(_, entry)| names_tags(entry));
    let tenants: BTreeSet<TenantId> = naming.map(|(hit, _)| hit.tenant_id).collect();
    let mut found = HashMap::new();
    for tenant in tenants {
        let known = inventory::known_names(db, tenant, &[]).await?;
        found.insert(tenant, Glossary { scope_tags: known.scope_tags, ..Glossary::default() });
    }
    Ok(found)
}

fn names_tags(entry: &SearchEntry) -> bool {
    entry.definition_id.is_none() && entry.key.starts_with("roleScopeTag")
}

/// Puts settings of one policy that follow each other together.
fn grouped(
    reach: &Reach,
    opened: Vec<(Hit, SearchEntry)>,
    names: &Names,
    mut items: HashMap<ObjectOf, ItemRow>,
) -> Vec<FoundPolicy> {
    let mut found: Vec<FoundPolicy> = Vec::new();
    for (hit, entry) in opened {
        let setting = FoundSetting {
            setting: names.name(&hit, &entry),
            entry,
            since_at: hit.since_at,
            since_number: hit.since_number,
            since_or_before: hit.since_number > 1 && hit.since_number <= hit.oldest_number,
            key: hit.key.clone(),
        };
        let is_same = |policy: &&mut FoundPolicy| {
            (policy.tenant_id, &policy.policy_type, &policy.external_id)
                == (hit.tenant_id, &hit.policy_type, &hit.external_id)
        };
        if let Some(policy) = found.last_mut().filter(is_same) {
            policy.settings.push(setting);
            continue;
        }
        let item = items.remove(&(hit.tenant_id, hit.policy_type.clone(), hit.external_id.clone()));
        found.push(FoundPolicy {
            tenant_id: hit.tenant_id,
            tenant: reach.name(hit.tenant_id),
            policy_type: hit.policy_type,
            external_id: hit.external_id,
            display_name: hit.display_name,
            number: hit.number,
            read_at: hit.read_at,
            is_whole: hit.completeness == Completeness::Complete,
            item,
            settings: vec![setting],
        });
    }
    found
}

/// What the inventory knows of the policies of a page.
async fn items(db: &Reader, opened: &[(Hit, SearchEntry)]) -> Result<HashMap<ObjectOf, ItemRow>, StoreError> {
    let policy = |(hit, _): &(Hit, SearchEntry)| (hit.tenant_id, hit.policy_type.clone(), hit.external_id.clone());
    inventory::find_objects(db, &opened.iter().map(policy).collect()).await
}
