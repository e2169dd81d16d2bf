//! Faults: what goes wrong on request, where, and how often.

use serde::{Deserialize, Serialize};

use crate::hostile::HostileBody;
use crate::identity::mix;
use crate::query::decode_query;

/// Something that goes wrong on request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Requests whose address below the Graph root contains this, as it was sent or decoded
    /// (`beta/deviceManagement/intents?$top=5`); empty means every request to Graph. One that begins with `login/` is for
    /// the token endpoint (`login/GUID/oauth2/v2.0/token`), where [`FaultKind::Raw`] and [`FaultKind::Hostile`] happen.
    #[serde(default)]
    pub path: String,
    /// Only requests of the tenant with this directory id; of all when left out.
    #[serde(default)]
    pub tenant_id: Option<String>,
    /// Only requests on their own, or only items of a `$batch`.
    #[serde(default)]
    pub within: Within,
    /// The first so many matching requests pass.
    #[serde(default)]
    pub skip: u32,
    /// Then so many meet the fault; all when left out.
    #[serde(default)]
    pub count: Option<u32>,
    /// Of those that would meet it, this share does (0 to 1); all when left out. Which ones is decided by their
    /// number alone, so that a test can be repeated.
    #[serde(default)]
    pub share: Option<f64>,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// Where a fault happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// Anywhere.
    #[default]
    Anywhere,
    /// In requests of their own, the `$batch` itself among them.
    Requests,
    /// In items of a `$batch`.
    BatchItems,
}

impl Fault {
    /// A fault that every matching request meets.
    #[must_use]
    pub fn always(path: &str, kind: FaultKind) -> Self {
        Self {
            path: path.to_owned(),
            tenant_id: None,
            within: Within::Anywhere,
            skip: 0,
            count: None,
            share: None,
            kind,
        }
    }

    /// A fault that the next matching requests meet.
    #[must_use]
    pub fn times(path: &str, count: u32, kind: FaultKind) -> Self {
        Self { count: Some(count), ..Self::always(path, kind) }
    }

    /// The same, after some requests have passed.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// The same, for a share of the requests only.
    #[must_use]
    pub fn for_share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    /// The same, in requests of their own or in items of a `$batch` only.
    #[must_use]
    pub fn only_within(mut self, within: Within) -> Self {
        self.within = within;
        self
    }

    /// The same, for one tenant only.
    #[must_use]
    pub fn of_tenant(mut self, tenant_id: &str) -> Self {
        self.tenant_id = Some(tenant_id.to_owned());
        self
    }
}

/// The kinds of fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429; the text of `Retry-After` as it is: seconds, a fraction, an HTTP date, or none.
    Throttled {
        /// The header's value; several headers with a line break between them.
        retry_after: Option<String>,
    },
    /// 503 without a word on when to come back.
    Unavailable,
    /// 504.
    GatewayTimeout,
    /// 500 with Intune's nested message.
    ServerError,
    /// Any status with any code and message.
    Status {
        /// The HTTP status.
        status: u16,
        /// `error.code`
        code: String,
        /// `error.message`
        message: String,
    },
    /// The connection ends before an answer.
    Reset,
    /// The connection ends in the middle of the body.
    CutBody,
    /// No answer comes for this long.
    Stall {
        /// Milliseconds until the answer comes after all.
        pause_ms: u64,
    },
    /// The body comes in pieces with this pause between them.
    SlowBody {
        /// Milliseconds between two pieces.
        pause_ms: u64,
    },
    /// The body stops in the middle although its length was right.
    TruncatedJson,
    /// A page without objects that has a next link.
    EmptyPage,
    /// The next link leads to this page again.
    LoopingLink,
    /// The next link leads to another host.
    ForeignLink {
        /// The address of that host, such as `http://127.0.0.1:9`.
        host: String,
    },
    /// Every page is the first one and has another next link.
    EndlessPages,
    /// The next link is this text.
    NextLink {
        /// The link; `{base}` stands for the address of Graph with the version, `{path}` for that of the collection below
        /// it, `{host}` for host and port.
        link: String,
    },
    /// Any status with any body.
    Raw {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`.
        content_type: String,
        /// The body; `{secret}` and `{token}` stand for what the client sent as such.
        body: String,
    },
    /// 200 with a body that is made to hurt.
    Hostile(HostileBody),
    /// The body is packed twice.
    PackedTwice,
    /// Expanded collections inside the objects come in part, with a next link of their own.
    PartialCollections,
    /// The token is no longer accepted: 401; a new token is.
    TokenRevoked,
    /// 403 for a missing permission.
    Forbidden,
    /// 404 for a segment that this cloud does not have.
    UnknownSegment,
    /// 403 because the tenant has no licence.
    LicenceMissing,
    /// 400 because `$expand` is not allowed here.
    ExpandRefused,
    /// 400 for `$batch` itself or any other request.
    BadRequest,
    /// 200 without a body.
    NoBody,
    /// 200 with an error in the place of the content.
    ErrorWithin,
    /// A property is null, in the answer itself and in each object of its `value`.
    NullProperty {
        /// The property.
        property: String,
    },
    /// A property that is a list lacks its last row and has no next link, in the answer itself and in each object of its
    /// `value`.
    ShortProperty {
        /// The property.
        property: String,
    },
    /// The last object of each page is its first one once more, and the one that stood there never comes.
    RepeatedRow,
    /// The object with this id is on no page of a list: somebody deleted it.
    WithoutObject {
        /// The id.
        id: String,
    },
    /// A list that is asked for with `$top` ends after its first page without a word (IntuneManagement, issue 364).
    CutAtTop,
    /// A byte order mark before the body.
    ByteOrderMark,
}

/// Where a request stands, for the faults that may meet it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The address below the Graph root, as it was sent.
    pub address: &'a str,
    /// The tenant of the token.
    pub tenant_id: &'a str,
    /// Whether it is an item of a `$batch`.
    pub in_batch: bool,
}

/// A fault in force.
#[derive(Debug, Clone)]
pub struct Met {
    /// By which it is ended.
    pub number: u64,
    /// What goes wrong, where and how often.
    pub fault: Fault,
    /// How often a request was where it happens.
    pub seen: u32,
}

/// The faults in force, and how often each was near.
#[derive(Debug, Default)]
pub struct Faults {
    met: Vec<Met>,
    last: u64,
}

impl Faults {
    /// Faults that nobody has met yet.
    #[must_use]
    pub fn new(faults: Vec<Fault>) -> Self {
        let mut all = Self::default();
        faults.into_iter().for_each(|fault| all.add(fault));
        all
    }

    /// Adds one.
    pub fn add(&mut self, fault: Fault) {
        self.last += 1;
        self.met.push(Met { number: self.last, fault, seen: 0 });
    }

    /// Puts others in the place of all. Numbers are not used again.
    pub fn replace(&mut self, faults: Vec<Fault>) {
        self.met.clear();
        faults.into_iter().for_each(|fault| self.add(fault));
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Met> {
        self.met.clone()
    }

    /// Ends the one with this number; false when there is none.
    pub fn end(&mut self, number: u64) -> bool {
        let before = self.met.len();
        self.met.retain(|met| met.number != number);
        self.met.len() < before
    }

    /// The faults that this request meets; counts it.
    pub fn meet(&mut self, place: Place<'_>) -> Vec<FaultKind> {
        if self.met.is_empty() {
            return Vec::new();
        }
        let decoded = decode_query(place.address);
        let mut met = Vec::new();
        for Met { fault, seen, .. } in &mut self.met {
            let here = place.address.contains(&fault.path) || decoded.contains(&fault.path);
            let here = here && fault.path.starts_with("login/") == place.address.starts_with("login/");
            let tenant = fault.tenant_id.as_deref().is_none_or(|tenant| tenant.eq_ignore_ascii_case(place.tenant_id));
            let within = match fault.within {
                Within::Anywhere => true,
                Within::Requests => !place.in_batch,
                Within::BatchItems => place.in_batch,
            };
            // Inside a batch only what can happen to an item does.
            if !here || !tenant || !within || (place.in_batch && fault.kind.needs_a_connection()) {
                continue;
            }
            let nth = *seen;
            *seen = seen.saturating_add(1);
            let lucky = fault.share.is_some_and(|share| {
                let part = mix(17, u64::from(nth), 0) % 1_000_000;
                part as f64 >= share * 1_000_000.0
            });
            if nth >= fault.skip && fault.count.is_none_or(|count| nth - fault.skip < count) && !lucky {
                met.push(fault.kind.clone());
            }
        }
        met
    }
}

impl FaultKind {
    fn needs_a_connection(&self) -> bool {
        matches!(
            self,
            Self::Reset
                | Self::CutBody
                | Self::Stall { .. }
                | Self::SlowBody { .. }
                | Self::TokenRevoked
                | Self::Raw { .. }
                | Self::Hostile(_)
                | Self::PackedTwice
                | Self::ByteOrderMark
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(faults: &mut Faults, address: &str, in_batch: bool) -> usize {
        faults.meet(Place { address, tenant_id: "T", in_batch }).len()
    }

    #[test]
    fn a_fault_skips_then_counts_then_is_over() {
        let mut faults = Faults::new(vec![Fault::times("intents", 2, FaultKind::Unavailable).after(1)]);
        let seen: Vec<usize> = (0..5).map(|_| met(&mut faults, "beta/deviceManagement/intents", false)).collect();
        assert_eq!(seen, [0, 1, 1, 0, 0]);
        assert_eq!(met(&mut faults, "beta/deviceManagement/other", false), 0);
    }

    #[test]
    fn a_fault_keeps_to_its_tenant_its_place_and_its_share() {
        let fault = Fault::always("", FaultKind::Unavailable);
        let meets = |fault: Fault, in_batch| met(&mut Faults::new(vec![fault]), "beta/x", in_batch) == 1;
        assert!(meets(fault.clone().of_tenant("t"), false) && !meets(fault.clone().of_tenant("u"), false));
        assert!(meets(fault.clone().only_within(Within::BatchItems), true));
        assert!(!meets(fault.clone().only_within(Within::BatchItems), false));
        assert!(!meets(fault.clone().only_within(Within::Requests), true));
        assert!(!meets(Fault::always("", FaultKind::Reset), true));
        let mut faults = Faults::new(vec![fault.for_share(0.3)]);
        let hits: usize = (0..1_000).map(|_| met(&mut faults, "beta/x", false)).sum();
        assert!((200..400).contains(&hits), "{hits}");
    }

    #[test]
    fn an_encoded_address_is_recognised() {
        let mut faults = Faults::new(vec![Fault::always("$expand=settings", FaultKind::Unavailable)]);
        assert_eq!(met(&mut faults, "beta/x?%24expand=settings", false), 1);
    }
}
