//! The document of the REST API and its reference say what there is.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::Value;

use super::site::Site;
use crate::web::api::{self, Verb};

#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_every_address_and_nothing_that_is_not_there() {
    let document: Value = serde_json::from_str(api::document_text()).expect("JSON");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            told.entry(path.clone()).or_default().push(method.clone());
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let words = response["description"].as_str().unwrap_or_default();
                assert!(!words.is_empty(), "{path} {method} {status} is not described");
            }
        }
    }
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for endpoint in api::endpoints() {
        let method = endpoint.verb.method().as_str().to_lowercase();
        declared.entry(endpoint.path.to_owned()).or_default().push(method);
    }
    for methods in declared.values_mut().chain(told.values_mut()) {
        methods.sort();
    }
    assert_eq!(told, declared);
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let mut named = Vec::new();
    references(&document, &mut named);
    for name in named {
        let known = name.strip_prefix("#/components/schemas/").is_some_and(|name| schemas.contains_key(name));
        assert!(known, "{name} is not there");
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(target) => found.push(target.to_owned()),
                    None => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_is_read_without_script_and_names_every_address() {
    let site = Site::start().await;
    let page = site.call("", Verb::Get, "/api/v1/reference", None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("<script") && !page.body.contains("http"), "it loads something");
    assert!(api::endpoints().all(|endpoint| page.body.contains(&format!("id=\"{}\"", endpoint.id))));
    let document = site.call("", Verb::Get, "/api/v1/openapi.json", None).await;
    assert_eq!(document.body, api::document_text());
}
