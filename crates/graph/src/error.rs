//! The one error of this crate: a reason code for the machine, a sanitised sentence for the person.

use std::fmt;

use tenantatlas_domain::{reason::ReasonCode, sanitise::redact};
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
}

impl GraphError {
    pub(crate) fn new(reason: ReasonCode, message: &str) -> Self {
        Self {
            reason,
            status: None,
            graph_code: None,
            message: presentable(message),
            request_id: None,
            client_request_id: None,
            url_path: String::new(),
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

    pub(crate) fn at(mut self, url: &Url) -> Self {
        self.url_path = url.path().chars().take(MAX_MESSAGE).collect();
        self
    }
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
/// message of a [`GraphError`] comes through here, whoever wrote it. The raw text is cut first, with room to spare, so
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
    fn an_error_is_small_enough_to_be_returned_by_value() {
        assert!(size_of::<GraphError>() <= 128, "{}", size_of::<GraphError>());
    }
}
