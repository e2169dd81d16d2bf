//! An answer with a good status: its text, and why it may be of no use all the same.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::budget::Charge;

/// What is said of JSON that is no page of a collection.
pub(crate) const NO_COLLECTION: &str = "the answer is not a collection with a value array";

/// A good answer, not yet understood.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) request_id: Option<String>,
    /// The memory it takes; to be kept for as long as its text is.
    pub(crate) charge: Option<Arc<Charge>>,
}

#[cfg(any(test, feature = "testing"))]
impl Answer {
    /// A text that came from nowhere.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), request_id: None, charge: None }
    }
}

/// Whether a JSON text is an object. To be asked where an object is read into a structure: the reader takes an array of its
/// members in their order for one as well.
pub(crate) fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Why an answer with a good status cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It broke off or is no JSON: worth another attempt.
    Unreadable(String),
    /// It is JSON, but not what was asked for.
    Contract(&'static str),
    /// It says success and holds an error, or nothing: worth another attempt, and nothing is concluded from it.
    NotWhole(&'static str),
}

/// What an answer with a good status holds that has none of the content it stands for.
pub(crate) const WITHOUT_CONTENT: &str = "the answer says success and has no content";
/// An error where the content should be (`docs/graph.md`, section Error shapes and reason codes).
pub(crate) const ERROR_WITHIN: &str = "the answer says success and holds an error";

/// Where an answer that says success tells an error instead.
#[derive(Deserialize)]
struct ErrorMarks<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow, rename = "odata.error")]
    odata_error: Option<&'a RawValue>,
}

impl ErrorMarks<'_> {
    /// Whether it has the form of Graph's errors: an object with a code.
    fn tell(&self) -> bool {
        #[derive(Deserialize)]
        struct Form {
            #[serde(rename = "code")]
            _code: String,
        }
        let tells = |error: &&RawValue| is_object(error.get()) && serde_json::from_str::<Form>(error.get()).is_ok();
        self.error.as_ref().is_some_and(tells) || self.odata_error.as_ref().is_some_and(tells)
    }
}

/// Why the text of an answer that says success is no object with content.
pub(crate) fn lack_of(text: &str) -> Option<&'static str> {
    if matches!(text.trim(), "" | "null") {
        return Some(WITHOUT_CONTENT);
    }
    let marks = is_object(text).then(|| serde_json::from_str::<ErrorMarks<'_>>(text).ok()).flatten();
    marks.is_some_and(|marks| marks.tell()).then_some(ERROR_WITHIN)
}

impl From<serde_json::Error> for Unusable {
    fn from(error: serde_json::Error) -> Self {
        if error.is_data() {
            Self::Contract(NO_COLLECTION)
        } else {
            // The error of the JSON reader tells place and kind, never content.
            Self::Unreadable(format!("the answer is not complete JSON ({error})"))
        }
    }
}
