//! What was not searched, and why: part of every answer.

use std::collections::BTreeMap;

use serde::Serialize;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, recipe, registry};
use tenantatlas_domain::setting_query::SettingQuery;
use tenantatlas_store::Reader;
use tenantatlas_store::setting_search::{self, CountedType, LastReading};

use super::reach::Reach;
use crate::error::EngineError;

/// A tenant that was not searched at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant: String,
    /// Why, as a clause.
    pub reason: &'static str,
}

/// Policies of one type of a tenant that were not searched, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotSearched {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant: String,
    /// The key of the type.
    pub policy_type: String,
    /// Policies that the inventory knows and of which no version is kept.
    pub not_captured: u64,
    /// Policies whose version is kept and not searchable yet.
    pub pending: u64,
    /// Policies of which only a part is kept, and searched.
    pub partial: u64,
    /// Why the latest capture did not read the type to its end.
    pub reason_code: Option<ReasonCode>,
}

impl NotSearched {
    /// What was not searched and why, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if self.not_captured > 0 {
            let why = self.reason_code.map(|code| format!(" ({})", code.words())).unwrap_or_default();
            words.push(format!("{} not captured{why}", self.not_captured));
        }
        if self.pending > 0 {
            words.push(format!("{} captured, not searchable yet", self.pending));
        }
        if self.partial > 0 {
            words.push(format!("{} captured and searched in part", self.partial));
        }
        words.join(", ")
    }
}

/// What was searched and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SearchCoverage {
    /// Tenants that were searched.
    pub tenants: u64,
    /// The same by their ids.
    #[serde(skip)]
    pub searched: Vec<TenantId>,
    /// Policies whose settings were.
    pub policies: u64,
    /// Settings.
    pub settings: u64,
    /// Tenants that were not searched at all, by name.
    pub left_out: Vec<LeftOut>,
    /// What else was not, by tenant and type in the order of the registry.
    pub not_searched: Vec<NotSearched>,
    /// Types that the query names and of which no version is ever kept.
    pub without_versions: Vec<&'static str>,
}

impl SearchCoverage {
    /// Whether all was searched.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.left_out.is_empty() && self.not_searched.is_empty() && self.without_versions.is_empty()
    }
}

/// What is known of one type of a tenant.
#[derive(Default)]
struct Known {
    items: u64,
    kept: Option<CountedType>,
}

/// What a search over these tenants covers.
pub(super) async fn coverage(db: &Reader, reach: &Reach, query: &SettingQuery) -> Result<SearchCoverage, EngineError> {
    let (named, without): (Vec<_>, Vec<_>) =
        types_of(query).into_iter().partition(|policy_type| recipe(policy_type).is_some());
    let ids: Vec<TenantId> = reach.searched.iter().map(|tenant| tenant.id).collect();
    let (counted, inventory) = setting_search::counts(db, &ids).await?;
    let mut known: BTreeMap<(TenantId, String), Known> = BTreeMap::new();
    for one in inventory {
        known.entry((one.tenant_id, one.policy_type)).or_default().items = one.items;
    }
    for one in counted {
        let of = (one.tenant_id, one.policy_type.clone());
        known.entry(of).or_default().kept = Some(one);
    }
    let mut coverage = SearchCoverage::default();
    if !query.types.is_empty() {
        coverage.without_versions = without.iter().map(|policy_type| policy_type.key).collect();
    }
    let refused = reach.refused.iter().map(|tenant| (tenant, "your role there does not show what policies set"));
    for (tenant, reason) in refused {
        coverage.left_out.push(LeftOut { tenant_id: tenant.id, tenant: tenant.name.clone(), reason });
    }
    let mut lacking = Vec::new();
    for tenant in &reach.searched {
        let of = |policy_type: &&PolicyType| known.get(&(tenant.id, policy_type.key.to_owned()));
        let kept: u64 = named.iter().filter_map(of).filter_map(|one| one.kept.as_ref()).map(|one| one.kept).sum();
        if kept == 0 {
            let reason = match named.iter().filter_map(of).any(|one| one.items > 0) {
                true if !query.types.is_empty() => "nothing of the types that are named was captured there yet",
                true => "nothing of it was captured yet",
                false => "no sync has found anything there that can be captured",
            };
            coverage.left_out.push(LeftOut { tenant_id: tenant.id, tenant: tenant.name.clone(), reason });
            continue;
        }
        coverage.tenants += 1;
        coverage.searched.push(tenant.id);
        for policy_type in &named {
            let Some(one) = of(policy_type) else { continue };
            coverage.add(one);
            lacking.extend(lack((tenant.id, &tenant.name), policy_type.key, one));
        }
    }
    coverage.left_out.sort_by_cached_key(|one| one.tenant.to_lowercase());
    add_reasons(db, &mut lacking).await?;
    coverage.not_searched = lacking;
    Ok(coverage)
}

fn types_of(query: &SettingQuery) -> Vec<&'static PolicyType> {
    let is_named = |known: &&'static PolicyType| query.types.is_empty() || query.types.contains(&known.key);
    registry().all().iter().copied().filter(is_named).collect()
}

impl SearchCoverage {
    fn add(&mut self, known: &Known) {
        if let Some(kept) = &known.kept {
            self.policies += kept.kept - kept.pending.min(kept.kept);
            self.settings += kept.settings;
        }
    }
}

fn lack((tenant_id, tenant): (TenantId, &str), policy_type: &str, known: &Known) -> Option<NotSearched> {
    let kept = known.kept.as_ref();
    let not_captured = known.items.saturating_sub(kept.map_or(0, |kept| kept.kept));
    let (pending, partial) = kept.map_or((0, 0), |kept| (kept.pending, kept.partial));
    (not_captured + pending + partial > 0).then(|| NotSearched {
        tenant_id,
        tenant: tenant.to_owned(),
        policy_type: policy_type.to_owned(),
        not_captured,
        pending,
        partial,
        reason_code: None,
    })
}

/// Says why what was not captured was not, as far as the latest captures tell.
async fn add_reasons(db: &Reader, lacking: &mut [NotSearched]) -> Result<(), EngineError> {
    let mut tenants: Vec<TenantId> =
        lacking.iter().filter(|one| one.not_captured > 0).map(|one| one.tenant_id).collect();
    tenants.dedup();
    if tenants.is_empty() {
        return Ok(());
    }
    let mut reasons: BTreeMap<(TenantId, String), Option<ReasonCode>> = BTreeMap::new();
    for LastReading { tenant_id, policy_type, reason_code, .. } in setting_search::last_readings(db, &tenants).await? {
        reasons.entry((tenant_id, policy_type)).or_insert(reason_code);
    }
    for one in lacking.iter_mut().filter(|one| one.not_captured > 0) {
        one.reason_code = reasons.get(&(one.tenant_id, one.policy_type.clone())).copied().flatten();
    }
    Ok(())
}
