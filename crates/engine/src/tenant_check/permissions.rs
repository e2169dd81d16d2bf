//! What the application must be permitted, and what of it the token shows.

use tenantatlas_domain::registry::{PolicyType, SIDE_PERMISSIONS, registry};
use tenantatlas_store::permissions::Permission;

/// The types for which a connection is checked.
pub(super) fn full_inventory() -> Vec<&'static PolicyType> {
    registry().default_on().collect()
}

/// Every permission that a connection is asked to have.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    registry().connection_permissions().into_iter().map(|permission| permission.name)
}

/// Each permission with the types that cannot be read without it, and whether the token has it or one that includes it.
pub(super) fn compare(granted: &[String]) -> Vec<Permission> {
    let inventory = full_inventory();
    let (needed, missing) =
        (registry().types_by_permission(&inventory), registry().missing_permissions(&inventory, granted));
    all()
        .map(|permission| {
            let types = needed.get(permission).map(Vec::as_slice);
            let aside = SIDE_PERMISSIONS.iter().find(|one| one.name == permission);
            let includes = aside.map_or(&[][..], |name| name.included_in);
            let has = match types {
                Some(_) => !missing.contains_key(permission),
                None => granted.iter().any(|given| given == permission || includes.contains(&given.as_str())),
            };
            Permission {
                permission: permission.to_owned(),
                required_by: types.unwrap_or_default().iter().map(|policy_type| policy_type.key.to_owned()).collect(),
                granted: has,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_that_includes_another_one_is_not_missing() {
        let rows = compare(&["Group.Read.All".to_owned()]);
        let of = |name: &str| rows.iter().find(|row| row.permission == name).expect("it is asked for");
        assert!(of("GroupMember.Read.All").granted);
        assert!(!of("Organization.Read.All").granted);
        assert_eq!(rows.len(), all().count());
        assert!(rows.iter().any(|row| !row.granted && !row.required_by.is_empty()));
    }
}
