//! The root of a version: its service document and its metadata (OData CSDL 4.01), as far as there is something below it.
//! Both are read without a token, as at Graph.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::{RESOURCES, Resource};

/// Answers for the root and for `$metadata`; `None` for every other path.
#[must_use]
pub fn root(base: &str, path: &str, beta: bool) -> Option<Answer> {
    match path.trim_end_matches('/') {
        "" => Some(Answer::ok(service_document(base, beta).to_string().into_bytes())),
        "$metadata" => Some(Answer::raw(200, "application/xml", metadata(beta))),
        _ => None,
    }
}

/// The first segments of all paths, with whether they are collections.
fn roots(beta: bool) -> BTreeMap<&'static str, bool> {
    let offered = RESOURCES.iter().filter(|resource| beta || resource.v1);
    let mut roots: BTreeMap<&'static str, bool> =
        offered.filter_map(|resource| resource.path.split('/').next()).map(|root| (root, false)).collect();
    roots.extend([("groups", true), ("organization", true)]);
    roots
}

fn service_document(base: &str, beta: bool) -> Value {
    let value: Vec<Value> = roots(beta)
        .into_iter()
        .map(|(name, set)| json!({"name": name, "kind": if set { "EntitySet" } else { "Singleton" }, "url": name}))
        .collect();
    json!({"@odata.context": format!("{base}/$metadata"), "value": value})
}

/// The last segments of resources below a root, each once.
fn navigation(root: &str, beta: bool) -> BTreeMap<&'static str, &'static Resource> {
    RESOURCES
        .iter()
        .filter(|resource| beta || resource.v1)
        .filter_map(|resource| {
            let (first, rest) = resource.path.split_once('/')?;
            (first == root).then_some((rest.rsplit('/').next()?, resource))
        })
        .collect()
}

fn metadata(beta: bool) -> String {
    let mut types = String::from(
        r#"<EntityType Name="entity" Abstract="true"><Key><PropertyRef Name="id"/></Key><Property Name="id" Type="Edm.String" Nullable="false"/></EntityType>"#,
    );
    let mut container = String::new();
    for (root, set) in roots(beta) {
        if set {
            let _ = write!(types, r#"<EntityType Name="{root}Object" BaseType="graph.entity" OpenType="true"/>"#);
            let _ = write!(container, r#"<EntitySet Name="{root}" EntityType="microsoft.graph.{root}Object"/>"#);
            continue;
        }
        let _ = write!(types, r#"<EntityType Name="{root}" BaseType="graph.entity" OpenType="true">"#);
        for (name, resource) in navigation(root, beta) {
            let (before, after) = if resource.single { ("", "") } else { ("Collection(", ")") };
            let _ = write!(
                types,
                r#"<NavigationProperty Name="{name}" Type="{before}graph.entity{after}" ContainsTarget="true"/>"#
            );
        }
        types.push_str("</EntityType>");
        let _ = write!(container, r#"<Singleton Name="{root}" Type="microsoft.graph.{root}"/>"#);
    }
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="microsoft.graph" Alias="graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}<EntityContainer Name="GraphService">{container}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"#
    )
}
