//! The document of the REST API and its reference say what there is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

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

/// Set to rewrite the outline that is checked in, after a change that is meant.
const REWRITE: &str = "TENANTATLAS_REWRITE_OUTLINE";

#[test]
fn what_the_api_takes_and_answers_changes_only_when_somebody_means_it() {
    let document: Value = serde_json::from_str(api::document_text()).expect("JSON");
    let now = outline(&document);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api/outline.txt");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &now).expect("written");
    }
    let known = std::fs::read_to_string(&path).expect("the outline");
    let gone: Vec<&str> = known.lines().filter(|line| !now.lines().any(|one| one == *line)).collect();
    let new: Vec<&str> = now.lines().filter(|line| !known.lines().any(|one| one == *line)).collect();
    let words =
        format!("Look whether this breaks programs that use the API; if it is meant, run this test with {REWRITE}=1.");
    assert!(known == now, "no more:\n  {}\nnew:\n  {}\n{words}", gone.join("\n  "), new.join("\n  "));
}

/// The document in lines that a person reads: what each address takes and answers, and the fields of each schema. `?` marks what may
/// be left out.
fn outline(document: &Value) -> String {
    let mut lines = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let of = format!("{path} {}", method.to_uppercase());
            let responses = operation["responses"].as_object().expect("responses");
            let mut answers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for (status, response) in responses {
                answers.entry(content(&response["content"])).or_default().push(status);
            }
            for (content, statuses) in answers {
                lines.push(format!("{of} answers {}: {content}", statuses.join(" ")));
            }
            if let Some(body) = operation.get("requestBody") {
                let free = if body["required"] == true { "" } else { "?" };
                lines.push(format!("{of} takes body{free}: {}", content(&body["content"])));
            }
            for one in operation["parameters"].as_array().into_iter().flatten() {
                let free = if one["required"] == true { "" } else { "?" };
                let [place, name] = ["in", "name"].map(|key| one[key].as_str().expect("text"));
                lines.push(format!("{of} takes {place} {name}{free}: {}", kind(&one["schema"])));
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        lines.push(format!("schema {name}: {}", kind(schema)));
    }
    lines.sort();
    lines.join("\n") + "\n"
}

fn content(content: &Value) -> String {
    let kinds = content.as_object().into_iter().flatten().map(|(name, one)| format!("{name} {}", kind(&one["schema"])));
    kinds.collect::<Vec<_>>().join(", ")
}

/// The type of a schema: by its name where it has one, else with its values and fields.
fn kind(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or_default().to_owned();
    }
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect()
    };
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(among) = schema[choice].as_array() {
            return among.iter().map(kind).collect::<Vec<_>>().join(if choice == "allOf" { " & " } else { " | " });
        }
    }
    let mut told = schema["type"].as_str().map_or_else(|| texts(&schema["type"]).join("|"), str::to_owned);
    if let Some(format) = schema["format"].as_str() {
        let _ = write!(told, " {format}");
    }
    if schema["enum"].is_array() {
        let _ = write!(told, " of {}", texts(&schema["enum"]).join(" "));
    }
    if schema["items"].is_object() {
        let _ = write!(told, " of {}", kind(&schema["items"]));
    }
    if let Some(fields) = schema["properties"].as_object() {
        let required = texts(&schema["required"]);
        let free = |name: &String| if required.contains(name) { "" } else { "?" };
        let fields = fields.iter().map(|(name, one)| format!("{name}{}: {}", free(name), kind(one)));
        let _ = write!(told, " {{ {} }}", fields.collect::<Vec<_>>().join(", "));
    }
    told.trim().to_owned()
}
