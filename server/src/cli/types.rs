//! `tenantatlas types`: what can be read, and what reading it takes.

use super::{arguments::TypesArguments, output::Output};
use crate::exit::Exit;
use serde::Serialize;
use tenantatlas_domain::registry::{Category, PolicyType, registry};

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

/// Lists the registry.
///
/// # Errors
/// When the category is unknown (exit code 64); all categories are named then.
pub fn run(arguments: &TypesArguments, output: Output) -> Result<(), Exit> {
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
