//! The policy types: what can be read from a tenant and how.
//!
//! One table per category, in the files below. A row tells where the objects are, which permission reading takes, how a
//! shared collection is split, which properties may be kept as metadata, which say nothing when they change, and where
//! an object points to others. The facts come from `docs/graph.md`; a row that only the published metadata or a
//! documentation page vouches for is off by default.

mod administration;
mod alias;
mod apps;
mod category;
mod cloud_pc;
mod compliance;
mod configuration;
mod detail;
mod endpoint_security;
mod enrolment;
mod entra;
mod listing;
mod meta_field;
mod odata;
mod permission;
mod platform;
mod policy_type;
mod portal;
mod recipe;
mod recipes;
mod reference_rule;
mod scripts;
mod updates;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

pub use alias::aliases;
pub use category::{Category, UnknownCategory};
pub use detail::{Detail, DetailShape};
pub use listing::{Listing, Split};
pub use meta_field::{MetaField, MetaKind};
pub(crate) use odata::odata_type;
pub use permission::{AppPermission, GRAPH_APP_ID, SIDE_PERMISSIONS, SidePermission, app_permission};
pub use platform::{Platform, PlatformRule, UnknownPlatform, platform_of};
pub use policy_type::{
    ApiVersion, Assignments, Feature, PARENT_ID_PROPERTY, PolicyType, Source, attach_parent, continuations, revision_of,
};
pub use portal::{Portal, PortalCloud, PortalLink, PortalPage, PortalSite, group_page, portal};
pub use recipe::{Recipe, Referenced, RestoreClass, Script, UnknownRestoreClass};
pub use recipes::recipe;
pub use reference_rule::{ReferenceRule, ReferenceTarget};

/// Every policy type, with the ways to find one.
#[derive(Debug)]
pub struct Registry {
    types: Vec<&'static PolicyType>,
    by_key: HashMap<&'static str, &'static PolicyType>,
    listings: Vec<Listing>,
}

/// The registry. It is built once and never changes while the program runs.
#[must_use]
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::build);
    &REGISTRY
}

impl Registry {
    fn build() -> Self {
        let tables: [&'static [PolicyType]; 10] = [
            configuration::TYPES,
            endpoint_security::TYPES,
            compliance::TYPES,
            updates::TYPES,
            scripts::TYPES,
            enrolment::TYPES,
            apps::TYPES,
            administration::TYPES,
            cloud_pc::TYPES,
            entra::TYPES,
        ];
        let types: Vec<&'static PolicyType> = tables.into_iter().flatten().collect();
        let by_key = types.iter().map(|policy_type| (policy_type.key, *policy_type)).collect();
        let mut listings: Vec<Listing> = Vec::new();
        for policy_type in &types {
            match listings.iter_mut().find(|listing| listing.serves(policy_type)) {
                Some(listing) => listing.add(policy_type),
                None => listings.push(Listing::of(policy_type)),
            }
        }
        Self { types, by_key, listings }
    }

    /// Every type, on by default or not, in a fixed order.
    #[must_use]
    pub fn all(&self) -> &[&'static PolicyType] {
        &self.types
    }

    /// The type with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'static PolicyType> {
        self.by_key.get(key).copied()
    }

    /// The foundations that are on by default.
    pub fn foundations(&self) -> impl Iterator<Item = &'static PolicyType> + '_ {
        self.default_on().filter(|policy_type| policy_type.foundation)
    }

    /// The types of the full inventory.
    pub fn default_on(&self) -> impl Iterator<Item = &'static PolicyType> + '_ {
        self.types.iter().copied().filter(|policy_type| policy_type.default_on)
    }

    /// The listings that must be read for `wanted`, each once. A listing keeps
    /// *all* its types, so that each object is given to its own type; the caller
    /// keeps what it wanted.
    #[must_use]
    pub fn listings_for(&self, wanted: &[&PolicyType]) -> Vec<Listing> {
        self.listings
            .iter()
            .filter(|listing| wanted.iter().any(|policy_type| listing.serves(policy_type)))
            .cloned()
            .collect()
    }

    /// The position of the listing that serves a type, among all listings. Types with the same one are read by the same
    /// requests.
    #[must_use]
    pub fn listing_of(&self, policy_type: &PolicyType) -> Option<usize> {
        self.listings.iter().position(|listing| listing.serves(policy_type))
    }

    /// The sum of what was counted per type over what was read: types that share a listing were read by the same requests,
    /// each of which was counted with all of them and counts once. Keys that the registry does not know count by themselves.
    #[must_use]
    pub fn sum_over_listings<'a>(&self, counts: impl IntoIterator<Item = (&'a str, u64)>) -> u64 {
        let mut unknown = 0_u64;
        let mut by_listing: BTreeMap<usize, u64> = BTreeMap::new();
        for (key, count) in counts {
            match self.get(key).and_then(|policy_type| self.listing_of(policy_type)) {
                Some(listing) => {
                    let most = by_listing.entry(listing).or_default();
                    *most = count.max(*most);
                }
                None => unknown = unknown.saturating_add(count),
            }
        }
        by_listing.into_values().fold(unknown, u64::saturating_add)
    }

    /// The permissions that the application of a tenant is asked to have: what the types of the full inventory need, by
    /// name, then what only looks up names or reads logs.
    #[must_use]
    pub fn connection_permissions(&self) -> Vec<AppPermission> {
        let wanted: Vec<&'static PolicyType> = self.default_on().collect();
        let needed = self.types_by_permission(&wanted);
        let aside = SIDE_PERMISSIONS.iter().map(|one| one.name).filter(|name| !needed.contains_key(name));
        needed.keys().copied().chain(aside).filter_map(app_permission).collect()
    }

    /// Which of `wanted` need which permission: first the least permission of
    /// each type, then its types in registry order.
    #[must_use]
    pub fn types_by_permission(
        &self,
        wanted: &[&'static PolicyType],
    ) -> BTreeMap<&'static str, Vec<&'static PolicyType>> {
        let mut permissions: BTreeMap<&'static str, Vec<&'static PolicyType>> = BTreeMap::new();
        for policy_type in &self.types {
            if wanted.iter().any(|other| other.key == policy_type.key) {
                permissions.entry(policy_type.permission).or_default().push(policy_type);
            }
        }
        permissions
    }

    /// The permissions missing from `granted` (the roles of the app's token),
    /// each with those of `wanted` that cannot be read without it. A type that an
    /// alternative permission lets through is not listed.
    #[must_use]
    pub fn missing_permissions(
        &self,
        wanted: &[&'static PolicyType],
        granted: &[impl AsRef<str>],
    ) -> BTreeMap<&'static str, Vec<&'static PolicyType>> {
        let refused: Vec<_> =
            wanted.iter().copied().filter(|policy_type| !policy_type.is_permitted_by(granted)).collect();
        self.types_by_permission(&refused)
    }
}

#[cfg(test)]
mod tests;
