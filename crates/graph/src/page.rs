//! What comes back: a document, or a page of a collection.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tenantatlas_domain::reason::ReasonCode;

use crate::error::GraphError;

/// Why an answer with a good status cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It broke off or is no JSON: worth another attempt.
    Unreadable(String),
    /// It is JSON, but not what was asked for.
    Contract(&'static str),
}

impl From<serde_json::Error> for Unusable {
    fn from(error: serde_json::Error) -> Self {
        if error.is_data() {
            Self::Contract("the answer is not a collection with a value array")
        } else {
            // The error of the JSON reader tells place and kind, never content.
            Self::Unreadable(format!("the answer is not complete JSON ({error})"))
        }
    }
}

/// A single answer.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) text: String,
    pub(crate) request_id: Option<String>,
}

impl Document {
    pub(crate) fn new(text: String, request_id: Option<String>) -> Result<Self, Unusable> {
        if text.trim().is_empty() {
            return Ok(Self { text: "null".to_owned(), request_id });
        }
        serde_json::from_str::<&RawValue>(&text)?;
        Ok(Self { text, request_id })
    }

    /// The JSON text as it came, known to be well formed. `null` where there was no content.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.text
    }

    /// `request-id` of the answer.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// As a JSON value.
    ///
    /// # Errors
    /// [`ReasonCode::ParseFailed`] for JSON that is nested too deeply.
    pub fn json(&self) -> Result<Value, GraphError> {
        serde_json::from_str(&self.text)
            .map_err(|error| GraphError::new(ReasonCode::ParseFailed, &format!("the answer is not usable: {error}")))
    }

    /// As a type of one's own.
    ///
    /// # Errors
    /// [`ReasonCode::ContractInvalid`] when the answer has another shape.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, GraphError> {
        // The reader's own words may quote values of the document, so they are left out.
        serde_json::from_str(&self.text)
            .map_err(|_| GraphError::new(ReasonCode::ContractInvalid, "the answer does not have the expected shape"))
    }
}

/// One page of a collection: the text as it came, and where each item stands in it.
#[derive(Clone, Debug)]
pub struct Page {
    text: String,
    spans: Vec<Range<u32>>,
    next_link: Option<String>,
    number: u32,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    value: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "@odata.nextLink")]
    next_link: Option<Cow<'a, str>>,
}

impl Page {
    /// Reads the envelope once; the items stay text.
    pub(crate) fn parse(text: String, number: u32, request_id: Option<String>) -> Result<Self, Unusable> {
        let envelope: Envelope<'_> = serde_json::from_str(&text)?;
        let items = envelope.value.ok_or(Unusable::Contract("the answer has no value array"))?;
        let start = text.as_ptr().addr();
        let spans = items.iter().map(|item| {
            let item = item.get();
            let from = item.as_ptr().addr() - start;
            u32::try_from(from).and_then(|from| Ok(from..u32::try_from(item.len())? + from))
        });
        let spans = spans.collect::<Result<Vec<_>, _>>().map_err(|_| Unusable::Contract("the answer is too large"))?;
        let next_link = envelope.next_link.filter(|link| !link.is_empty()).map(Cow::into_owned);
        Ok(Self { text, spans, next_link, number, request_id })
    }

    /// The items, each as its JSON text.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.spans.iter().map(|span| &self.text[span.start as usize..span.end as usize])
    }

    /// How many items it has. A page may be empty and still have a successor.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether it has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The whole page as it came.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.text
    }

    /// Its size in bytes, after decompression.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Place in its collection, from one.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// `request-id` of the answer.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whether the cloud says that more follows.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.next_link.is_some()
    }

    pub(crate) fn next_link(&self) -> Option<&str> {
        self.next_link.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn page(text: &str) -> Result<Page, Unusable> {
        Page::parse(text.to_owned(), 1, None)
    }

    #[test]
    fn items_are_the_text_that_came() {
        let page = page("{\"@odata.nextLink\":\"http:\\/\\/x\", \"value\" : [ {\"a\" : \"\u{e4}\"} ,{}, 7 ]}").unwrap();
        assert_eq!(page.items().collect::<Vec<_>>(), ["{\"a\" : \"\u{e4}\"}", "{}", "7"]);
        assert_eq!(page.next_link(), Some("http://x"));
    }

    #[test]
    fn an_empty_page_may_have_a_successor() {
        let page = page(r#"{"value":[],"@odata.nextLink":"http://x"}"#).unwrap();
        assert!(page.is_empty() && page.has_next());
    }

    #[test]
    fn an_empty_or_null_link_is_the_end() {
        assert!(!page(r#"{"value":[],"@odata.nextLink":""}"#).unwrap().has_next());
        assert!(!page(r#"{"value":[],"@odata.nextLink":null}"#).unwrap().has_next());
    }

    #[test]
    fn what_is_no_collection_breaks_the_contract() {
        for text in ["{}", r#"{"value":null}"#, r#"{"value":{}}"#, "[]", "7", r#"{"value":[],"@odata.nextLink":7}"#] {
            assert!(matches!(page(text), Err(Unusable::Contract(_))), "{text}");
        }
    }

    #[test]
    fn what_breaks_off_is_unreadable() {
        for text in ["", "{", r#"{"value":[{"a":1},"#, "<html>", r#"{"value":[]}}"#] {
            assert!(matches!(page(text), Err(Unusable::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn a_document_without_content_is_null() {
        assert_eq!(Document::new(String::new(), None).unwrap().json().unwrap(), Value::Null);
        assert!(matches!(Document::new("{\"a\":".into(), None), Err(Unusable::Unreadable(_))));
    }

    proptest! {
        #[test]
        fn every_item_comes_back_whole(items in proptest::collection::vec("\\PC{0,20}", 0..20)) {
            let page = page(&json!({"value": items}).to_string()).unwrap();
            let read: Vec<String> = page.items().map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(read, items);
        }
    }
}
