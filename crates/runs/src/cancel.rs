//! Cancelling a run.

use serde::Serialize;
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, CommandError, Right};
use tenantatlas_domain::audit::{AuditAction, RunEvent};
use tenantatlas_domain::ids::{OperationRunId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_store::Tx;
use tenantatlas_store::operation_runs::{self, CancelOutcome, OperationRun};

use crate::core::Core;
use crate::outbox::Message;
use crate::runner::Runner;
use crate::stop::Stop;
use crate::sweeper;

/// What became of the wish to cancel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Cancelled {
    /// It is `aborted`.
    Done,
    /// Its worker was told and ends it within moments.
    Requested,
    /// It had ended before.
    AlreadyEnded,
}

impl Runner {
    /// Cancels a run: at once when nobody works on it, else by telling its worker.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] and [`CommandError::Forbidden`], or when the database fails.
    pub async fn cancel(&self, actor: &Actor, tenant: TenantId, id: OperationRunId) -> Result<Cancelled, CommandError> {
        let mut cancelled = self.core.cancel_these(actor, tenant, &[id], None).await?;
        cancelled.pop().map(|(_, result)| result).ok_or(CommandError::NotFound("the run"))
    }

    /// Cancels everything active in a tenant that was removed, for whoever removed it: that was their right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_all_of_removed(&self, actor: &Actor, tenant: TenantId) -> Result<(), CommandError> {
        let (core, db) = (&self.core, &self.core.commands.db);
        for run in operation_runs::active(db, Some(tenant), None).await? {
            let mut tx = db.write().await?;
            let (run, result) = match core.request_cancel(&mut tx, actor, tenant, run.id).await {
                // It was deleted meanwhile.
                Err(CommandError::NotFound(_)) => continue,
                done => done?,
            };
            if result != Cancelled::AlreadyEnded {
                core.commands.record(&mut tx, actor, cancel_entry(&run, None)).await?;
            }
            tx.commit().await?;
            core.tell_of_cancel(&run, &result).await;
        }
        Ok(())
    }
}

impl Core {
    /// Cancels these runs of a tenant in one command, for the reason that the audit log is to tell of each.
    pub(crate) async fn cancel_these(
        &self,
        actor: &Actor,
        tenant: TenantId,
        ids: &[OperationRunId],
        why: Option<&str>,
    ) -> Result<Vec<(OperationRun, Cancelled)>, CommandError> {
        let Some(first) = ids.first() else { return Ok(Vec::new()) };
        let entry = AuditEntry::new(AuditAction::CancelRequested, "operation_run", first).of(tenant);
        let right = Right::Tenant(tenant, Action::CancelRun);
        let cancelled = self
            .commands
            .execute(Command::new(actor, right, entry), async |tx, log| {
                let mut cancelled = Vec::with_capacity(ids.len());
                for id in ids {
                    let (run, result) = self.request_cancel(tx, actor, tenant, *id).await?;
                    if result != Cancelled::AlreadyEnded {
                        log.also(cancel_entry(&run, why));
                    }
                    cancelled.push((run, result));
                }
                log.unchanged();
                Ok::<_, CommandError>(cancelled)
            })
            .await?;
        for (run, result) in &cancelled {
            self.tell_of_cancel(run, result).await;
        }
        Ok(cancelled)
    }

    /// Asks for the end of a run, and ends it where nobody works on it.
    async fn request_cancel(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        tenant: TenantId,
        id: OperationRunId,
    ) -> Result<(OperationRun, Cancelled), CommandError> {
        let at = self.commands.clock.now();
        let person = actor.user_id.filter(|_| actor.token.is_none());
        Ok(match operation_runs::request_cancel(tx, tenant, id, (&actor.name, person), at).await? {
            CancelOutcome::NotFound => return Err(CommandError::NotFound("the run")),
            CancelOutcome::AlreadyEnded(run) => (run, Cancelled::AlreadyEnded),
            CancelOutcome::Aborted(run) => {
                if let Some(end) = Stop::Cancelled.end() {
                    sweeper::close(self, tx, &run, &end, at).await?;
                }
                (run, Cancelled::Done)
            }
            CancelOutcome::Requested(run) => (run, Cancelled::Requested),
        })
    }

    async fn tell_of_cancel(&self, run: &OperationRun, result: &Cancelled) {
        match result {
            Cancelled::AlreadyEnded => {}
            Cancelled::Done => self.tell_of_ends([run]).await,
            Cancelled::Requested => {
                self.publish_runs([run]);
                self.working.cancel(run.id);
                self.live.outbox.put(Message::Cancel(run.id));
            }
        }
    }
}

fn cancel_entry(run: &OperationRun, why: Option<&str>) -> AuditEntry {
    let action = RunEvent::CancelRequested.of(&run.resource, &run.action);
    let entry = AuditEntry::new(action, "operation_run", run.id).of(run.tenant_id);
    match why {
        Some(why) => entry.with(json!({ "why": why })),
        None => entry,
    }
}
