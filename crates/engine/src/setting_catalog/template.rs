//! What templates of endpoint security call the settings of the intents that were made of them (Microsoft Graph,
//! `deviceManagementTemplate`, `deviceManagementSettingDefinition`). A definition is the same one in every template that has it.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use tenantatlas_store::setting_catalog::{NewCategory, NewDefinition};

use super::collection::said;

/// The categories of a template come with what they define.
pub(super) const QUERY: &str = "$expand=settingDefinitions";
/// Definitions that stand within each other, at most; Microsoft's are three deep.
const DEEPEST: usize = 8;
/// Properties within one definition that have names, at most.
const MOST_PROPERTIES: usize = 2_000;
/// The member of a value that names which of several kinds it is.
const IMPLEMENTATION: &str = "$implementationid";

/// A template, as the list tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Template {
    /// Its id, the same in every tenant.
    pub id: String,
    #[serde(default)]
    is_deprecated: Option<bool>,
    #[serde(default)]
    published_date_time: Option<String>,
}

/// A category of a template, with its definitions where they came along.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplateCategory {
    /// Its id.
    pub id: String,
    display_name: Option<String>,
    /// `None` where they did not come along.
    pub setting_definitions: Option<Vec<Definition>>,
    /// Where the rest of them is.
    #[serde(rename = "settingDefinitions@odata.nextLink")]
    pub next: Option<String>,
}

/// A definition of a setting of intents.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Definition {
    id: String,
    display_name: Option<String>,
    constraints: Option<Vec<Value>>,
    property_definition_ids: Option<Vec<String>>,
    element_definition_id: Option<String>,
    implementations: Option<Vec<String>>,
}

/// The newest of those that are still in use first: what they say of a definition counts.
pub(super) fn newest_first(templates: &mut [Template]) {
    templates.sort_by(|one, other| {
        let rank = |of: &Template| (of.is_deprecated == Some(true), of.published_date_time.clone());
        let ((old, at), (other_old, other_at)) = (rank(one), rank(other));
        old.cmp(&other_old).then(other_at.cmp(&at)).then_with(|| one.id.cmp(&other.id))
    });
}

impl TemplateCategory {
    /// The category itself.
    pub(super) fn category(&self) -> NewCategory {
        NewCategory { id: self.id.clone(), name: said(self.display_name.clone()).unwrap_or_default(), parent_id: None }
    }

    /// What these definitions of the category are called, and the properties in their values (`definition/property`).
    pub(super) fn named(&self, definitions: &[Definition]) -> Vec<NewDefinition> {
        let by_id: HashMap<&str, &Definition> = definitions.iter().map(|one| (one.id.as_str(), one)).collect();
        let mut found = Vec::new();
        for definition in definitions {
            let mut naming = Naming { category: &self.id, by_id: &by_id, most: MOST_PROPERTIES, found: &mut found };
            naming.add(&definition.id, definition, 0);
        }
        found
    }
}

struct Naming<'page> {
    category: &'page str,
    by_id: &'page HashMap<&'page str, &'page Definition>,
    most: usize,
    found: &'page mut Vec<NewDefinition>,
}

impl Naming<'_> {
    /// Adds a definition by the id by which bodies lead to it, and what stands in its value.
    fn add(&mut self, id: &str, definition: &Definition, depth: usize) {
        let mut options = options_of(definition);
        let element = definition.element_definition_id.as_deref().and_then(|id| self.by_id.get(id).copied());
        // The elements of a list have no name of their own.
        options.extend(element.map(options_of).unwrap_or_default());
        let name = said(definition.display_name.clone()).unwrap_or_default();
        self.push(id, &name, options);
        if depth >= DEEPEST {
            return;
        }
        self.add_properties(id, definition, depth);
        if let Some(element) = element {
            self.add_properties(id, element, depth);
        }
        let kinds = definition.implementations.iter().flatten();
        let kinds: Vec<&Definition> = kinds.filter_map(|id| self.by_id.get(id.as_str()).copied()).collect();
        if !kinds.is_empty() {
            let called = kinds.iter().filter_map(|kind| Some((kind.id.clone(), said(kind.display_name.clone())?)));
            self.push(&format!("{id}/{IMPLEMENTATION}"), &name, called.collect());
        }
        for kind in kinds {
            self.add_properties(id, kind, depth);
        }
    }

    /// The last word of the id of a property's definition is the name that it has in values.
    fn add_properties(&mut self, id: &str, definition: &Definition, depth: usize) {
        for property in definition.property_definition_ids.iter().flatten() {
            let Some(of) = self.by_id.get(property.as_str()).copied() else { continue };
            let name = property.rsplit('_').next().unwrap_or(property);
            if self.most == 0 {
                return;
            }
            self.most -= 1;
            self.add(&format!("{id}/{name}"), of, depth + 1);
        }
    }

    fn push(&mut self, id: &str, name: &str, options: HashMap<String, String>) {
        let category_id = Some(self.category.to_owned());
        self.found.push(NewDefinition { id: id.to_owned(), name: name.to_owned(), category_id, options });
    }
}

/// What the values of a definition are called that is one of several texts (`deviceManagementEnumConstraint`).
fn options_of(definition: &Definition) -> HashMap<String, String> {
    let values = definition.constraints.iter().flatten().filter_map(|constraint| constraint.get("values")?.as_array());
    let told = |value: &Value| {
        let text = value.get("value")?.as_str()?;
        // Raw, and by some accounts as JSON like the values of settings.
        let id = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
        Some((id, said(value.get("displayName")?.as_str().map(str::to_owned))?))
    };
    values.flatten().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn category(definitions: &Value) -> Vec<NewDefinition> {
        let text = json!({"id": "c", "displayName": " Drives ", "settingDefinitions": definitions}).to_string();
        let read: TemplateCategory = serde_json::from_str(&text).unwrap();
        assert_eq!((read.category().name.as_str(), &read.next), ("Drives", &None));
        read.named(read.setting_definitions.as_deref().unwrap())
    }

    fn of<'a>(named: &'a [NewDefinition], id: &str) -> &'a NewDefinition {
        let mut found = named.iter().filter(|one| one.id.eq_ignore_ascii_case(id));
        found.next().unwrap_or_else(|| panic!("{id} in {named:?}"))
    }

    #[test]
    fn what_stands_in_a_value_is_named_by_the_properties_that_lead_to_it() {
        let enumerated = json!([
            {"@odata.type": "#microsoft.graph.deviceManagementEnumConstraint",
             "values": [{"value": "blocked", "displayName": "Block"}, {"value": "\"required\"", "displayName": "Require"},
                        {"value": "nameless", "displayName": null}]},
            {"@odata.type": "#microsoft.graph.deviceManagementSettingRegexConstraint", "regularExpression": ".*"}]);
        let named = category(&json!([
            {"id": "drive", "displayName": "Drive policy", "propertyDefinitionIds": ["drive_startup", "drive_recovery", "gone"]},
            {"id": "drive_startup", "displayName": "Startup", "constraints": enumerated},
            {"id": "drive_recovery", "displayName": "Recovery", "propertyDefinitionIds": ["recovery_block"]},
            {"id": "recovery_block", "displayName": "Block agent", "constraints": null},
            {"id": "rules", "displayName": "Rules", "elementDefinitionId": "rule"},
            {"id": "rule", "displayName": "Rule", "propertyDefinitionIds": ["rule_action"]},
            {"id": "rule_action", "displayName": "Action", "constraints": enumerated},
            {"id": "words", "displayName": "Words", "elementDefinitionId": "rule_action"},
            {"id": "group", "displayName": "Group", "implementations": ["group_update"]},
            {"id": "group_update", "displayName": "Update the group", "propertyDefinitionIds": ["group_update_users"]},
            {"id": "group_update_users", "displayName": "Users"}]));
        assert_eq!(of(&named, "drive/startup").name, "Startup");
        let options = [("blocked".to_owned(), "Block".to_owned()), ("required".to_owned(), "Require".to_owned())];
        assert_eq!(of(&named, "drive/startup").options, options.clone().into());
        assert_eq!(of(&named, "words").options, options.into());
        for (id, name) in [
            ("drive/recovery/block", "Block agent"),
            ("rules/action", "Action"),
            ("group/users", "Users"),
            ("group/$implementationId", "Group"),
        ] {
            assert_eq!((of(&named, id).name.as_str(), of(&named, id).category_id.as_deref()), (name, Some("c")));
        }
        assert_eq!(of(&named, "group/$implementationId").options["group_update"], "Update the group");
    }

    #[test]
    fn definitions_that_lead_back_to_themselves_end() {
        let named = category(&json!([
            {"id": "x_a", "displayName": "A", "propertyDefinitionIds": ["x_a", "x_b"]},
            {"id": "x_b", "displayName": "B", "propertyDefinitionIds": ["x_a", "x_b"]}]));
        assert!(named.len() <= 2 * (MOST_PROPERTIES + 1), "{}", named.len());
    }

    #[test]
    fn a_template_in_use_tells_before_those_that_are_not_and_the_newer_one_before_the_older() {
        let read = |id: &str, old: bool, at: &str| {
            let text = json!({"id": id, "isDeprecated": old, "publishedDateTime": at}).to_string();
            serde_json::from_str::<Template>(&text).unwrap()
        };
        let mut all = vec![
            read("old", true, "2024-01-01T00:00:00Z"),
            read("first", false, "2020-01-01T00:00:00Z"),
            read("second", false, "2021-01-01T00:00:00Z"),
        ];
        newest_first(&mut all);
        assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["second", "first", "old"]);
    }
}
