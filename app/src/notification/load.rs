//! Notifications of a person.

use serde::Deserialize as _;
use tenantatlas_domain::expiry;
use tenantatlas_domain::ids::{NotificationId, TenantId, UserId};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::operation::{Counters, MissingPermission, OperationBucket};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{AccountNotice, EndpointNotice, Engine, ExpiryNotice, NamedEnding, RunNotice, ScheduleNotice};
use tenantatlas_store::notifications;

use super::model::{Notification, NotificationPage};
use crate::address;
use crate::error::AppError;
use crate::run::bucket::canceller;
use crate::scope;
use crate::session::user_agent::browser;

/// Notifications in the drawer.
const DRAWER: u32 = 30;
/// Notifications on a page.
const PAGE: u32 = 50;
/// Notifications about the account on the page of the account.
const ACCOUNT: u32 = 10;

/// The newest ones, for the drawer: those of all tenants of the person, as the bell counts them.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn newest() -> Result<NotificationPage, AppError> {
    Ok(page(None, DRAWER).await?.0)
}

/// A page of the list, and where the next one begins.
///
/// # Errors
/// When the database fails.
pub async fn list(
    before: Option<(Timestamp, NotificationId)>,
) -> Result<(NotificationPage, Option<(Timestamp, NotificationId)>), AppError> {
    page(before, PAGE).await
}

/// The newest notifications about one's own account, whatever tenants there are.
///
/// # Errors
/// Signed out; when the database fails.
pub async fn of_account() -> Result<Vec<Notification>, AppError> {
    let (engine, session) = (scope::engine()?, scope::session()?);
    let filter = notifications::Filter { account: true, limit: ACCOUNT, ..Default::default() };
    let found = notifications::list(engine.reader(), session.user_id, &filter).await?;
    Ok(found.iter().filter_map(|stored| told(&engine, session.user_id, stored)).collect())
}

async fn page(
    before: Option<(Timestamp, NotificationId)>,
    limit: u32,
) -> Result<(NotificationPage, Option<(Timestamp, NotificationId)>), AppError> {
    let (engine, user) = (scope::engine()?, scope::session()?.user_id);
    let db = engine.reader();
    let filter = notifications::Filter { before, limit: limit + 1, ..Default::default() };
    let mut found = notifications::list(db, user, &filter).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| (last.created_at, last.id));
    let unread = notifications::unread_count(db, user, None).await?;
    let page = NotificationPage {
        entries: found.iter().filter_map(|stored| told(&engine, user, stored)).collect(),
        unread,
        more,
    };
    Ok((page, next))
}

/// What a notification says to whoever looks; `None` when this version cannot read it.
pub fn told(engine: &Engine, viewer: UserId, stored: &notifications::Notification) -> Option<Notification> {
    if stored.tenant_id.is_none() {
        let (title, detail) = account_words(&AccountNotice::of(stored)?);
        return Some(of_no_run(stored, (title, visible_on_page(&detail).into_owned())));
    }
    if let Some(notice) = EndpointNotice::of(stored) {
        let words = (format!("Endpoint {} was switched off", visible_on_page(&notice.endpoint_name)), notice.why);
        let page = address::tenant(notice.tenant_id).endpoints();
        return Some(about_tenant(stored, (notice.tenant_id, notice.tenant_name), words, page));
    }
    if let Some(notice) = ScheduleNotice::of(stored) {
        let (words, page) = (schedule_words(&notice), address::tenant(notice.tenant_id).schedules());
        return Some(about_tenant(stored, (notice.tenant_id, notice.tenant_name), words, page));
    }
    if let Some(notice) = ExpiryNotice::of(stored) {
        let tenant = address::tenant(notice.tenant_id);
        let page = match &notice.ending[..] {
            [only] if notice.more == 0 => tenant.item(only.item_id),
            _ => tenant.inventory(),
        };
        let words = expiry_words(&notice, stored.created_at);
        return Some(about_tenant(stored, (notice.tenant_id, notice.tenant_name), words, page));
    }
    let notice = RunNotice::deserialize(&stored.payload)
        .inspect_err(|error| tracing::warn!(%error, id = %stored.id, "a notification cannot be read"))
        .ok()?;
    let (items, drift) = (notice.items(), drift_words(&notice.facts));
    let words = engine.runs().operations().words(&notice.resource, &notice.action);
    let words = if notice.name.is_empty() { words } else { words.named(notice.name) };
    Some(Notification {
        id: stored.id.to_string(),
        run_id: notice.run_id.to_string(),
        tenant_id: notice.tenant_id.to_string(),
        tenant_name: notice.tenant_name,
        words: Some(words),
        bucket: notice.bucket,
        counters: notice.counters,
        items,
        reason: notice.reason_code.or_else(|| notice.reasons.first().map(|first| first.reason_code)),
        lacking: notice.lacking.iter().map(shown).collect(),
        news: notice.news,
        cancelled_by: canceller(notice.cancelled_by.as_ref(), viewer),
        account: None,
        page: None,
        drift,
        created_at: stored.created_at.as_millis(),
        read: stored.read_at.is_some(),
    })
}

/// A permission as it may be shown.
fn shown(missing: &MissingPermission) -> MissingPermission {
    MissingPermission { permission: visible_on_page(&missing.permission).into_owned(), count: missing.count }
}

/// A notification that is about no run: title and detail.
fn of_no_run(stored: &notifications::Notification, words: (String, String)) -> Notification {
    Notification {
        id: stored.id.to_string(),
        run_id: String::new(),
        tenant_id: String::new(),
        tenant_name: String::new(),
        words: None,
        bucket: OperationBucket::Succeeded,
        counters: Counters::default(),
        items: 0,
        reason: None,
        lacking: Vec::new(),
        news: None,
        cancelled_by: None,
        account: Some(words),
        page: None,
        drift: None,
        created_at: stored.created_at.as_millis(),
        read: stored.read_at.is_some(),
    }
}

/// A notification that something of a tenant stopped, with the page that shows it.
fn about_tenant(
    stored: &notifications::Notification,
    (tenant_id, tenant_name): (TenantId, String),
    words: (String, String),
    page: String,
) -> Notification {
    Notification {
        tenant_id: tenant_id.to_string(),
        tenant_name,
        bucket: OperationBucket::Failed,
        page: Some(page),
        ..of_no_run(stored, words)
    }
}

/// What is said of a schedule that stopped or is overdue: title and detail.
fn schedule_words(notice: &ScheduleNotice) -> (String, String) {
    let name = visible_on_page(&notice.name);
    if let Some(because) = &notice.stopped_because {
        return (format!("Schedule {name} stopped"), visible_on_page(because).into_owned());
    }
    let since = match notice.last_succeeded_at {
        Some(at) => format!("Its last success was on {}.", crate::format::utc_seconds(at.as_millis())),
        None => "It has not succeeded yet.".to_owned(),
    };
    (format!("Schedule {name} is overdue"), format!("No run succeeded for twice its period. {since}"))
}

/// What is said of certificates and tokens that end, as of when it was told: title and detail.
fn expiry_words(notice: &ExpiryNotice, told_at: Timestamp) -> (String, String) {
    let one = |ending: &NamedEnding| {
        let label = registry().get(&ending.policy_type).map_or(ending.policy_type.as_str(), |known| known.label);
        format!("{label}: {} {}", visible_on_page(&ending.name), expiry::words(ending.expires_at, told_at))
    };
    let on = |ending: &NamedEnding| crate::format::utc_seconds(ending.expires_at.as_millis());
    if let ([only], 0) = (&notice.ending[..], notice.more) {
        return (one(only), format!("Its end is {}. Renew it before devices lose what hangs on it.", on(only)));
    }
    let count = notice.ending.len() as u64 + notice.more;
    let mut detail: Vec<String> =
        notice.ending.iter().map(|ending| format!("{} ({})", one(ending), on(ending))).collect();
    if notice.more > 0 {
        detail.push(format!("and {} more", notice.more));
    }
    (format!("{count} certificates and tokens expire soon or have expired"), detail.join("; "))
}

/// What a comparison of two runs found: how much of it is new, and the names of what matters most. No values.
fn drift_words(facts: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    let count = |name: &str| facts.get(name).and_then(serde_json::Value::as_u64);
    let (found, reopened) = (count("found")?, count("reopened")?);
    let mut words = crate::format::counted(found, "new finding", "new findings");
    if reopened > 0 {
        words.push_str(&format!(", {reopened} new again"));
    }
    let top = facts.get("top").and_then(serde_json::Value::as_array).into_iter().flatten();
    let names: Vec<_> = top.filter_map(serde_json::Value::as_str).map(visible_on_page).collect();
    if !names.is_empty() {
        words.push_str(&format!(": {}", names.join(", ")));
    }
    Some(words)
}

/// What is said of something that happened to an account: title and detail.
fn account_words(notice: &AccountNotice) -> (String, String) {
    const NOT_YOU: &str = "If it was not you, change your password at once and end the other sessions.";
    const BY_OTHERS: &str = "Somebody who administers this server did it. If you did not ask for it, tell them.";
    let by = |by_self: bool| if by_self { NOT_YOU } else { BY_OTHERS };
    let (title, detail) = match notice {
        AccountNotice::NewBrowser { address, user_agent } => {
            return (
                "Sign-in with a new browser".to_owned(),
                format!("{} from {address}. {NOT_YOU}", browser(user_agent)),
            );
        }
        AccountNotice::SecondStepMissing { address, user_agent, times } => {
            let times = if *times > 1 { format!(", {times} times") } else { String::new() };
            return (
                "Your password was typed, and no correct code after it".to_owned(),
                format!("{} from {address}{times}. {NOT_YOU}", browser(user_agent)),
            );
        }
        AccountNotice::PasswordChanged { by_self } => ("Your password was changed", by(*by_self)),
        AccountNotice::SecondFactorAdded => ("A second factor was turned on", NOT_YOU),
        AccountNotice::SecondFactorRemoved { by_self } => ("Your second factor was removed", by(*by_self)),
        AccountNotice::RecoveryCodeUsed { left } => {
            return (
                "A recovery code was used".to_owned(),
                format!("{} left. {NOT_YOU}", crate::format::counted(*left, "recovery code is", "recovery codes are")),
            );
        }
        AccountNotice::RecoveryCodesReplaced => ("Your recovery codes were replaced", NOT_YOU),
        AccountNotice::CodeReused { address } => {
            return (
                "A code was used twice".to_owned(),
                format!(
                    "A code that had been used was sent again from {address}. Somebody may have watched you type it. {NOT_YOU}"
                ),
            );
        }
    };
    (title.to_owned(), detail.to_owned())
}
