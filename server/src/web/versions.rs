//! Downloads of the body of a version, and of what differs between two. Scripts and payloads are left out: they are looked at on
//! the page or by the command line, where that is asked for.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::response::Response;
use futures::stream;
use serde_json::{Value, json};
use tenantatlas_app::error::AppError;
use tenantatlas_app::scope::Inside;
use tenantatlas_app::version::load;

use super::answer::refuse;
use super::export::{Exported, attachment, file_name};
use super::inside::InTenant;

/// `GET /t/{tenant}/inventory/{item}/versions/{version}/body.json`
pub async fn body(InTenant(inside): InTenant, Path((_, item, version)): Path<(String, String, String)>) -> Response {
    match body_of(&inside, &item, &version).await {
        Ok((number, document)) => {
            download(&inside, &format!("version-{number}"), &item, json!({"version": number}), &document)
        }
        Err(error) => refuse(&error),
    }
}

async fn body_of(inside: &Inside, item: &str, version: &str) -> Result<(u64, Value), AppError> {
    let number: u64 = version.parse().map_err(|_| AppError::not_found("The version"))?;
    let item = load::item(inside, item).await?;
    let policy = (item.policy_type.as_str(), item.external_id.as_str());
    let opened = inside.engine.open_version(&inside.session.actor(), inside.id(), policy, number, false).await?;
    Ok((number, opened.body))
}

/// `GET /t/{tenant}/inventory/{item}/difference.json`, with the parameters of the page.
pub async fn difference(
    InTenant(inside): InTenant,
    Path((_, item)): Path<(String, String)>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Response {
    let number = |name: &str| parameters.get(name).and_then(|text| text.parse::<u64>().ok());
    match difference_of(&inside, &item, number("from"), number("to")).await {
        Ok(((from, to), document)) => {
            let name = format!("versions-{from}-and-{to}");
            download(&inside, &name, &item, json!({"from": from, "to": to}), &document)
        }
        Err(error) => refuse(&error),
    }
}

async fn difference_of(
    inside: &Inside,
    item: &str,
    from: Option<u64>,
    to: Option<u64>,
) -> Result<((u64, u64), Value), AppError> {
    let item = load::item(inside, item).await?;
    let numbers = load::pair(&load::versions(inside, &item).await?, from, to);
    let policy = (item.policy_type.as_str(), item.external_id.as_str());
    let actor = inside.session.actor();
    let compared = inside.engine.compare_versions(&actor, inside.id(), policy, numbers, false).await?;
    Ok((numbers, compared.document(false)))
}

fn download(inside: &Inside, what: &str, item: &str, facts: Value, document: &Value) -> Response {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    let exported = Exported::policy(item.to_owned(), facts);
    attachment(exported, &file_name(inside, what), "application/json", stream::iter([Ok(Bytes::from(text))]))
}
