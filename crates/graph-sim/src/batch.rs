//! `$batch`: up to 20 requests in one, each judged by itself (OData JSON Format 4.01, section 19; Microsoft, "Combine
//! multiple HTTP requests using JSON batching").

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cloud::{Asked, Cloud};

/// Requests in a batch.
const MOST: usize = 20;

impl Cloud {
    /// Answers a batch. Every item counts towards the quota and meets its own faults.
    #[must_use]
    pub fn batch(&self, version: &str, asked: &Asked<'_>, request_id: &str) -> Answer {
        let refused = |code: &str, message: &str| Answer::error(400, code, message, request_id);
        let body = serde_json::from_slice::<Value>(asked.body).unwrap_or_default();
        let Some(requests) = body["requests"].as_array().filter(|requests| !requests.is_empty()) else {
            return refused("BadRequest", "Invalid batch payload format.");
        };
        if requests.len() > MOST {
            let message = format!("Number of batch request steps exceeds the maximum value of {MOST}.");
            return refused("MaximumValueExceeded", &message);
        }
        let Some(ids) = requests.iter().map(|request| id_of(&request["id"])).collect::<Option<Vec<_>>>() else {
            return refused("BadRequest", "Invalid batch payload format.");
        };
        let mut seen = HashSet::new();
        // Ids that differ in case alone are the same (microsoft-graph-docs, issue 4449).
        if let Some(twice) = ids.iter().find(|id| !seen.insert(id.to_ascii_lowercase())) {
            return refused("BadRequest", &format!("Request Id {twice} has to be unique in a batch."));
        }
        let mut statuses: HashMap<&str, u64> = HashMap::new();
        let mut responses = Vec::with_capacity(requests.len());
        for (id, request) in ids.iter().zip(requests) {
            let needed = request["dependsOn"].as_array().map_or(&[][..], Vec::as_slice);
            let failed = needed.iter().filter_map(Value::as_str).any(|id| statuses.get(id).is_none_or(|it| *it >= 400));
            let response = if failed {
                failed_dependency(id, request_id)
            } else {
                self.item(version, asked, id, request, request_id)
            };
            statuses.insert(id, response["status"].as_u64().unwrap_or(500));
            responses.push(response);
        }
        // Answers may come in any order.
        responses.reverse();
        Answer::ok(json!({ "responses": responses }).to_string().into_bytes())
    }

    fn item(&self, version: &str, asked: &Asked<'_>, id: &str, request: &Value, request_id: &str) -> Value {
        let url = request["url"].as_str().unwrap_or_default().trim_start_matches('/');
        let address = format!("{version}/{url}");
        let body = request["body"].to_string().into();
        let method = request["method"].as_str().unwrap_or("GET");
        let item = Asked { method, address: &address, body: &body, in_batch: true, ..*asked };
        let answer = self.answer(&item, request_id);
        let mut headers = json!({"Content-Type": "application/json"});
        if let Some(wait) = &answer.retry_after {
            headers["Retry-After"] = json!(wait);
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        json!({"id": id, "status": answer.status.as_u16(), "headers": headers, "body": body})
    }
}

/// An id is a text; a number is taken for the text of its digits.
fn id_of(id: &Value) -> Option<String> {
    match id {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn failed_dependency(id: &str, request_id: &str) -> Value {
    let message = "One or more dependencies of this request have failed.";
    let answer = Answer::error(424, "FailedDependency", message, request_id);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    json!({"id": id, "status": 424, "headers": {"Content-Type": "application/json"}, "body": body})
}
