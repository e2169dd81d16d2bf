//! Every entry through which text from outside comes in, as pure functions, for property tests and fuzzers. Beside these
//! there are [`parse_retry_after`](crate::parse_retry_after), [`without_addresses`](crate::without_addresses) and
//! [`has_partial_collection`](crate::has_partial_collection). None of them may panic, whatever the text.

use http::StatusCode;
use tokio::time::Instant;
use url::Url;

use crate::answer::Answer;
use crate::batch::answered;
use crate::endpoints::CloudEndpoints;
use crate::error::GraphError;
use crate::failure::{self, ErrorBody};
use crate::page::{Document, Page};
use crate::token_request;

/// A page of a collection: its items and its next link, or `None` where it is none.
#[must_use]
pub fn page(text: &str) -> Option<(Vec<String>, Option<String>)> {
    let page = Page::parse(Answer::of(text), 1).ok()?;
    Some((page.items().map(str::to_owned).collect(), page.next_link().map(str::to_owned)))
}

/// A single answer as JSON, or `None` where it is none.
#[must_use]
pub fn document(text: &str) -> Option<serde_json::Value> {
    Document::new(Answer::of(text)).ok()?.json().ok()
}

/// The answer to a `$batch`: how many items were told apart, or `None` where it is none.
#[must_use]
pub fn batch(text: &str) -> Option<usize> {
    answered(&Answer::of(text)).ok().map(|items| items.len())
}

/// The error that a refusal of Graph becomes.
#[must_use]
pub fn refusal(status: StatusCode, text: &str) -> GraphError {
    failure::refusal(status, &ErrorBody::parse(text), false)
}

/// Whether a text is an answer with a usable token.
#[must_use]
pub fn is_token(text: &str) -> bool {
    token_request::token(text, Instant::now()).is_ok()
}

/// The error that a refusal of a token endpoint becomes.
#[must_use]
pub fn sign_in_refusal(status: StatusCode, text: &str) -> GraphError {
    token_request::refused(status, text)
}

/// Where a next link on a page leads, or `None` where it leads out of the Graph.
#[must_use]
pub fn next_link(cloud: &CloudEndpoints, page: &Url, link: &str) -> Option<Url> {
    cloud.next_link(page, link)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::error::MAX_MESSAGE;

    /// Names that the readers look for, and some others.
    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "value",
                "@odata.nextLink",
                "error",
                "odata.error",
                "code",
                "message",
                "innerError",
                "request-id",
                "responses",
                "id",
                "status",
                "headers",
                "Retry-After",
                "body",
                "access_token",
                "token_type",
                "expires_in",
                "error_description",
                "suberror",
                "trace_id",
                "Message",
            ])
            .prop_map(str::to_owned),
            "\\PC{0,6}",
        ]
    }

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!("http://db.corp.internal:8443/x \u{202e}\u{7} 10.1.2.3")),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        leaf().prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(Value::from),
                vec((name(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    /// JSON, and JSON that was cut, or into which something fell.
    fn text() -> impl Strategy<Value = String> {
        (value(), 0..4_u8, any::<prop::sample::Index>(), "(\\PC|[\\[\\]{}\",:\\\\\u{0}]){1,3}").prop_map(
            |(value, what, place, extra)| {
                let mut text = value.to_string();
                let mut at = place.index(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                match what {
                    0 => text.truncate(at),
                    1 => text.insert_str(at, &extra),
                    _ => {}
                }
                text
            },
        )
    }

    fn is_presentable(error: &GraphError) -> bool {
        let plain = |text: &String| text.chars().all(|letter| letter.is_ascii_graphic());
        error.message.chars().count() <= MAX_MESSAGE
            && !error.message.chars().any(|letter| letter.is_control() || letter == '\u{202e}')
            && !error.message.contains("corp.internal")
            && !error.message.contains("10.1.2.3")
            && error.graph_code.as_ref().is_none_or(plain)
            && error.request_id.as_ref().is_none_or(plain)
    }

    proptest! {
        #[test]
        fn a_page_is_what_a_reader_of_all_json_sees_in_it(text in text()) {
            let whole: Option<Value> = serde_json::from_str(&text).ok();
            let Some((items, link)) = page(&text) else { return Ok(()) };
            // An item may hold what no JSON value can, such as half a surrogate; then there is nothing to compare.
            if let Some(whole) = whole {
                let seen: Vec<Value> = items.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
                prop_assert_eq!(whole.get("value"), Some(&Value::from(seen)));
                let stated = whole.get("@odata.nextLink").and_then(Value::as_str).filter(|link| !link.is_empty());
                prop_assert_eq!(link.as_deref(), stated);
            }
        }

        #[test]
        fn a_collection_is_never_taken_for_anything_else(items in vec(value(), 0..8)) {
            let (read, link) = page(&json!({"@odata.context": "x", "value": items}).to_string()).unwrap();
            prop_assert_eq!((read.len(), link), (items.len(), None));
        }

        #[test]
        fn any_text_is_taken_as_an_answer(text in text()) {
            let _ = batch(&text);
            let _ = document(&text);
        }

        #[test]
        fn a_batch_has_no_more_answers_than_it_states(text in text(), ids in vec(value(), 0..6)) {
            let responses: Vec<_> = ids.iter().map(|id| json!({"id": id, "status": 200, "body": text})).collect();
            let count = responses.len();
            let read = batch(&json!({"responses": responses}).to_string());
            prop_assert!(read.is_some_and(|read| read <= count));
        }

        #[test]
        fn whatever_a_refusal_says_it_can_be_shown(text in text(), inner in value(), status in 100_u16..600) {
            let status = StatusCode::from_u16(status).unwrap();
            for text in [text.clone(), json!({"error": inner}).to_string(), json!({"error": {"code": text, "message": inner}}).to_string()] {
                let error = refusal(status, &text);
                prop_assert!(is_presentable(&error), "{:?}", error);
                let error = sign_in_refusal(status, &text);
                prop_assert!(is_presentable(&error), "{:?}", error);
            }
            let told = json!({"error": "invalid_client", "error_description": inner.to_string(), "trace_id": text});
            prop_assert!(is_presentable(&sign_in_refusal(status, &told.to_string())));
        }

        #[test]
        fn a_token_is_used_only_where_it_can_stand_in_a_header(token in any::<String>(), kind in value(), lifetime in value()) {
            let text = json!({"access_token": token, "token_type": kind, "expires_in": lifetime}).to_string();
            if is_token(&text) {
                prop_assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(kind.is_null() || kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
            }
        }

        #[test]
        fn no_next_link_leaves_its_graph(
            link in "(https?:|HTTP:|//|/|\\\\|\\.\\.|%2e|@|:|#|\\?|graph|beta|x|evil\\.example|graph\\.example|:444|\\t|\\PC){0,12}",
        ) {
            let url = |text: &str| Url::parse(text).unwrap();
            let cloud = CloudEndpoints::custom(url("https://login.example/"), url("https://graph.example/graph")).unwrap();
            if let Some(found) = next_link(&cloud, &url("https://graph.example/graph/beta/x?y"), &link) {
                prop_assert!(found.as_str().starts_with("https://graph.example/graph/"), "{}", found);
                prop_assert!(found.username().is_empty() && found.port().is_none());
            }
        }

        #[test]
        fn no_retry_after_is_waited_for_longer_than_a_year(value in "[-+0-9.eE ]{0,12}|\\PC{0,30}") {
            let wait = crate::parse_retry_after(&value, std::time::SystemTime::UNIX_EPOCH);
            prop_assert!(wait.is_none_or(|wait| wait.as_secs() <= 366 * 24 * 3_600));
        }
    }
}
