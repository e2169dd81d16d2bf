//! What comes back: a document, or a page of a collection.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use tenantatlas_domain::reason::ReasonCode;

use crate::answer::{Answer, NO_COLLECTION, Unusable, is_object, lack_of};
use crate::budget::{Charge, HeldBytes};
use crate::error::GraphError;

/// Most items of one page. Graph sends a thousand at most, a few collections a few thousand.
const MAX_ITEMS: usize = 100_000;

/// A single answer.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    request_id: Option<String>,
    _charge: Option<Arc<Charge>>,
}

impl Document {
    pub(crate) fn new(answer: Answer) -> Result<Self, Unusable> {
        let Answer { text, request_id, charge } = answer;
        if let Some(lack) = lack_of(&text) {
            return Err(Unusable::NotWhole(lack));
        }
        serde_json::from_str::<&RawValue>(&text)?;
        Ok(Self { text, request_id, _charge: charge })
    }

    /// Whether it has the form of Graph's answers: an object with a context, or with rows (OData JSON format 4.01,
    /// sections 4.6.1 and 14).
    pub(crate) fn is_graphs(&self) -> bool {
        #[derive(Deserialize)]
        struct Marks<'a> {
            #[serde(borrow, rename = "@odata.context")]
            context: Option<&'a RawValue>,
            #[serde(borrow)]
            value: Option<&'a RawValue>,
        }
        is_object(&self.text)
            && serde_json::from_str::<Marks<'_>>(&self.text).is_ok_and(|marks| {
                marks.context.is_some_and(|context| context.get().starts_with('"'))
                    || marks.value.is_some_and(|value| value.get().starts_with('['))
            })
    }

    /// The JSON text as it came, known to be well formed.
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
    charge: Option<Arc<Charge>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    value: Option<Items<'a>>,
    #[serde(borrow, rename = "@odata.nextLink")]
    next_link: Option<Cow<'a, str>>,
}

/// The items of a page, up to [`MAX_ITEMS`]: an item of two bytes takes eight to remember.
struct Items<'a> {
    kept: Vec<&'a RawValue>,
    more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MAX_ITEMS {
                    let Some(item) = items.next_element()? else { return Ok(Items { kept, more: false }) };
                    kept.push(item);
                }
                let mut more = false;
                while items.next_element::<IgnoredAny>()?.is_some() {
                    more = true;
                }
                Ok(Items { kept, more })
            }
        }

        deserializer.deserialize_seq(Collect)
    }
}

impl Page {
    /// Reads the envelope once; the items stay text.
    pub(crate) fn parse(answer: Answer, number: u32) -> Result<Self, Unusable> {
        let Answer { text, request_id, charge } = answer;
        if let Some(lack) = lack_of(&text) {
            return Err(Unusable::NotWhole(lack));
        }
        let envelope: Envelope<'_> = serde_json::from_str(&text)?;
        if !is_object(&text) {
            return Err(Unusable::Contract(NO_COLLECTION));
        }
        let items = envelope.value.ok_or(Unusable::Contract("the answer has no value array"))?;
        if items.more {
            return Err(Unusable::Contract("the page has more than 100,000 items"));
        }
        let items = items.kept;
        let start = text.as_ptr().addr();
        let spans = items.iter().map(|item| {
            let item = item.get();
            let from = item.as_ptr().addr() - start;
            u32::try_from(from).and_then(|from| Ok(from..u32::try_from(item.len())? + from))
        });
        let spans = spans.collect::<Result<Vec<_>, _>>().map_err(|_| Unusable::Contract("the answer is too large"))?;
        let next_link = envelope.next_link.filter(|link| !link.is_empty()).map(Cow::into_owned);
        Ok(Self { text, spans, next_link, number, request_id, charge })
    }

    /// The memory that the page takes of what the process may hold: to be kept with what is made of the page, until that is
    /// written.
    #[must_use]
    pub fn held(&self) -> Option<HeldBytes> {
        self.charge.clone().map(HeldBytes::of_answer)
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
        Page::parse(Answer::of(text), 1)
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
        for text in [
            "{}",
            r#"{"value":null}"#,
            r#"{"value":{}}"#,
            "[]",
            "7",
            r#"[[{"id":"1"}],null]"#,
            r#"{"value":[],"@odata.nextLink":7}"#,
        ] {
            assert!(matches!(page(text), Err(Unusable::Contract(_))), "{text}");
        }
    }

    #[test]
    fn what_breaks_off_is_unreadable() {
        for text in ["{", r#"{"value":[{"a":1},"#, "<html>", r#"{"value":[]}}"#] {
            assert!(matches!(page(text), Err(Unusable::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn an_answer_that_says_success_and_holds_nothing_or_an_error_is_asked_for_again() {
        let error = r#"{"error":{"code":"InternalServerError","message":"x"},"value":[]}"#;
        for text in ["", " \n", "null", error, r#"{"odata.error":{"code":"x"}}"#] {
            assert!(matches!(Document::new(Answer::of(text)), Err(Unusable::NotWhole(_))), "{text}");
            assert!(matches!(page(text), Err(Unusable::NotWhole(_))), "{text}");
        }
        // A property of this name is no error of Graph.
        for text in [r#"{"error":null,"value":[]}"#, r#"{"error":"none","value":[]}"#, r#"{"error":{},"value":[]}"#] {
            assert!(Document::new(Answer::of(text)).is_ok() && page(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_document_that_breaks_off_is_unreadable() {
        assert!(matches!(Document::new(Answer::of("{\"a\":")), Err(Unusable::Unreadable(_))));
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
