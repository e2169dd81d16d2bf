//! The audit log of a tenant.

use crate::error::AppError;
use crate::scope::Inside;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::{self, Entry, Verification};

/// Entries on one page.
const PAGE: u32 = 50;
/// The chain is walked again at most so often: it covers the whole log of the server.
const VERIFY_INTERVAL: Duration = Duration::from_secs(60);

/// Which entries, as the address holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only by this actor, by name or e-mail as it was then.
    pub actor: String,
    /// Only this action.
    pub action: String,
    /// Only about this kind of thing.
    pub resource: String,
    /// Only from this day on.
    pub from: Option<Timestamp>,
    /// Only before this day.
    pub until: Option<Timestamp>,
    /// Only older than this entry.
    pub before: Option<i64>,
}

/// A page of entries, and where the next one begins.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins.
    pub next: Option<i64>,
}

impl AuditFilter {
    /// The question to the store. The actor is not part of it: see [`AuditFilter::keeps`].
    #[must_use]
    pub fn query(&self, inside: &Inside, limit: u32) -> audit::Filter {
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        audit::Filter {
            tenant_id: Some(inside.id()),
            actor_id: None,
            action: filled(&self.action),
            resource_type: filled(&self.resource),
            resource_id: None,
            from: self.from,
            until: self.until,
            before_seq: self.before,
            limit,
        }
    }

    /// Whether an entry is by the actor that is looked for.
    #[must_use]
    pub fn keeps(&self, entry: &Entry) -> bool {
        let wanted = self.actor.trim().to_lowercase();
        wanted.is_empty()
            || entry.actor_name.to_lowercase().contains(&wanted)
            || entry.actor_email.to_lowercase().contains(&wanted)
    }
}

/// A page of the audit log of the tenant.
///
/// # Errors
/// When the database fails.
pub async fn list(inside: &Inside, filter: &AuditFilter) -> Result<AuditPage, AppError> {
    /// Entries are read in such pieces, and at most so many of them when few fit the actor.
    const PIECE: u32 = 200;
    const PIECES: usize = 25;
    let mut entries: Vec<Entry> = Vec::new();
    let mut filter = filter.clone();
    for _ in 0..PIECES {
        let piece = audit::list(inside.engine.db(), &filter.query(inside, PIECE)).await?;
        let last = piece.len() < PIECE as usize;
        filter.before = piece.last().map(|entry| entry.seq).or(filter.before);
        for entry in piece {
            if filter.keeps(&entry) {
                if entries.len() == PAGE as usize {
                    return Ok(AuditPage { next: entries.last().map(|entry| entry.seq), entries });
                }
                entries.push(entry);
            }
        }
        if last {
            return Ok(AuditPage { entries, next: None });
        }
    }
    Ok(AuditPage { entries, next: filter.before })
}

/// Whether the chain of the whole log is intact, and when that was found.
///
/// # Errors
/// When the database fails.
pub async fn verification(inside: &Inside) -> Result<(Verification, Timestamp), AppError> {
    static LAST: Mutex<Option<(Instant, Verification, Timestamp)>> = Mutex::new(None);
    let remembered = LAST.lock().ok().and_then(|last| last.clone());
    if let Some((at, verification, told)) = remembered
        && at.elapsed() < VERIFY_INTERVAL
    {
        return Ok((verification, told));
    }
    let verification = audit::verify(inside.engine.db(), inside.engine.vault()).await?;
    let now = inside.engine.now();
    if let Ok(mut last) = LAST.lock() {
        *last = Some((Instant::now(), verification.clone(), now));
    }
    Ok((verification, now))
}
