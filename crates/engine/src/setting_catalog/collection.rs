//! The collections in which Microsoft publishes definitions and categories, and what their entries say.

use std::collections::HashMap;

use serde::Deserialize;
use tenantatlas_store::setting_catalog::{NewCategory, NewDefinition};

/// A page larger than this answers with faults, and skip tokens of larger ones fail (IntuneCommander, setting definitions).
pub(super) const QUERY: &str = "$top=200";

/// One collection below `deviceManagement`.
pub(super) struct Collection {
    /// Its name, which is the unit of a run.
    pub name: &'static str,
    /// The same for people.
    label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every cloud has it.
    pub required: bool,
}

/// What a collection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Definitions of settings.
    Definitions,
    /// Categories of definitions.
    Categories,
    /// Templates, each of which has categories with definitions.
    Templates,
}

const fn definitions(name: &'static str, label: &'static str, required: bool) -> Collection {
    Collection { name, label, kind: Kind::Definitions, required }
}

const fn categories(name: &'static str, label: &'static str, required: bool) -> Collection {
    Collection { name, label, kind: Kind::Categories, required }
}

/// Every collection, categories first: a definition that is shown early then has its category. The templates of intents, which
/// Microsoft gives up one after the other, are no part of every cloud.
pub(super) static COLLECTIONS: &[Collection] = &[
    categories("configurationCategories", "Categories of settings", true),
    definitions("configurationSettings", "Settings", true),
    categories("complianceCategories", "Categories of compliance settings", false),
    definitions("complianceSettings", "Compliance settings", false),
    categories("reusableCategories", "Categories of reusable settings", false),
    definitions("reusableSettings", "Reusable settings", false),
    categories("inventoryCategories", "Categories of inventory settings", false),
    definitions("inventorySettings", "Inventory settings", false),
    Collection {
        name: "templates",
        label: "Settings of endpoint security templates",
        kind: Kind::Templates,
        required: false,
    },
];

/// The name of a unit for people.
pub(super) fn label_of(unit: &str) -> String {
    COLLECTIONS.iter().find(|one| one.name == unit).map_or(unit, |one| one.label).to_owned()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionRow {
    id: String,
    display_name: Option<String>,
    name: Option<String>,
    category_id: Option<String>,
    options: Option<Vec<OptionRow>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OptionRow {
    item_id: Option<String>,
    display_name: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CategoryRow {
    id: String,
    display_name: Option<String>,
    name: Option<String>,
    parent_category_id: Option<String>,
}

pub(super) fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Reads an entry that is a definition (Microsoft Graph, `deviceManagementConfigurationSettingDefinition` and its kinds).
pub(super) fn definition(text: &str) -> Result<NewDefinition, serde_json::Error> {
    let row: DefinitionRow = serde_json::from_str(text)?;
    let options = row.options.into_iter().flatten();
    let options = options.filter_map(|option| {
        let name = said(option.display_name).or_else(|| said(option.name))?;
        Some((said(option.item_id)?, name))
    });
    Ok(NewDefinition {
        name: said(row.display_name).or_else(|| said(row.name)).unwrap_or_default(),
        category_id: said(row.category_id).filter(|id| id.bytes().any(|byte| byte.is_ascii_hexdigit() && byte != b'0')),
        options: options.collect::<HashMap<_, _>>(),
        id: row.id,
    })
}

/// Reads an entry that is a category (Microsoft Graph, `deviceManagementConfigurationCategory`). The topmost ones name an
/// all-zero category above them.
pub(super) fn category(text: &str) -> Result<NewCategory, serde_json::Error> {
    let row: CategoryRow = serde_json::from_str(text)?;
    let parent_id = said(row.parent_category_id);
    Ok(NewCategory {
        name: said(row.display_name).or_else(|| said(row.name)).unwrap_or_default(),
        parent_id: parent_id.filter(|id| *id != row.id && id.bytes().any(|byte| !matches!(byte, b'0' | b'-'))),
        id: row.id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_the_words_of_the_portal_and_an_option_without_a_name_has_none() {
        let read = definition(
            r#"{"id":"A_b","displayName":" Allow ","name":"Allow_raw","categoryId":"c1","options":[
                {"itemId":"a_b_1","displayName":"Enabled"},{"itemId":"a_b_0","displayName":null,"name":null}]}"#,
        )
        .unwrap();
        assert_eq!((read.id.as_str(), read.name.as_str(), read.category_id.as_deref()), ("A_b", "Allow", Some("c1")));
        assert_eq!(read.options, HashMap::from([("a_b_1".to_owned(), "Enabled".to_owned())]));
        let bare = definition(r#"{"id":"x","displayName":null,"name":"raw"}"#).unwrap();
        assert_eq!((bare.name.as_str(), bare.options.len()), ("raw", 0));
        assert!(definition(r#"{"displayName":"without an id"}"#).is_err());
    }

    #[test]
    fn a_topmost_category_has_nothing_above_it() {
        let read = |parent: &str| {
            category(&format!(r#"{{"id":"c","displayName":"C","parentCategoryId":{parent}}}"#)).unwrap().parent_id
        };
        assert_eq!(read("\"p\"").as_deref(), Some("p"));
        for nothing in ["null", "\"\"", "\"00000000-0000-0000-0000-000000000000\"", "\"c\""] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
