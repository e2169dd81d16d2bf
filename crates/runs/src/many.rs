//! Cancelling and retrying many runs at once. Each is done or refused by itself: what one tenant refuses is done in the others.

use std::collections::BTreeMap;

use tenantatlas_commands::{Actor, CommandError};
use tenantatlas_domain::ids::{OperationRunId, TenantId};

use crate::cancel::Cancelled;
use crate::core::Core;
use crate::operation::RetryPart;
use crate::retry::Reason;
use crate::runner::Runner;

/// Runs that are cancelled or retried at once, at most.
pub const MOST_AT_ONCE: usize = 200;
/// The longest reason, in characters.
pub const LONGEST_WHY: usize = 200;
/// Runs that one transaction cancels: each leaves entries in the audit log, whose end is locked until the commit.
const BATCH: usize = 10;

/// What became of many runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Cancelled, or started again.
    pub done: u32,
    /// Had ended already, or had not ended; or nothing of them was left to be done.
    pub nothing_to_do: u32,
    /// Do the same as a run that is under way: no second one was started.
    pub already_running: u32,
    /// Not allowed to this person, or not there.
    pub refused: u32,
    /// Not started since too many runs wait already.
    pub too_many: u32,
    /// The first run that is under way already and does the same as one that was to be started again.
    pub under_way: Option<(TenantId, OperationRunId)>,
}

impl Runner {
    /// Cancels these runs, of at most [`MOST_AT_ONCE`]. The audit log tells `why` of each.
    ///
    /// # Errors
    /// [`CommandError::Conflict`] with too many of them or a reason that is too long, before anything is done; when the
    /// database fails, and then what was cancelled before stays so.
    pub async fn cancel_many(
        &self,
        actor: &Actor,
        runs: &[(TenantId, OperationRunId)],
        why: &str,
    ) -> Result<Outcomes, CommandError> {
        let why = checked(runs, why)?;
        let mut of_tenants: BTreeMap<TenantId, Vec<OperationRunId>> = BTreeMap::new();
        for (tenant, run) in runs {
            of_tenants.entry(*tenant).or_default().push(*run);
        }
        let mut outcomes = Outcomes::default();
        for (tenant, ids) in of_tenants {
            for batch in ids.chunks(BATCH) {
                match self.core.cancel_these(actor, tenant, batch, why).await {
                    Ok(cancelled) => {
                        for (_, result) in cancelled {
                            match result {
                                Cancelled::Done | Cancelled::Requested => outcomes.done += 1,
                                Cancelled::AlreadyEnded => outcomes.nothing_to_do += 1,
                            }
                        }
                    }
                    Err(CommandError::Forbidden | CommandError::NotFound(_)) => {
                        outcomes.refused += u32::try_from(batch.len()).unwrap_or(u32::MAX);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(outcomes)
    }

    /// Starts these runs again that have ended, of at most [`MOST_AT_ONCE`]: all of each, or what failed of it. The audit log tells
    /// `why` of each.
    ///
    /// # Errors
    /// As [`Runner::cancel_many`].
    pub async fn retry_many(
        &self,
        actor: &Actor,
        runs: &[(TenantId, OperationRunId)],
        part: RetryPart,
        why: &str,
    ) -> Result<Outcomes, CommandError> {
        let reason = Reason { why: checked(runs, why)?, of_many: true };
        self.core.commands.begin_many(actor).await?;
        let mut outcomes = Outcomes::default();
        for (tenant, run) in runs {
            self.core.retry_one(actor, (*tenant, *run), part, reason, &mut outcomes).await?;
        }
        Ok(outcomes)
    }
}

impl Core {
    async fn retry_one(
        &self,
        actor: &Actor,
        (tenant, run): (TenantId, OperationRunId),
        part: RetryPart,
        reason: Reason<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), CommandError> {
        let count = match self.retry(actor, tenant, run, part, reason).await {
            Ok(started) if started.already_running => {
                outcomes.under_way.get_or_insert((tenant, started.state.id));
                &mut outcomes.already_running
            }
            Ok(_) => &mut outcomes.done,
            Err(CommandError::Conflict(_)) => &mut outcomes.nothing_to_do,
            Err(CommandError::Forbidden | CommandError::NotFound(_)) => &mut outcomes.refused,
            Err(CommandError::TooMany(_)) => &mut outcomes.too_many,
            Err(error) => return Err(error),
        };
        *count += 1;
        Ok(())
    }
}

/// The reason as the audit log tells it; `None` where nobody gave one.
fn checked<'a>(runs: &[(TenantId, OperationRunId)], why: &'a str) -> Result<Option<&'a str>, CommandError> {
    if runs.len() > MOST_AT_ONCE {
        return Err(CommandError::Conflict(format!(
            "{} runs were chosen, and at most {MOST_AT_ONCE} can be done at once: narrow the filter, or pick some",
            runs.len()
        )));
    }
    let why = why.trim();
    if why.chars().count() > LONGEST_WHY {
        return Err(CommandError::Conflict(format!("the reason is too long: at most {LONGEST_WHY} characters")));
    }
    Ok(Some(why).filter(|why| !why.is_empty()))
}
