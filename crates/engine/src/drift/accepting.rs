//! Accepting findings, and taking that back.

use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::{FindingId, TenantId};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::findings::{self, Accepted};

use crate::engine::Engine;
use crate::error::EngineError;

/// More findings than this are accepted at once only by whoever types how many they are.
pub const MANY_FINDINGS: usize = 100;
/// Findings that are accepted at once, at most.
const MOST_FINDINGS: usize = 10_000;
/// The longest reason, characters.
const MAX_REASON: usize = 1_000;
/// Ids in one statement, and named in the audit log.
const CHUNK: usize = 500;

impl Engine {
    /// Accepts what findings of a tenant show now, with a reason and maybe an end. Of more than 100 at once `typed` must be
    /// their number. Answers how many were accepted: those that are gone are not.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::NotFound`] when none of
    /// them is an open finding of the tenant, [`EngineError::Invalid`] for the reason, the end, the number, or when there are
    /// too many.
    pub async fn accept_findings(
        &self,
        actor: &Actor,
        tenant: TenantId,
        ids: &[FindingId],
        reason: &str,
        until: Option<Timestamp>,
        typed: &str,
    ) -> Result<u64, EngineError> {
        let now = self.now();
        let entry = entry(AuditAction::FindingsAccepted, tenant, ids).with(json!({ "reason": reason, "until": until }));
        let right = Right::Tenant(tenant, Action::AcknowledgeFindings);
        let checked = async {
            self.authorise(actor, tenant, Action::AcknowledgeFindings).await?;
            check_many(ids, typed)?;
            let reason = checked_reason(reason)?;
            match until {
                Some(until) if until <= now => Err(EngineError::invalid("until", "must lie in the future")),
                until => Ok(Accepted { by: actor.user_id, name: actor.name.clone(), reason, until, at: now }),
            }
        };
        let accepted = self.core.commands.before(actor, &entry, checked).await?;
        self.core
            .execute(Command::new(actor, right, entry), async |tx, _log| {
                let mut count = 0;
                for chunk in ids.chunks(CHUNK) {
                    count += findings::accept(tx, tenant, chunk, &accepted).await?;
                }
                if count > 0 { Ok(count) } else { Err(EngineError::NotFound("the finding")) }
            })
            .await
    }

    /// Takes acceptances of findings of a tenant back: they are new again. Answers how many were accepted.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] and [`EngineError::Forbidden`] by the actor's role, [`EngineError::NotFound`] when none of
    /// them is an accepted finding of the tenant, [`EngineError::Invalid`] when there are too many.
    pub async fn reopen_findings(
        &self,
        actor: &Actor,
        tenant: TenantId,
        ids: &[FindingId],
    ) -> Result<u64, EngineError> {
        let entry = entry(AuditAction::FindingsReopened, tenant, ids);
        let right = Right::Tenant(tenant, Action::AcknowledgeFindings);
        let checked = async {
            self.authorise(actor, tenant, Action::AcknowledgeFindings).await?;
            check_some(ids)
        };
        self.core.commands.before(actor, &entry, checked).await?;
        let at = self.now();
        self.core
            .execute(Command::new(actor, right, entry), async |tx, _log| {
                let mut count = 0;
                for chunk in ids.chunks(CHUNK) {
                    count += findings::reopen(tx, tenant, chunk, at).await?;
                }
                if count > 0 { Ok(count) } else { Err(EngineError::NotFound("the accepted finding")) }
            })
            .await
    }
}

fn entry(action: AuditAction, tenant: TenantId, ids: &[FindingId]) -> AuditEntry {
    let named: Vec<&FindingId> = ids.iter().take(CHUNK).collect();
    AuditEntry::new(action, "tenant", tenant).of(tenant).with(json!({ "count": ids.len(), "findings": named }))
}

fn check_some(ids: &[FindingId]) -> Result<(), EngineError> {
    match ids.len() {
        0 => Err(EngineError::invalid("findings", "must name at least one finding")),
        1..=MOST_FINDINGS => Ok(()),
        _ => Err(EngineError::invalid("findings", format!("can be {MOST_FINDINGS} at most at once"))),
    }
}

fn check_many(ids: &[FindingId], typed: &str) -> Result<(), EngineError> {
    check_some(ids)?;
    let count = ids.len();
    if count > MANY_FINDINGS && typed.trim() != count.to_string() {
        let words = format!("must be {count}, the number of findings, since they are more than {MANY_FINDINGS}");
        return Err(EngineError::invalid("confirmation", words));
    }
    Ok(())
}

fn checked_reason(reason: &str) -> Result<String, EngineError> {
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(EngineError::invalid("reason", "must say why this is all right")),
        1..=MAX_REASON => Ok(reason.to_owned()),
        _ => Err(EngineError::invalid("reason", format!("must be at most {MAX_REASON} characters long"))),
    }
}
