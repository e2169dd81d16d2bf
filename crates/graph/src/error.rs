//! The one error of this crate: a reason code for the machine, a sanitised sentence for the person.

use std::fmt;
use std::time::{Duration, SystemTime};

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sanitise::redact;
use url::Url;
use uuid::Uuid;

use crate::addresses::without_addresses;

/// Longest message of a [`GraphError`], in characters.
pub const MAX_MESSAGE: usize = 300;

/// Why something could not be read.
///
/// Nothing in it is secret: the message is redacted and bounded, the address has no query, and neither tokens nor
/// credentials are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// Stable code (`docs/rules.md`, section Reason codes).
    pub reason: ReasonCode,
    /// HTTP status, when the cloud answered.
    pub status: Option<u16>,
    /// `error.code` of Graph, or `error` of the token endpoint.
    pub graph_code: Option<String>,
    /// What went wrong, sanitised, at most [`MAX_MESSAGE`] characters.
    pub message: String,
    /// `request-id` of the answer: what Microsoft's support asks for.
    pub request_id: Option<String>,
    /// `client-request-id` that was sent along.
    pub client_request_id: Option<Uuid>,
    /// Path of what was asked, without host and query. Empty when nothing was asked.
    pub url_path: String,
    /// Whether Graph itself says, in the form of its errors, that the address is right and nothing is there: a 404 that
    /// names no segment. Only this says that something does not exist; an address that is unknown to the cloud does not.
    pub absent: bool,
    /// Whether a Graph answered it, and not the sign-in service, the network or this program.
    pub by_graph: bool,
}

impl GraphError {
    /// An error that nobody answered: for a reader that cannot use what was answered. The message is made presentable.
    #[must_use]
    pub fn new(reason: ReasonCode, message: &str) -> Self {
        Self {
            reason,
            status: None,
            graph_code: None,
            message: presentable(message),
            request_id: None,
            client_request_id: None,
            url_path: String::new(),
            absent: false,
            by_graph: false,
        }
    }

    /// What ends when its run was cancelled.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ReasonCode::Cancelled, "the run was cancelled")
    }

    /// Whether it is about the connection and not about what was asked, so that asking for something else is no use.
    #[must_use]
    pub fn concerns_all(&self) -> bool {
        matches!(self.reason, ReasonCode::Cancelled | ReasonCode::AuthFailed)
    }

    /// The application permissions that a refusal names, as far as the message was kept: Intune writes "Application must
    /// have one of the following scopes: A, B".
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let whole = self.message.strip_suffix('…').map_or(self.message.as_str(), |cut| {
            // What stood last may have been cut in the middle.
            cut.rsplit_once(|letter: char| letter == ',' || letter.is_whitespace()).map_or("", |(before, _)| before)
        });
        let words = whole.split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '.' | '-' | '_'));
        let words = words.map(|word| word.trim_end_matches('.'));
        words.filter(|word| is_scope(word)).collect()
    }

    /// With the moment before which the cloud does not want to be asked again.
    pub(crate) fn not_before(mut self, wait: Duration) -> Self {
        let moment = httpdate::fmt_http_date(SystemTime::now() + wait);
        self.message = presentable(&format!("not to be asked again before {moment}. {}", self.message));
        self
    }

    pub(crate) fn at(mut self, url: &Url) -> Self {
        self.url_path = url.path().chars().take(MAX_MESSAGE).collect();
        self
    }
}

/// Whether a word has the form of an application permission: `Resource.Operation.Constraint` (Microsoft Graph permissions
/// reference).
fn is_scope(word: &str) -> bool {
    let mut parts = word.split('.');
    let (resource, operation) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let named = resource.len() > 2 && resource.starts_with(|letter: char| letter.is_ascii_uppercase());
    named && operation.starts_with("Read") && parts.next().is_some_and(|constraint| !constraint.is_empty())
}

impl fmt::Display for GraphError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.reason.as_str(), self.message)?;
        if let Some(status) = self.status {
            write!(formatter, " (HTTP {status}")?;
            if let Some(code) = &self.graph_code {
                write!(formatter, ", {code}")?;
            }
            formatter.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for GraphError {}

/// Redacts a text, takes the addresses out of it, folds its white space and cuts it to [`MAX_MESSAGE`] characters. Every
/// message of a [`GraphError`] comes through here, whoever wrote it. The raw text is cut first, with some to spare, so
/// that a huge error page costs little.
pub(crate) fn presentable(text: &str) -> String {
    let folded = text
        .chars()
        .take(MAX_MESSAGE * 8)
        .map(|letter| if is_invisible(letter) { ' ' } else { letter })
        .collect::<String>();
    let folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let redacted = redact(&without_addresses(&folded));
    if redacted.chars().count() <= MAX_MESSAGE {
        return redacted;
    }
    redacted.chars().take(MAX_MESSAGE - 1).chain(['…']).collect()
}

/// What steers a terminal or a reader's eye instead of being read: control characters, and the marks that change the
/// direction of a text or have no width (Unicode, "Bidirectional Formatting Characters").
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{061C}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_folded_and_bounded() {
        assert_eq!(presentable("  one\r\n\ttwo  "), "one two");
        let long = presentable(&"word ".repeat(5_000));
        assert_eq!(long.chars().count(), MAX_MESSAGE);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_token_in_a_message_does_not_survive() {
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJyb2xlcyI6WyJBIl19.c2lnbmF0dXJlc2lnbmF0dXJl";
        assert!(!presentable(&format!("refused: Bearer {token}")).contains("eyJyb2xlcyI6"));
    }

    #[test]
    fn the_scopes_of_a_refusal_are_found_and_no_other_word_is_taken_for_one() {
        let named = |message: &str| {
            let error = GraphError::new(ReasonCode::PermissionMissing, message);
            error.scopes().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let scopes = "Application must have one of the following scopes: DeviceManagementApps.Read.All, \
                      DeviceManagementApps.ReadWrite.All.";
        assert_eq!(named(scopes), ["DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"]);
        assert!(named("Insufficient privileges. See graph.microsoft.com. Read.All the docs.").is_empty());
        let cut = format!("{} Policy.Read.All, Policy.ReadWrite.All", "word ".repeat(54));
        assert_eq!(named(&cut), ["Policy.Read.All"], "half a name is none");
    }

    #[test]
    fn an_error_is_small_enough_to_be_returned_by_value() {
        assert!(size_of::<GraphError>() <= 128, "{}", size_of::<GraphError>());
    }
}
