//! By whom items are looked up: what they are assigned to, or that they are assigned to nobody.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{ALL_DEVICES, ALL_USERS, TargetKind};

/// Whom assignments name: a group, all users, all devices, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Assigned {
    /// A group by its id, or one of the two that stand for all users and all devices.
    To(Uuid),
    /// The item can be assigned, and is to nobody.
    Nobody,
}

/// The words for what is no id, as addresses and the command line write them.
const ALL_USERS_WORD: &str = "all-users";
const ALL_DEVICES_WORD: &str = "all-devices";
const NOBODY_WORD: &str = "nobody";
/// The word for nobody in addresses of before.
const NONE_WORD: &str = "none";

impl Assigned {
    /// All users.
    #[must_use]
    pub fn all_users() -> Self {
        Self::To(Uuid::try_parse(ALL_USERS).unwrap_or_default())
    }

    /// All devices.
    #[must_use]
    pub fn all_devices() -> Self {
        Self::To(Uuid::try_parse(ALL_DEVICES).unwrap_or_default())
    }

    /// The target of a reference, where it is a group.
    #[must_use]
    pub fn of(kind: TargetKind, external_id: &str) -> Option<Self> {
        super::is_group(kind).then(|| Uuid::try_parse(external_id).ok().map(Self::To))?
    }

    /// The id of the group in references; `None` for nobody.
    #[must_use]
    pub fn external_id(&self) -> Option<String> {
        match self {
            Self::To(id) => Some(id.hyphenated().to_string()),
            Self::Nobody => None,
        }
    }

    /// The id where it is a group of the directory; those alone can be excluded.
    #[must_use]
    pub fn group(&self) -> Option<Uuid> {
        match self {
            Self::To(id) if self.kind() == Some(TargetKind::Group) => Some(*id),
            _ => None,
        }
    }

    /// Its kind; `None` for nobody.
    #[must_use]
    pub fn kind(&self) -> Option<TargetKind> {
        match self {
            Self::Nobody => None,
            one if *one == Self::all_users() => Some(TargetKind::AllUsers),
            one if *one == Self::all_devices() => Some(TargetKind::AllDevices),
            Self::To(_) => Some(TargetKind::Group),
        }
    }
}

impl fmt::Display for Assigned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.kind()) {
            (Self::Nobody, _) => formatter.write_str(NOBODY_WORD),
            (_, Some(TargetKind::AllUsers)) => formatter.write_str(ALL_USERS_WORD),
            (_, Some(TargetKind::AllDevices)) => formatter.write_str(ALL_DEVICES_WORD),
            (Self::To(id), _) => id.hyphenated().fmt(formatter),
        }
    }
}

/// The text names nobody whom items can be looked up by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAssigned(pub String);

impl fmt::Display for UnknownAssigned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} is not known: expected the id of a group, {ALL_USERS_WORD}, {ALL_DEVICES_WORD} or {NOBODY_WORD}",
            self.0
        )
    }
}

impl std::error::Error for UnknownAssigned {}

impl FromStr for Assigned {
    type Err = UnknownAssigned;

    fn from_str(text: &str) -> Result<Self, UnknownAssigned> {
        match text {
            ALL_USERS_WORD => Ok(Self::all_users()),
            ALL_DEVICES_WORD => Ok(Self::all_devices()),
            NOBODY_WORD | NONE_WORD => Ok(Self::Nobody),
            _ if text.len() != 36 => Err(UnknownAssigned(text.to_owned())),
            _ => Uuid::try_parse(text).map(Self::To).map_err(|_| UnknownAssigned(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_reads_back_from_the_words() {
        let group = "11111111-1111-4111-8111-11111111111a";
        for text in [ALL_USERS_WORD, ALL_DEVICES_WORD, NOBODY_WORD, group] {
            assert_eq!(text.parse::<Assigned>().unwrap().to_string(), text);
        }
        assert_eq!("none".parse::<Assigned>().unwrap(), Assigned::Nobody, "addresses of before");
        assert_eq!(group.to_uppercase().parse::<Assigned>().unwrap().to_string(), group);
        assert_eq!(ALL_USERS.parse::<Assigned>().unwrap().to_string(), ALL_USERS_WORD);
        assert_eq!(Assigned::all_users().external_id().as_deref(), Some(ALL_USERS));
        assert_eq!(Assigned::of(TargetKind::AllDevices, ALL_DEVICES), Some(Assigned::all_devices()));
        assert_eq!(Assigned::of(TargetKind::User, group), None);
        for nobody in ["", "Everyone", "{11111111-1111-4111-8111-111111111111}", "11111111111141118111111111111111"] {
            assert!(nobody.parse::<Assigned>().is_err(), "{nobody}");
        }
    }
}
