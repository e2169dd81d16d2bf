//! Whom and what references name, in words.

use std::borrow::Cow;

use super::{FilterMode, TargetKind, Unnamed};
use crate::invisible::visible_on_page;

/// Microsoft's word for all service principals, as an id (Microsoft Graph, conditionalAccessClientApplications).
const ALL_SERVICE_PRINCIPALS: &str = "ServicePrincipalsInMyTenant";

/// What a reference points to, in words: its name, or else what is known in its place. Every kind of target has words, also
/// one that nobody here knows.
#[must_use]
pub fn target_words<'text>(
    kind: TargetKind,
    id: &'text str,
    name: Option<&'text str>,
    unnamed: Option<Unnamed>,
) -> Cow<'text, str> {
    let (id, name) = (visible_on_page(id), name.filter(|name| !name.trim().is_empty()).map(visible_on_page));
    match (kind, name, unnamed) {
        (TargetKind::AllUsers, ..) => "All users".into(),
        (TargetKind::AllDevices, ..) => "All devices".into(),
        (TargetKind::Guests, ..) => "Guests and external users".into(),
        (TargetKind::ServicePrincipal, ..) if id == ALL_SERVICE_PRINCIPALS => "All service principals".into(),
        (TargetKind::UnknownTarget, ..) => format!("A target of a kind that is not known here: {id}").into(),
        (TargetKind::Collection, None, _) => format!("Configuration Manager collection {id}").into(),
        (_, Some(name), Some(Unnamed::Gone)) => format!("{name} (not there any more)").into(),
        (_, Some(name), _) => name,
        (_, None, Some(Unnamed::Gone)) => format!("{id} (not there any more)").into(),
        (_, None, Some(Unnamed::Refused)) => format!("{id} (its name may not be read)").into(),
        (_, None, None) => format!("{id} (name not known)").into(),
    }
}

/// The filter of an assignment in words, as they follow those of its target: `include filter Corporate`.
#[must_use]
pub fn filter_words(mode: FilterMode, id: &str, name: Option<&str>) -> String {
    let name = visible_on_page(name.filter(|name| !name.trim().is_empty()).unwrap_or(id));
    match mode {
        FilterMode::Include => format!("include filter {name}"),
        FilterMode::Exclude => format!("exclude filter {name}"),
        FilterMode::Several => "assigned more than once, with different filters".to_owned(),
        FilterMode::Unknown => format!("filter {name} in a mode that is not known here"),
    }
}

/// Whether a target has a page of its own with all that is assigned to it.
#[must_use]
pub const fn is_group(kind: TargetKind) -> bool {
    matches!(kind, TargetKind::Group | TargetKind::AllUsers | TargetKind::AllDevices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_words_and_a_name_that_is_missing_says_why() {
        for kind in TargetKind::ALL {
            for unnamed in [None, Some(Unnamed::Gone), Some(Unnamed::Refused)] {
                assert!(!target_words(*kind, "id", None, unnamed).is_empty(), "{kind}");
                assert!(!target_words(*kind, "id", Some(" "), unnamed).trim().is_empty(), "{kind}");
            }
        }
        assert_eq!(target_words(TargetKind::Group, "g", Some("a\u{202e}b"), None), "a\\u{202e}b");
        let words = |kind, name, unnamed| target_words(kind, "g1", name, unnamed).into_owned();
        assert_eq!(words(TargetKind::Group, Some("Pilot"), None), "Pilot");
        assert_eq!(words(TargetKind::Group, Some("Pilot"), Some(Unnamed::Gone)), "Pilot (not there any more)");
        assert_eq!(words(TargetKind::Group, None, Some(Unnamed::Gone)), "g1 (not there any more)");
        assert_eq!(words(TargetKind::Group, None, Some(Unnamed::Refused)), "g1 (its name may not be read)");
        assert_eq!(words(TargetKind::Collection, None, None), "Configuration Manager collection g1");
        assert_eq!(words(TargetKind::UnknownTarget, None, None), "A target of a kind that is not known here: g1");
    }

    #[test]
    fn a_filter_never_goes_without_what_it_does() {
        assert_eq!(filter_words(FilterMode::Include, "f", Some("Corporate")), "include filter Corporate");
        assert_eq!(filter_words(FilterMode::Exclude, "f", None), "exclude filter f");
        assert!(filter_words(FilterMode::Unknown, "f", None).contains("not known"));
    }
}
