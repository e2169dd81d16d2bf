//! What a person is told about their own account (OWASP ASVS 4.0.3, requirements 2.2.3 and 2.5.5): structured and safe.
//! Text is made from it when it is shown.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::{NotificationId, UserId};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::notifications::{self, NewNotification, Notification};
use tenantatlas_store::{StoreError, Tx};
use uuid::Uuid;

/// The kind of notifications about an account begins so.
const PREFIX: &str = "account.";

/// Something that happened to the account of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AccountNotice {
    /// Signed in with a browser that was not used before.
    NewBrowser {
        /// The address it came from.
        address: String,
        /// The browser, as it named itself.
        user_agent: String,
    },
    /// Somebody typed the right password, and then no right code; or did not finish setting up a second factor.
    SecondStepMissing {
        /// The address it came from.
        address: String,
        /// The browser, as it named itself.
        user_agent: String,
        /// How often since the person was last told.
        times: u32,
    },
    /// The password was changed.
    PasswordChanged {
        /// By the person, or by somebody who manages people.
        by_self: bool,
    },
    /// A second factor is asked for from now on.
    SecondFactorAdded,
    /// The second factor was taken away.
    SecondFactorRemoved {
        /// By the person, or by somebody who manages people.
        by_self: bool,
    },
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// How many are left.
        left: u64,
    },
    /// New recovery codes took the place of the old ones.
    RecoveryCodesReplaced,
    /// A code was sent that had been used before: somebody may have watched it being typed.
    CodeReused {
        /// The address it came from.
        address: String,
    },
}

impl AccountNotice {
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

    /// Tells the person in the transaction in which it happens.
    pub(crate) async fn write(&self, tx: &mut Tx, user: UserId, at: Timestamp) -> Result<(), StoreError> {
        let payload = serde_json::to_value(self).unwrap_or_default();
        let event = payload.get("event").and_then(serde_json::Value::as_str).unwrap_or_default();
        let new = NewNotification {
            id: NotificationId::from_uuid(Uuid::now_v7()),
            user_id: user,
            tenant_id: None,
            kind: format!("{PREFIX}{event}"),
            operation_run_id: None,
            read: false,
            payload: payload.clone(),
        };
        notifications::create(tx, &new, at).await.map(|_| ())
    }
}
