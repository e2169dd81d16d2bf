//! Ids of our own records. One type per record, so that a user's id cannot be passed where a tenant's is meant. Ids
//! shown to people are UUIDv7 (`docs/rules.md`, section Records); they are made by the caller, not here.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// A text that was to be an id of a record is none. It names nothing, so whoever asked for it is told that it does not
/// exist, as for an id that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a {0}")]
pub struct NotAnId(
    /// The record in words: `run`.
    pub &'static str,
);

impl NotAnId {
    /// The same error in a message that quotes it. Formats hand on what they could not read as text alone.
    #[must_use]
    pub fn within(message: &str) -> Option<Self> {
        RECORDS.iter().map(|record| Self(record)).find(|error| message.contains(&error.to_string()))
    }
}

/// Reads an id from text. The reader of `uuid` takes bytes as well and tells what is wrong with each character, which
/// nobody asks and which would make the download of the browser larger.
struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = Uuid;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the id of a ")?;
        formatter.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Uuid, E> {
        Uuid::try_parse(text).map_err(|_| E::custom(NotAnId(self.0)))
    }
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident = $record:literal),+ $(,)?) => {
    /// Every record that has an id of its own type, in words.
    const RECORDS: &[&str] = &[$($record),+];
    $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text($record)).map(Self)
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
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+
    };
}

id! {
    /// Identifies a tenant *here*; the id Microsoft Entra gave it is another.
    TenantId = "tenant",
    /// Identifies a person who signs in.
    UserId = "user",
    /// Identifies the session of a person in a browser.
    SessionId = "session",
    /// Identifies an operation run, the record a person watches.
    OperationRunId = "run",
    /// Identifies one execution of an inventory sync.
    SyncRunId = "sync run",
    /// Identifies an inventory item; its id at Microsoft is the external id.
    ItemId = "item",
    /// Identifies one capture of policies.
    CaptureId = "capture",
    /// Identifies a version of a policy.
    VersionId = "version",
    /// Identifies a notification.
    NotificationId = "notification",
    /// Identifies a finding.
    FindingId = "finding",
    /// Identifies an endpoint to which news of a tenant are sent.
    EndpointId = "endpoint",
    /// Identifies the delivery of one message to one endpoint.
    DeliveryId = "delivery",
    /// Identifies a schedule.
    ScheduleId = "schedule",
    /// Ties log lines, records and error answers of one piece of work together.
    CorrelationId = "piece of work",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_id_says_of_which_record_however_the_format_quotes_it() {
        let error = serde_json::from_str::<OperationRunId>("\"nonsense\"").unwrap_err();
        assert_eq!(NotAnId::within(&error.to_string()), Some(NotAnId("run")));
        let error = serde_json::from_str::<SyncRunId>("\"\"").unwrap_err();
        assert_eq!(NotAnId::within(&error.to_string()), Some(NotAnId("sync run")));
        assert_eq!(NotAnId::within("unknown variant `run`"), None);
    }

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
