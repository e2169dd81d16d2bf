//! `tenantatlas settings`

use tenantatlas_app::format::counted;
use tenantatlas_app::inventory::assigned::target_cell;
use tenantatlas_app::inventory::labels::type_label;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{
    Actor, Engine, FoundPolicy, FoundSetting, SearchAnswer, SearchCoverage, SearchRequest, SettingPivot,
};

use super::arguments::{SettingsCommand, SettingsSearchArguments};
use super::output::Output;
use crate::exit::Exit;
use crate::open;
use crate::settings::Settings;

/// Settings that are asked for at once.
const AT_ONCE: u32 = 500;

/// Looks for settings.
///
/// # Errors
/// When the query cannot be understood or a tenant is unknown (exit code 64), or the database fails.
pub async fn run(settings: &Settings, command: SettingsCommand, output: Output) -> Result<(), Exit> {
    let SettingsCommand::Search(arguments) = command;
    let engine = open::engine(settings, open::without_workers()).await?;
    let result = search(&engine, &arguments, output).await;
    engine.shutdown().await;
    result
}

async fn search(engine: &Engine, arguments: &SettingsSearchArguments, output: Output) -> Result<(), Exit> {
    let mut tenants: Vec<TenantId> = Vec::new();
    for tenant in &arguments.tenants {
        tenants.push(open::tenant(engine.reader(), tenant).await?.id);
    }
    let request = SearchRequest { query: arguments.query.clone(), tenants, after: None, limit: 1 };
    if let Some(key) = &arguments.pivot {
        let pivot = engine.pivot_setting(&Actor::command_line(), &request, key).await?;
        output.document(&pivot)?;
        return tell_pivot(&pivot, output);
    }
    let answer = found(engine, request, arguments.limit).await?;
    output.document(&answer.document())?;
    tell(&answer, arguments.limit, output)
}

/// What is found, page by page up to the limit.
async fn found(engine: &Engine, request: SearchRequest, limit: u32) -> Result<SearchAnswer, Exit> {
    let actor = Actor::command_line();
    let mut answer: Option<SearchAnswer> = None;
    let mut left = limit;
    loop {
        let after = answer.as_ref().and_then(|answer| answer.next);
        let request = SearchRequest { after, limit: left.min(AT_ONCE), ..request.clone() };
        let page = engine.search_settings(&actor, &request).await?;
        let count: usize = page.policies.iter().map(|policy| policy.settings.len()).sum();
        left = left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        let whole = match answer.take() {
            None => page,
            Some(mut whole) => {
                whole.next = page.next;
                whole.add(page.policies);
                whole
            }
        };
        if whole.next.is_none() || left == 0 {
            return Ok(whole);
        }
        answer = Some(whole);
    }
}

fn tell(answer: &SearchAnswer, limit: u32, output: Output) -> Result<(), Exit> {
    if answer.policies.is_empty() {
        output.line("No setting of a latest version was found.")?;
    } else {
        output.table(
            &["TENANT", "TYPE", "POLICY", "SETTING", "VALUE", "SINCE", "INCLUDED", "EXCLUDED"],
            answer.policies.iter().flat_map(rows),
        )?;
    }
    if answer.next.is_some() {
        output.line(format!("There are more than {limit}: --limit shows more."))?;
    }
    tell_coverage(&answer.coverage, output)
}

fn rows(policy: &FoundPolicy) -> Vec<Vec<String>> {
    let assigned = |included| match &policy.item {
        Some(row) => target_cell(row, included),
        None => "not known".to_owned(),
    };
    let row = |setting: &FoundSetting| {
        let before = if setting.since_or_before { " or before" } else { "" };
        vec![
            policy.tenant.clone(),
            type_label(&policy.policy_type),
            policy.display_name.clone(),
            setting.title(),
            setting.value_words(),
            format!("{}{before}", setting.since_at.to_rfc3339()),
            assigned(true),
            assigned(false),
        ]
    };
    policy.settings.iter().map(row).collect()
}

fn tell_pivot(pivot: &SettingPivot, output: Output) -> Result<(), Exit> {
    output.line(format!("{} ({})", pivot.name, pivot.key))?;
    let rows = pivot.rows.iter().flat_map(|row| {
        let values = pivot.values.iter().zip(&row.policies).filter(|(_, count)| **count > 0);
        values.map(|(value, count)| vec![row.tenant.clone(), value.clone(), counted(*count, "policy", "policies")])
    });
    output.table(&["TENANT", "VALUE", "SET BY"], rows)?;
    for tenant in &pivot.not_set {
        output.line(format!("  {tenant}: no policy that is kept sets it"))?;
    }
    if pivot.more {
        output.line("There are more values than are shown.")?;
    }
    tell_coverage(&pivot.coverage, output)
}

fn tell_coverage(coverage: &SearchCoverage, output: Output) -> Result<(), Exit> {
    output.line(format!(
        "Searched: {} of {} in {}",
        counted(coverage.settings, "setting", "settings"),
        counted(coverage.policies, "policy", "policies"),
        counted(coverage.tenants, "tenant", "tenants")
    ))?;
    for one in &coverage.left_out {
        output.line(format!("  not searched: {}, because {}", one.tenant, one.reason))?;
    }
    for one in &coverage.not_searched {
        output.line(format!("  not searched: {}, {}: {}", one.tenant, type_label(&one.policy_type), one.words()))?;
    }
    for key in &coverage.without_versions {
        output.line(format!("  not searched: {}, because no versions of it are kept", type_label(key)))?;
    }
    Ok(())
}
