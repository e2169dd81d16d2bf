//! `tenantatlas types`: what can be read, and what reading it takes.

use serde::Serialize;
use tenantatlas_domain::registry::{Category, PolicyType, registry};

use super::arguments::TypesArguments;
use super::output::Output;
use crate::exit::Exit;

#[derive(Serialize)]
struct TypeRow {
    key: &'static str,
    label: &'static str,
    category: &'static str,
    permission: &'static str,
    alternative_permissions: &'static [&'static str],
    foundation: bool,
    default_on: bool,
    api_version: &'static str,
    path: &'static str,
}

impl From<&PolicyType> for TypeRow {
    fn from(policy_type: &PolicyType) -> Self {
        use tenantatlas_domain::registry::Source;
        Self {
            key: policy_type.key,
            label: policy_type.label,
            category: policy_type.category.slug(),
            permission: policy_type.permission,
            alternative_permissions: policy_type.alternative_permissions,
            foundation: policy_type.foundation,
            default_on: policy_type.default_on,
            api_version: policy_type.api_version.as_str(),
            path: match policy_type.source {
                Source::Collection { path } | Source::Singleton { path } => path,
                Source::ChildrenOf { child_path, .. } => child_path,
            },
        }
    }
}

#[derive(Serialize)]
struct PermissionRow {
    permission: &'static str,
    app_role_id: &'static str,
    types: Vec<&'static str>,
}

/// Lists what the application of a tenant is asked to be permitted: the same list that its check compares and that the page
/// for a new tenant shows.
fn permissions(output: Output) -> Result<(), Exit> {
    let wanted: Vec<&'static PolicyType> = registry().default_on().collect();
    let needed = registry().types_by_permission(&wanted);
    let rows: Vec<PermissionRow> = registry()
        .connection_permissions()
        .into_iter()
        .map(|one| PermissionRow {
            permission: one.name,
            app_role_id: one.app_role_id,
            types: needed.get(one.name).into_iter().flatten().map(|policy_type| policy_type.key).collect(),
        })
        .collect();
    output.document(&rows)?;
    output.table(
        &["PERMISSION", "APP ROLE ID", "TYPES"],
        rows.iter().map(|row| {
            let types = match row.types.as_slice() {
                [] => "names only".to_owned(),
                types => types.len().to_string(),
            };
            vec![row.permission.to_owned(), row.app_role_id.to_owned(), types]
        }),
    )
}

/// Lists the registry, or the permissions that it takes.
///
/// # Errors
/// When the category is unknown (exit code 64); all categories are named then.
pub fn run(arguments: &TypesArguments, output: Output) -> Result<(), Exit> {
    if arguments.permissions {
        return permissions(output);
    }
    let category = match &arguments.category {
        None => None,
        Some(slug) => Some(slug.parse::<Category>().map_err(|_| {
            let known: Vec<_> = Category::ALL.iter().map(|category| category.slug()).collect();
            Exit::usage(format!("there is no category \"{slug}\": expected one of {}", known.join(", ")))
        })?),
    };
    let rows: Vec<TypeRow> = registry()
        .all()
        .iter()
        .filter(|policy_type| category.is_none_or(|wanted| wanted == policy_type.category))
        .map(|policy_type| TypeRow::from(*policy_type))
        .collect();
    output.document(&rows)?;
    output.table(
        &["KEY", "LABEL", "CATEGORY", "DEFAULT", "FOUNDATION", "PERMISSION"],
        rows.iter().map(|row| {
            let yes = |value: bool| if value { "yes" } else { "" }.to_owned();
            vec![
                row.key.to_owned(),
                row.label.to_owned(),
                row.category.to_owned(),
                yes(row.default_on),
                yes(row.foundation),
                row.permission.to_owned(),
            ]
        }),
    )
}
