//! What the type picker shows.

use std::collections::{HashMap, HashSet};

use tenantatlas_domain::registry::{Category, PolicyType, aliases, registry};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::inventory::ScopeView;
use tenantatlas_store::sync_runs::{self, TypeRun};
use tenantatlas_store::{permissions, preferences};

use super::model::{Picker, PickerCategory, PickerPreset, PickerType};
use crate::error::AppError;
use crate::scope::Inside;

/// The picker for a tenant, with a preset or the type of that key marked (`everything` when none or an unknown one is named).
///
/// # Errors
/// When the database fails.
pub async fn of(inside: &Inside, preset: &str) -> Result<Picker, AppError> {
    let db = inside.engine.reader();
    let missing: HashMap<String, String> = permissions::list(db, inside.id())
        .await?
        .into_iter()
        .filter(|permission| !permission.granted)
        .flat_map(|permission| {
            let name = permission.permission;
            permission.required_by.into_iter().map(move |key| (key, name.clone()))
        })
        .collect();
    let last_read: HashMap<String, TypeRun> = ScopeView::load(db, inside.id(), None)
        .await?
        .types
        .into_iter()
        .filter_map(|(key, state)| Some((key, state.run?)))
        .collect();
    let last = preferences::get(db, inside.session.user_id, inside.id()).await?.last_selection;
    let failed = failed_last_time(inside).await?;

    let everything: Vec<String> = registry().default_on().map(|one| one.key.to_owned()).collect();
    let foundations: Vec<String> =
        registry().foundations().filter(|one| one.default_on).map(|one| one.key.to_owned()).collect();
    let ready_made = |slug: &str, label: &str, keys: Vec<String>, foundations: bool, dependencies: bool| PickerPreset {
        slug: slug.to_owned(),
        label: label.to_owned(),
        keys,
        foundations,
        dependencies,
    };
    // Those that name a part read that part alone.
    let mut presets = vec![
        ready_made("everything", "Everything", everything, true, true),
        ready_made("foundations", "Only foundations", foundations, false, true),
    ];
    if !failed.is_empty() {
        presets.push(ready_made("failed", "What failed last time", failed, false, true));
    }
    if let Some(last) = last {
        let (foundations, dependencies) = (last.include_foundations, last.include_dependencies);
        presets.push(ready_made("last", "Last used", last.policy_types, foundations, dependencies));
    }
    // One type alone, as the palette offers it, is marked and is no chip of its own.
    let alone = registry().get(preset).map(|one| ready_made(one.key, one.label, vec![one.key.to_owned()], false, true));
    let chosen = presets.iter().find(|one| one.slug == preset).or(alone.as_ref()).or(presets.first());
    let (foundations, dependencies) = chosen.map_or((true, true), |one| (one.foundations, one.dependencies));
    let chosen = chosen.map(|one| one.keys.clone()).unwrap_or_default();
    let categories = Category::ALL
        .iter()
        .map(|category| PickerCategory {
            slug: category.slug().to_owned(),
            label: category.label().to_owned(),
            types: registry()
                .all()
                .iter()
                .filter(|one| one.category == *category)
                .map(|one| entry(one, &missing, last_read.get(one.key)))
                .collect(),
        })
        .filter(|category| !category.types.is_empty())
        .collect();
    Ok(Picker { categories, chosen, foundations, dependencies, presets })
}

fn entry(policy_type: &PolicyType, missing: &HashMap<String, String>, last: Option<&TypeRun>) -> PickerType {
    let remark = match last.and_then(|last| last.outcome) {
        Some(TypeOutcome::Failed) => Some("could not be read last time"),
        Some(TypeOutcome::Skipped) => Some("skipped last time"),
        _ if !policy_type.default_on => Some("not in the default set"),
        _ => None,
    };
    PickerType {
        key: policy_type.key.to_owned(),
        label: policy_type.label.to_owned(),
        aliases: aliases(policy_type).iter().map(|alias| (*alias).to_owned()).collect(),
        foundation: policy_type.foundation && policy_type.default_on,
        missing_permission: missing.get(policy_type.key).cloned(),
        remark: remark.map(ToOwned::to_owned),
        requests: last.map_or(1, |last| u32::try_from(last.requests).unwrap_or(u32::MAX)),
        listing: registry().listing_of(policy_type).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX),
    }
}

/// The types that the newest sync run of the tenant, whatever its selection, could not read.
async fn failed_last_time(inside: &Inside) -> Result<Vec<String>, AppError> {
    let db = inside.engine.reader();
    let newest = sync_runs::Filter { completed: true, limit: 1, ..sync_runs::Filter::default() };
    let Some(run) = sync_runs::list(db, inside.id(), &newest).await?.into_iter().next() else { return Ok(Vec::new()) };
    let known: HashSet<&str> = registry().all().iter().map(|one| one.key).collect();
    Ok(sync_runs::list_types(db, inside.id(), run.id)
        .await?
        .into_iter()
        .filter(|row| row.outcome == Some(TypeOutcome::Failed) && known.contains(row.policy_type.as_str()))
        .map(|row| row.policy_type)
        .collect())
}
