//! What a person does with findings.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;

use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::load::all,
    crate::{
        access::Rule,
        done::Done,
        filter::{ListFilter as _, finding::FindingsFilter, read_query},
        redirect::go_to_with,
        scope::{self, Inside},
    },
    std::collections::BTreeSet,
    tenantatlas_domain::ids::FindingId,
    tenantatlas_domain::role::Action,
    tenantatlas_domain::time::Timestamp,
    tenantatlas_store::tenants::AfterSync,
};

/// The list that a form was sent from, by the parameters of its address.
#[cfg(feature = "ssr")]
fn back(inside: &Inside, query: &str) -> String {
    read_query::<FindingsFilter>(query).first_page().address(&inside.address().findings())
}

#[cfg(feature = "ssr")]
fn picked(findings: &[String]) -> Result<Vec<FindingId>, AppError> {
    if findings.is_empty() {
        return Err(AppError::invalid("findings", "Pick at least one finding."));
    }
    // What one person changed in one go is one box with all ids, and each of them may be picked as well.
    let ids = findings.iter().flat_map(|ids| ids.split(','));
    let ids = ids.map(|id| id.parse().map_err(|_| AppError::not_found("The finding")));
    let ids: BTreeSet<FindingId> = ids.collect::<Result<_, AppError>>()?;
    Ok(ids.into_iter().collect())
}

/// Compares the latest run of the main scope with the one before it, and leads to the run that does.
///
/// # Errors
/// Forbidden below operator; when nothing was read yet.
#[server(prefix = "/api", endpoint = "compare_runs")]
pub async fn compare_runs() -> Result<(), AppError> {
    let inside = scope::acting(Action::Sync)?;
    let started = inside.engine.dispatch_drift(&inside.session.actor(), inside.id(), None, None).await?;
    let done = started.already_running.then_some(Done::AlreadyRunning);
    go_to_with(&inside.address().run(started.state.id), done);
    Ok(())
}
rule!(CompareRuns, Rule::Member(Action::Sync));

/// Accepts the findings that were picked, or all that the filter of the address finds, with a reason and maybe an end.
///
/// # Errors
/// Forbidden below operator; nothing picked; a reason, an end or a confirmation that is not acceptable.
#[server(prefix = "/api", endpoint = "accept_findings")]
pub async fn accept_findings(
    #[server(default)] findings: Vec<String>,
    #[server(default)] everything: bool,
    #[server(default)] reason: String,
    #[server(default)] until: String,
    #[server(default)] confirmation: String,
    #[server(default)] query: String,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::AcknowledgeFindings)?;
    let ids = match everything {
        true => all(&inside, &read_query::<FindingsFilter>(&query)).await?,
        false => picked(&findings)?,
    };
    let until = match until.trim() {
        "" => None,
        day => Some(Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).ok_or_else(|| {
            AppError::invalid("until", "Enter the end as a date, such as 2027-01-31, or leave it empty.")
        })?),
    };
    let actor = inside.session.actor();
    inside.engine.accept_findings(&actor, inside.id(), &ids, &reason, until, &confirmation).await?;
    go_to_with(&back(&inside, &query), Done::FindingsAccepted);
    Ok(())
}
rule!(AcceptFindings, Rule::Member(Action::AcknowledgeFindings));

/// Takes the acceptance of the findings that were picked back.
///
/// # Errors
/// Forbidden below operator; nothing picked, or nothing of it is accepted.
#[server(prefix = "/api", endpoint = "reopen_findings")]
pub async fn reopen_findings(
    #[server(default)] findings: Vec<String>,
    #[server(default)] query: String,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::AcknowledgeFindings)?;
    let ids = picked(&findings)?;
    inside.engine.reopen_findings(&inside.session.actor(), inside.id(), &ids).await?;
    go_to_with(&back(&inside, &query), Done::FindingsReopened);
    Ok(())
}
rule!(ReopenFindings, Rule::Member(Action::AcknowledgeFindings));

/// Says what follows each sync: a comparison with the run before it, a capture of what is new or changed, a reading of the audit
/// logs of Microsoft.
///
/// # Errors
/// Forbidden below manager.
#[server(prefix = "/api", endpoint = "set_after_sync")]
pub async fn set_after_sync(
    #[server(default)] drift: bool,
    #[server(default)] capture: bool,
    #[server(default)] audit_events: bool,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    let wanted = AfterSync { drift, capture, audit_events };
    inside.engine.set_after_sync(&inside.session.actor(), inside.id(), wanted).await?;
    go_to_with(&inside.address().findings(), Done::DriftChosen);
    Ok(())
}
rule!(SetAfterSync, Rule::Member(Action::EditSchedules));

/// Says how much a change of a type matters; as much as by itself when no severity is chosen.
///
/// # Errors
/// Forbidden below manager; a type or severity that is not known.
#[server(prefix = "/api", endpoint = "set_drift_severity")]
pub async fn set_drift_severity(
    #[server(default)] policy_type: String,
    #[server(default)] severity: String,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    let severity = match severity.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|_| {
            AppError::invalid("severity", "Choose low, medium, high or critical, or leave it empty for the usual one.")
        })?),
    };
    inside.engine.set_drift_severity(&inside.session.actor(), inside.id(), &policy_type, severity).await?;
    go_to_with(&inside.address().findings(), Done::SeverityChosen);
    Ok(())
}
rule!(SetDriftSeverity, Rule::Member(Action::EditSchedules));

/// Says with which sync run the main scope is compared from now on; with the one before the latest when none is chosen.
///
/// # Errors
/// Forbidden below manager; a run that cannot be a baseline.
#[server(prefix = "/api", endpoint = "pin_drift_baseline")]
pub async fn pin_drift_baseline(#[server(default)] run: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditSchedules)?;
    let run = match run.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::not_found("The run"))?),
    };
    inside.engine.pin_drift_baseline(&inside.session.actor(), inside.id(), run).await?;
    go_to_with(&inside.address().findings(), Done::BaselineChosen);
    Ok(())
}
rule!(PinDriftBaseline, Rule::Member(Action::EditSchedules));
