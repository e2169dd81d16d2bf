//! The faults that the page for people offers: every kind that there is, each with values that show what it does.

use serde::Serialize;
use serde_json::Value;

use crate::fault::FaultKind;
use crate::hostile::HostileBody;

/// A fault in the form of the page.
pub(crate) struct Offer {
    /// Its name in the form.
    pub key: &'static str,
    /// What people read.
    pub label: &'static str,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// Every fault of the page, in the order of its list.
pub(crate) fn offers() -> Vec<Offer> {
    refusals().chain(connections()).chain(lists()).chain(contents()).chain(hostile()).collect()
}

/// The fault of this name. `about` says what it is about where it is about something: a property, an id, a host or a link.
pub(crate) fn offer(key: &str, about: &str) -> Option<FaultKind> {
    let offer = offers().into_iter().find(|offer| offer.key == key)?;
    Some(if about.is_empty() { offer.kind } else { offer.kind.about(about) })
}

/// What the page calls a fault: its words, and its values where they are not those of the page.
pub(crate) fn name_of(kind: &FaultKind) -> String {
    let (json, offers) = (json_of(kind), offers());
    if let Some(same) = offers.iter().find(|offer| json_of(&offer.kind) == json) {
        return same.label.to_owned();
    }
    let alike = offers.iter().find(|offer| tag_of(&json_of(&offer.kind)) == tag_of(&json));
    alike.map_or_else(|| json.to_string(), |alike| format!("{}: {json}", alike.label))
}

fn json_of(kind: &impl Serialize) -> Value {
    serde_json::to_value(kind).unwrap_or_default()
}

/// The name of a kind, as it is in JSON.
fn tag_of(kind: &Value) -> Option<&str> {
    kind.as_str().or_else(|| kind.as_object()?.keys().next().map(String::as_str))
}

impl FaultKind {
    fn about(self, text: &str) -> Self {
        let text = text.to_owned();
        match self {
            Self::NullProperty { .. } => Self::NullProperty { property: text },
            Self::ShortProperty { .. } => Self::ShortProperty { property: text },
            Self::WithoutObject { .. } => Self::WithoutObject { id: text },
            Self::ForeignLink { .. } => Self::ForeignLink { host: text },
            Self::NextLink { .. } => Self::NextLink { link: text },
            other => other,
        }
    }
}

fn offer_of((key, label, kind): (&'static str, &'static str, FaultKind)) -> Offer {
    Offer { key, label, kind }
}

fn refusals() -> impl Iterator<Item = Offer> {
    let throttled = |wait: &str| FaultKind::Throttled { retry_after: Some(wait.to_owned()) };
    let text = str::to_owned;
    [
        ("throttled", "429 with Retry-After: 5", throttled("5")),
        ("throttled_long", "429 with Retry-After: 86400", throttled("86400")),
        ("throttled_silent", "429 without Retry-After", FaultKind::Throttled { retry_after: None }),
        ("unavailable", "503 Service unavailable", FaultKind::Unavailable),
        ("gateway_timeout", "504 Gateway timeout", FaultKind::GatewayTimeout),
        ("server_error", "500 with the nested message of Intune", FaultKind::ServerError),
        ("bad_request", "400 Bad request", FaultKind::BadRequest),
        ("expand_refused", "400 for $expand", FaultKind::ExpandRefused),
        ("forbidden", "403 for a missing permission", FaultKind::Forbidden),
        ("licence_missing", "403 because there is no licence", FaultKind::LicenceMissing),
        (
            "not_found",
            "404: the object does not exist",
            FaultKind::Status { status: 404, code: text("ResourceNotFound"), message: text("It does not exist.") },
        ),
        ("unknown_segment", "404 for an unknown segment", FaultKind::UnknownSegment),
        ("token_revoked", "401: the token is revoked", FaultKind::TokenRevoked),
        (
            "raw",
            "502 with a page of a proxy",
            FaultKind::Raw { status: 502, content_type: text("text/html"), body: text("<h1>Bad gateway</h1>") },
        ),
    ]
    .into_iter()
    .map(offer_of)
}

fn connections() -> impl Iterator<Item = Offer> {
    [
        ("reset", "Connection reset before the answer", FaultKind::Reset),
        ("cut_body", "Connection reset within the answer", FaultKind::CutBody),
        ("truncated_json", "Truncated JSON", FaultKind::TruncatedJson),
        ("stall", "No answer for 30 seconds", FaultKind::Stall { pause_ms: 30_000 }),
        ("slow_body", "An answer in pieces, a second apart", FaultKind::SlowBody { pause_ms: 1_000 }),
        ("packed_twice", "An answer that is packed twice", FaultKind::PackedTwice),
        ("byte_order_mark", "A byte order mark before the answer", FaultKind::ByteOrderMark),
    ]
    .into_iter()
    .map(offer_of)
}

fn lists() -> impl Iterator<Item = Offer> {
    let text = str::to_owned;
    [
        ("empty_page", "An empty page with a next link", FaultKind::EmptyPage),
        ("looping_link", "A next link to the same page", FaultKind::LoopingLink),
        ("foreign_link", "A next link to another host", FaultKind::ForeignLink { host: text("http://127.0.0.1:9") }),
        ("endless_pages", "The first page for ever, under new links", FaultKind::EndlessPages),
        ("next_link", "A next link of one's own", FaultKind::NextLink { link: text("{base}/{path}?$skiptoken=x") }),
        ("cut_at_top", "A list with $top that ends after its first page", FaultKind::CutAtTop),
        ("repeated_row", "A row twice on each page, and another never", FaultKind::RepeatedRow),
        (
            "without_object",
            "A list without one object (its id)",
            FaultKind::WithoutObject { id: text("00000000-0000-0000-0000-000000000000") },
        ),
    ]
    .into_iter()
    .map(offer_of)
}

fn contents() -> impl Iterator<Item = Offer> {
    let text = str::to_owned;
    [
        ("partial_collections", "Expanded collections in part", FaultKind::PartialCollections),
        ("no_body", "200 without a body", FaultKind::NoBody),
        ("error_within", "200 with an error inside", FaultKind::ErrorWithin),
        ("null_property", "A property that is null (its name)", FaultKind::NullProperty { property: text("value") }),
        (
            "short_property",
            "A list within that lacks its last row (its name)",
            FaultKind::ShortProperty { property: text("settings") },
        ),
    ]
    .into_iter()
    .map(offer_of)
}

fn hostile() -> impl Iterator<Item = Offer> {
    [
        ("gzip_bomb", "Hostile: 1 GB of zeros, packed", HostileBody::GzipBomb { megabytes: 1_024 }),
        ("endless", "Hostile: a text that never ends", HostileBody::Endless),
        ("fat_page", "Hostile: a page of 256 MB", HostileBody::FatPage { megabytes: 256 }),
        ("many_items", "Hostile: a million empty objects", HostileBody::ManyItems { items: 1_000_000 }),
        (
            "small_values",
            "Hostile: objects of very many small values",
            HostileBody::SmallValues { items: 100, kilobytes: 1_024 },
        ),
        ("deep", "Hostile: 100,000 arrays in each other", HostileBody::Deep { levels: 100_000 }),
        ("brackets", "Hostile: opening brackets alone", HostileBody::Brackets { count: 1_000_000 }),
        ("long_text", "Hostile: a text of 64 MB", HostileBody::LongText { megabytes: 64 }),
        ("drip", "Hostile: a byte every second", HostileBody::Drip { pause_ms: 1_000 }),
    ]
    .into_iter()
    .map(|(key, label, body)| Offer { key, label, kind: FaultKind::Hostile(body) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;

    use super::*;

    /// The names of every kind, as the reader of JSON lists them when it is given none of them.
    fn kinds<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
        let words = serde_json::from_str::<T>("\"nonsense\"").expect_err("no kind is called so").to_string();
        let names = words.split('`').skip(1).step_by(2).map(str::to_owned);
        let names: BTreeSet<String> = names.filter(|name| name != "nonsense").collect();
        assert!(names.len() > 5, "{words}");
        names
    }

    #[test]
    fn every_kind_of_fault_can_be_chosen_on_the_page() {
        let offered = |offers: &[Offer]| -> BTreeSet<String> {
            offers.iter().filter_map(|offer| tag_of(&json_of(&offer.kind)).map(str::to_owned)).collect()
        };
        assert_eq!(offered(&offers()), kinds::<FaultKind>());
        let bodies = offers().into_iter().filter_map(|offer| match offer.kind {
            FaultKind::Hostile(body) => tag_of(&json_of(&body)).map(str::to_owned),
            _ => None,
        });
        assert_eq!(bodies.collect::<BTreeSet<_>>(), kinds::<HostileBody>());
        let keys: BTreeSet<&str> = offers().iter().map(|offer| offer.key).collect();
        assert_eq!(keys.len(), offers().len(), "each has a name of its own");
    }

    #[test]
    fn what_a_fault_is_about_can_be_said() {
        let Some(FaultKind::NullProperty { property }) = offer("null_property", "scriptContent") else { panic!() };
        assert_eq!(property, "scriptContent");
        assert!(matches!(offer("reset", "x"), Some(FaultKind::Reset)));
        assert!(offer("nonsense", "").is_none());
        let told = name_of(&FaultKind::ShortProperty { property: "x".to_owned() });
        assert!(told.starts_with("A list within") && told.contains("\"x\""), "{told}");
        assert_eq!(name_of(&FaultKind::Reset), "Connection reset before the answer");
    }
}
