//! `$batch`: up to 20 requests in one, each judged by itself.

use crate::{answer::Answer, cloud::Cloud};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashSet;

impl Cloud {
    /// Answers a batch. Every item counts towards the quota and meets its own faults.
    pub fn batch(&self, version: &str, token: Option<&str>, body: &Bytes, request_id: &str) -> Answer {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Answer::error(400, "BadRequest", "Invalid batch payload format.", request_id);
        };
        let requests = body["requests"].as_array().cloned().unwrap_or_default();
        let ids: HashSet<_> = requests.iter().filter_map(|request| request["id"].as_str()).collect();
        if requests.is_empty() || requests.len() > 20 || ids.len() != requests.len() {
            return Answer::error(400, "BadRequest", "A batch holds 1 to 20 requests with unique ids.", request_id);
        }
        let mut responses: Vec<Value> = requests
            .iter()
            .map(|request| {
                let url = request["url"].as_str().unwrap_or_default().trim_start_matches('/');
                let method = request["method"].as_str().unwrap_or("GET");
                let inner = request["body"].to_string().into();
                let answer = self.answer(method, &format!("{version}/{url}"), token, &inner, request_id, false);
                let mut headers = json!({"Content-Type": "application/json"});
                if let Some(wait) = &answer.retry_after {
                    headers["Retry-After"] = json!(wait);
                }
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
                json!({"id": request["id"], "status": answer.status.as_u16(), "headers": headers, "body": body})
            })
            .collect();
        // Answers may come in any order.
        responses.reverse();
        Answer::ok(json!({ "responses": responses }).to_string().into_bytes())
    }
}
