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
use crate::policy_versions::{MOST_OBJECTS, referred_types};

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
    let naming = opened.iter().map(|(hit, entry)| (hit.tenant_id, entry));
    let (definitions, items, of_tenants) =
        futures::try_join!(engine.names_of_definitions(&ids), async { Ok(items(db, &opened).await?) }, async {
            Ok(names_of_tenants(db, naming).await?)
        },)?;
    Ok(grouped(reach, opened, &Names { definitions, of_tenants }, items))
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
    of_tenants: HashMap<TenantId, Glossary>,
}

impl Names {
    fn name(&self, hit: &Hit, entry: &SearchEntry) -> Setting {
        entry.named(&hit.key, &self.definitions, self.of_tenants.get(&hit.tenant_id))
    }
}

/// What tenants call the scope tags and the objects that settings name by their ids.
pub(super) async fn names_of_tenants<'e>(
    db: &Reader,
    entries: impl Iterator<Item = (TenantId, &'e SearchEntry)>,
) -> Result<HashMap<TenantId, Glossary>, StoreError> {
    let (mut tagged, mut objects) = (BTreeSet::new(), BTreeSet::new());
    for (tenant, entry) in entries {
        if names_tags(entry) {
            tagged.insert(tenant);
        }
        let ids = entry.object_ids().into_iter().flat_map(|id| [id.to_owned(), id.to_ascii_lowercase()]);
        objects.extend(ids.map(|id| (tenant, id)));
    }
    let (tagged, objects): (Vec<TenantId>, Vec<_>) =
        (tagged.into_iter().collect(), objects.into_iter().take(MOST_OBJECTS).collect());
    let mut found: HashMap<TenantId, Glossary> = HashMap::new();
    if !tagged.is_empty() {
        for (tenant, scope_tags) in inventory::scope_tags_in(db, &tagged).await? {
            found.entry(tenant).or_default().scope_tags = scope_tags;
        }
    }
    if !objects.is_empty() {
        for (tenant, names) in inventory::object_names_in(db, &referred_types(), &objects).await? {
            found.entry(tenant).or_default().objects = names;
        }
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
