//! What a fault makes of an answer.

use serde_json::{Map, Value};

use crate::answer::{Answer, Sending};
use crate::cloud::Cloud;
use crate::fault::FaultKind;
use crate::graph::Bent;
use crate::token::TokenFault;

impl Cloud {
    /// The answer of a fault that stands in for the real one.
    pub fn break_before(&self, fault: &FaultKind, token: &str, id: &str) -> Option<Answer> {
        Some(match fault {
            FaultKind::Throttled { retry_after } => {
                self.count_throttled();
                let mut answer = Answer::error(429, "TooManyRequests", "", id);
                answer.retry_after.clone_from(retry_after);
                answer
            }
            FaultKind::Unavailable => Answer::error(503, "ServiceUnavailable", "The service is unavailable.", id),
            FaultKind::GatewayTimeout => Answer::error(504, "GatewayTimeout", "The gateway timed out.", id),
            FaultKind::ServerError => Answer::intune_error(500, "InternalServerError", "An error has occurred", id),
            FaultKind::Status { status, code, message } => Answer::error(*status, code, message, id),
            FaultKind::Raw { status, content_type, body } => {
                Answer::raw(*status, content_type, body.replace("{token}", token))
            }
            FaultKind::Hostile(body) => Answer::hostile(*body),
            FaultKind::Reset => {
                let mut answer = Answer::ok(Vec::new());
                answer.sending = Sending::Reset;
                answer
            }
            FaultKind::TokenRevoked => {
                self.revoke_tokens();
                Answer::error(401, "InvalidAuthenticationToken", TokenFault::Revoked.message(), id)
            }
            FaultKind::Forbidden => {
                Answer::intune_error(403, "Forbidden", "Application is not authorized to perform this operation.", id)
            }
            FaultKind::UnknownSegment => {
                Answer::error(404, "ResourceNotFound", "Resource not found for the segment.", id)
            }
            FaultKind::LicenceMissing => {
                Answer::error(403, "Forbidden", "The tenant does not have a license for this feature.", id)
            }
            FaultKind::NoBody => Answer::ok(Vec::new()),
            FaultKind::ErrorWithin => {
                let refused = Answer::error(500, "InternalServerError", "An error has occurred.", id);
                Answer::ok(refused.body.to_vec())
            }
            FaultKind::BadRequest => Answer::error(400, "BadRequest", "The request is not valid.", id),
            _ => return None,
        })
    }
}

/// What the faults do to a page.
#[must_use]
pub fn bent(faults: &[FaultKind]) -> Bent<'_> {
    let mut bent = Bent::default();
    for fault in faults {
        match fault {
            FaultKind::PartialCollections => bent.partial = true,
            FaultKind::EmptyPage => bent.empty_page = true,
            FaultKind::LoopingLink => bent.looping = true,
            FaultKind::ForeignLink { host } => bent.foreign = Some(host),
            FaultKind::EndlessPages => bent.endless = true,
            FaultKind::NextLink { link } => bent.link = Some(link),
            FaultKind::ExpandRefused => bent.refuse_expand = true,
            FaultKind::CutAtTop => bent.cut_at_top = true,
            _ => {}
        }
    }
    bent
}

/// What the faults do to the answer as it is sent.
#[must_use]
pub fn broken(mut answer: Answer, faults: &[FaultKind]) -> Answer {
    for fault in faults {
        match fault {
            FaultKind::NullProperty { property } => alter(&mut answer, |object| make_null(object, property)),
            FaultKind::ShortProperty { property } => alter(&mut answer, |object| shorten(object, property)),
            FaultKind::WithoutObject { id } => alter(&mut answer, |object| leave_out(object, id)),
            FaultKind::RepeatedRow => alter(&mut answer, repeat_first),
            FaultKind::ByteOrderMark => answer.body = [b"\xEF\xBB\xBF", &answer.body[..]].concat().into(),
            FaultKind::TruncatedJson => answer.body = answer.body.slice(..answer.body.len() / 2),
            FaultKind::SlowBody { pause_ms } => answer.sending = Sending::Slowly(*pause_ms),
            FaultKind::CutBody => answer.sending = Sending::Cut,
            FaultKind::PackedTwice => answer.sending = Sending::PackedTwice,
            FaultKind::Stall { pause_ms } => answer.stall_ms = *pause_ms,
            _ => {}
        }
    }
    answer
}

/// Changes the object that a good answer holds, and each object of its `value`.
fn alter(answer: &mut Answer, change: impl Fn(&mut Map<String, Value>)) {
    let Ok(Value::Object(mut whole)) = serde_json::from_slice(&answer.body) else { return };
    change(&mut whole);
    if let Some(Value::Array(rows)) = whole.get_mut("value") {
        rows.iter_mut().filter_map(Value::as_object_mut).for_each(change);
    }
    answer.body = Value::Object(whole).to_string().into();
}

fn make_null(object: &mut Map<String, Value>, property: &str) {
    if let Some(value) = object.get_mut(property) {
        *value = Value::Null;
    }
}

fn shorten(object: &mut Map<String, Value>, property: &str) {
    if let Some(Value::Array(rows)) = object.get_mut(property) {
        rows.pop();
        object.remove("@odata.nextLink");
        object.remove(&format!("{property}@odata.nextLink"));
    }
}

fn leave_out(object: &mut Map<String, Value>, id: &str) {
    if let Some(Value::Array(rows)) = object.get_mut("value") {
        rows.retain(|row| !row["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)));
    }
}

fn repeat_first(object: &mut Map<String, Value>) {
    if let Some(Value::Array(rows)) = object.get_mut("value")
        && let [first, .., last] = rows.as_mut_slice()
    {
        last.clone_from(first);
    }
}
