//! Ids of our own records. One type per record, so that a user's id cannot be
//! passed where a tenant's is meant. Ids shown to people are UUIDv7 (product
//! rules, section Records); they are made by the caller, not here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID made elsewhere.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

id! {
    /// Identifies a tenant *here*; the id Microsoft Entra gave it is another.
    TenantId,
    /// Identifies a person who signs in.
    UserId,
    /// Identifies an operation run, the record a person watches.
    OperationRunId,
    /// Identifies one execution of an inventory sync.
    SyncRunId,
    /// Identifies an inventory item; its id at Microsoft is the external id.
    ItemId,
    /// Identifies a notification.
    NotificationId,
    /// Identifies a finding.
    FindingId,
    /// Ties log lines, records and error answers of one piece of work together.
    CorrelationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_plain_uuid_text_and_read_back() {
        let uuid = Uuid::from_u128(0x0193_2f1e_7c00_7000_8000_0000_0000_0001);
        let id = TenantId::from_uuid(uuid);
        assert_eq!(id.to_string(), "01932f1e-7c00-7000-8000-000000000001");
        assert_eq!(id.to_string().parse::<TenantId>(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"01932f1e-7c00-7000-8000-000000000001\"");
        assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), id);
        assert!("not-a-uuid".parse::<TenantId>().is_err());
    }
}
