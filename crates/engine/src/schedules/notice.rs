//! What people are told about a schedule: structured and safe. Text is made from it when it is shown.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::{NotificationId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::notifications::{self, NewNotification, Notification};
use tenantatlas_store::schedules::Schedule;
use tenantatlas_store::{StoreError, Tx, members, tenants};
use uuid::Uuid;

/// The kind of notifications about schedules begins so.
const PREFIX: &str = "schedule.";

/// Something about a schedule that those who may change it are to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleNotice {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name then.
    pub tenant_name: String,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Its name then.
    pub name: String,
    /// Why it stopped, as a sentence; `None` when it is overdue.
    pub stopped_because: Option<String>,
    /// When it last succeeded, if ever.
    pub last_succeeded_at: Option<Timestamp>,
}

impl ScheduleNotice {
    /// The notice of a notification; `None` when it is about something else.
    #[must_use]
    pub fn of(stored: &Notification) -> Option<Self> {
        if !stored.kind.starts_with(PREFIX) {
            return None;
        }
        Self::deserialize(&stored.payload)
            .inspect_err(|error| tracing::warn!(%error, id = %stored.id, "a notification cannot be read"))
            .ok()
    }

    /// Tells all who may change the schedules of the tenant as its members, in the transaction in which it happens. Answers whom.
    pub(super) async fn write(
        tx: &mut Tx,
        schedule: &Schedule,
        stopped_because: Option<&str>,
        at: Timestamp,
    ) -> Result<Vec<UserId>, StoreError> {
        let Some(tenant) = tenants::get(&mut *tx, schedule.tenant_id).await? else { return Ok(Vec::new()) };
        let may = |role: Role| role.allows(Action::EditSchedules);
        let members = members::list(&mut *tx, tenant.id).await?;
        let mut told = Vec::new();
        for member in members.into_iter().filter(|member| may(member.role) && member.disabled_at.is_none()) {
            let notice = Self {
                tenant_id: tenant.id,
                tenant_name: tenant.name.clone(),
                schedule_id: schedule.id,
                name: schedule.name.clone(),
                stopped_because: stopped_because.map(str::to_owned),
                last_succeeded_at: schedule.last_succeeded_at,
            };
            let new = NewNotification {
                id: NotificationId::from_uuid(Uuid::now_v7()),
                user_id: member.user_id,
                tenant_id: Some(tenant.id),
                kind: format!("{PREFIX}{}", if stopped_because.is_some() { "stopped" } else { "overdue" }),
                operation_run_id: None,
                payload: serde_json::to_value(notice).unwrap_or_default(),
                read: false,
            };
            notifications::create(tx, &new, at).await?;
            told.push(member.user_id);
        }
        Ok(told)
    }
}
