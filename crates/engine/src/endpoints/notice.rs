//! What those who look after a tenant are told about its endpoints.

use serde::{Deserialize, Deserializer, Serialize};
use tenantatlas_domain::ids::{NotificationId, TenantId, UserId};
use tenantatlas_domain::invisible::NameOfRecord;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::notifications::{self, NewNotification, Notification};
use tenantatlas_store::{StoreError, Tx, members};
use uuid::Uuid;

/// The kind of the notification that an endpoint was switched off.
const SWITCHED_OFF: &str = "endpoint.switched_off";

/// An endpoint was switched off, since nothing could be delivered there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointNotice {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name at that time.
    #[serde(deserialize_with = "name")]
    pub tenant_name: String,
    /// What the endpoint is called.
    #[serde(deserialize_with = "name")]
    pub endpoint_name: String,
    /// Why, in a sentence.
    #[serde(deserialize_with = "name")]
    pub why: String,
}

fn name<'de, D: Deserializer<'de>>(stored: D) -> Result<String, D::Error> {
    Ok(NameOfRecord::from(String::deserialize(stored)?).into())
}

impl EndpointNotice {
    /// The notice of a notification; `None` when it is about something else.
    #[must_use]
    pub fn of(stored: &Notification) -> Option<Self> {
        if stored.kind != SWITCHED_OFF {
            return None;
        }
        Self::deserialize(&stored.payload)
            .inspect_err(|error| tracing::warn!(%error, id = %stored.id, "a notification cannot be read"))
            .ok()
    }

    /// Tells managers and owners of the tenant in the transaction in which it happens. Answers who was told.
    pub(super) async fn write(&self, tx: &mut Tx, at: Timestamp) -> Result<Vec<UserId>, StoreError> {
        let mut told = Vec::new();
        for member in members::list(&mut *tx, self.tenant_id).await? {
            if member.role < Role::Manager || member.disabled_at.is_some() {
                continue;
            }
            let new = NewNotification {
                id: NotificationId::from_uuid(Uuid::now_v7()),
                user_id: member.user_id,
                tenant_id: Some(self.tenant_id),
                kind: SWITCHED_OFF.to_owned(),
                operation_run_id: None,
                payload: serde_json::to_value(self).unwrap_or_default(),
                read: false,
            };
            notifications::create(tx, &new, at).await?;
            told.push(member.user_id);
        }
        Ok(told)
    }
}
