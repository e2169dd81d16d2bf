//! One setting over tenants.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::setting_query::SettingQuery;
use tenantatlas_domain::settings::Glossary;
use tenantatlas_store::StoreError;
use tenantatlas_store::policies::TenantKey;
use tenantatlas_store::setting_search::{self, KeyId, Search, SearchedTenant};

use super::coverage::{self, SearchCoverage};
use super::found::{entry, names_of_tenants};
use super::reach::Reach;
use crate::engine::Engine;
use crate::error::EngineError;

/// A tenant with the values that a setting has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PivotRow {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant: String,
    /// Policies that set a value, in the order of [`SettingPivot::values`].
    pub policies: Vec<u64>,
}

/// One setting over tenants: which values it has where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SettingPivot {
    /// Which setting, by Microsoft's names.
    pub key: String,
    /// What it is called; the key where no name is known.
    pub name: String,
    /// Its values, that of most tenants first.
    pub values: Vec<String>,
    /// The tenants in which a policy sets it, by name.
    pub rows: Vec<PivotRow>,
    /// The tenants that were searched and in which no policy that is kept sets it, by name.
    pub not_set: Vec<String>,
    /// Whether there are more values than are told.
    pub more: bool,
    /// What was searched and what not.
    pub coverage: SearchCoverage,
}

/// A value with the policies that set it, by tenant.
type Values = HashMap<String, BTreeMap<TenantId, u64>>;

pub(super) async fn pivot(
    engine: &Engine,
    reach: &Reach,
    query: &SettingQuery,
    (tenants, search): (&[SearchedTenant], &Search),
    key: &str,
) -> Result<SettingPivot, EngineError> {
    let db = engine.reader();
    let id: KeyId = setting_search::key_id(key);
    let (found, coverage) = futures::try_join!(
        async { Ok::<_, EngineError>(setting_search::pivot(db, tenants, search, id).await?) },
        coverage::coverage(db, reach, query)
    )?;
    let keys: HashMap<TenantId, &TenantKey> = tenants.iter().map(|tenant| (tenant.id, &tenant.key)).collect();
    let glossary: Glossary = engine.names_of_definitions(&[key.to_owned()]).await?;
    let mut cells = Vec::with_capacity(found.cells.len());
    for cell in found.cells {
        let tenant_key = keys.get(&cell.tenant_id).ok_or(StoreError::Sealed)?;
        let entry = entry(tenant_key, cell.version_id, &cell.sealed)?;
        cells.push((cell, entry));
    }
    let of_tenants = names_of_tenants(db, cells.iter().map(|(cell, entry)| (cell.tenant_id, entry))).await?;
    let (mut values, mut name) = (Values::new(), None);
    for (cell, entry) in cells {
        let setting = entry.named(key, &glossary, of_tenants.get(&cell.tenant_id));
        name.get_or_insert_with(|| entry.title(&setting));
        let of_value = values.entry(entry.value_words(&setting)).or_default();
        *of_value.entry(cell.tenant_id).or_default() += cell.policies;
    }
    let mut values: Vec<(String, BTreeMap<TenantId, u64>)> = values.into_iter().collect();
    values.sort_by(|one, other| other.1.len().cmp(&one.1.len()).then_with(|| one.0.cmp(&other.0)));
    let counts = |tenant: TenantId| -> Vec<u64> {
        values.iter().map(|(_, of)| of.get(&tenant).copied().unwrap_or_default()).collect()
    };
    let mut pivot = SettingPivot {
        key: key.to_owned(),
        name: name.unwrap_or_else(|| key.to_owned()),
        more: found.more,
        ..SettingPivot::default()
    };
    let is_left_out = |tenant: TenantId| coverage.left_out.iter().any(|one| one.tenant_id == tenant);
    for tenant in &reach.searched {
        let policies = counts(tenant.id);
        if policies.iter().any(|count| *count > 0) {
            pivot.rows.push(PivotRow { tenant_id: tenant.id, tenant: tenant.name.clone(), policies });
        } else if !is_left_out(tenant.id) {
            pivot.not_set.push(tenant.name.clone());
        }
    }
    pivot.values = values.into_iter().map(|(value, _)| value).collect();
    pivot.coverage = coverage;
    Ok(pivot)
}
