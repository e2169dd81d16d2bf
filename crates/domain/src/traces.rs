//! What spans for a collector may say: they leave the installation, so they are made of words of this program alone.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::audit_event::AuditSource;
use crate::registry::{Detail, Source, recipe, registry};

/// The target of spans that are meant for a collector and not for the log, which has spans of requests and runs for both. Their
/// names and attributes are constants, words of this program and numbers.
pub const TARGET: &str = "traces";

/// Words of paths that no type of the registry has.
const OTHER_WORDS: [&str; 17] = [
    "$batch",
    "auditLogs",
    "beta",
    "complianceCategories",
    "complianceSettings",
    "configurationCategories",
    "configurationSettings",
    "deviceManagement",
    "directoryObjects",
    "getByIds",
    "groups",
    "inventoryCategories",
    "inventorySettings",
    "organization",
    "reusableCategories",
    "reusableSettings",
    "v1.0",
];

/// A path of Graph as a template: what this program has no word for is an id, a name or something that nobody foresaw.
#[must_use]
pub fn graph_path(path: &str) -> String {
    static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(words);
    let mut template = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        template.push('/');
        match segment.split_once('(') {
            _ if WORDS.contains(segment) => template.push_str(segment),
            // The form in which next links name an object: `groups('id')`.
            Some((word, _)) if WORDS.contains(word) => {
                template.push_str(word);
                template.push_str("({id})");
            }
            _ => template.push_str("{id}"),
        }
    }
    template
}

fn words() -> HashSet<&'static str> {
    let mut words = HashSet::from(OTHER_WORDS);
    let mut add = |path: &'static str| words.extend(path.split('/'));
    AuditSource::ALL.iter().for_each(|source| add(source.path()));
    for policy_type in registry().all() {
        match policy_type.source {
            Source::Collection { path } | Source::Singleton { path } => add(path),
            Source::ChildrenOf { parent_path, child_path, .. } => {
                add(parent_path);
                add(child_path);
            }
        }
        let recipe = recipe(policy_type);
        let read = recipe.into_iter().flat_map(|recipe| recipe.reads_of(policy_type));
        let mut details: Vec<&'static Detail> = policy_type.details.iter().chain(read).collect();
        while let Some(detail) = details.pop() {
            add(detail.path);
            details.extend(detail.each);
        }
        recipe.and_then(|recipe| recipe.referenced).into_iter().for_each(|referenced| add(referenced.path));
        // How assignments are read below an item.
        add("assignments");
    }
    words.remove("");
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_in_paths_of_graph_are_left_out_whatever_they_look_like() {
        for (path, template) in [
            ("/v1.0/groups/8f2c1d4e-0000-4000-8000-000000000001", "/v1.0/groups/{id}"),
            (
                "/beta/deviceManagement/deviceConfigurations/secret/assignments",
                "/beta/deviceManagement/deviceConfigurations/{id}/assignments",
            ),
            (
                "/beta/deviceManagement/configurationPolicies('1f')/settings",
                "/beta/deviceManagement/configurationPolicies({id})/settings",
            ),
            ("/v1.0/users/ada@example.com", "/v1.0/{id}/{id}"),
            ("/v1.0/$batch", "/v1.0/$batch"),
            ("//v1.0//groups/", "/v1.0/groups"),
            ("/v1.0/groups%2Fsecret('x')", "/v1.0/{id}"),
            ("", ""),
        ] {
            assert_eq!(graph_path(path), template, "{path}");
        }
    }

    #[test]
    fn every_list_of_the_registry_is_named_in_full() {
        for policy_type in registry().all() {
            let path = policy_type.item_path(Some("parent-id"), "item-id").expect("a path");
            let ids = match policy_type.source {
                Source::Singleton { .. } => 0,
                Source::Collection { .. } => 1,
                Source::ChildrenOf { .. } => 2,
            };
            assert_eq!(graph_path(&path).matches("{id}").count(), ids, "{path}");
        }
    }
}
