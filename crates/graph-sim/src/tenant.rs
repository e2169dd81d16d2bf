//! The objects of one tenant: how many there are, which were changed, and which ids they have. None is held in memory;
//! only what differs from the seed is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::audit::{Records, now_ms};
use crate::catalogue::{IdForm, Kind, RESOURCES, Resource};
use crate::config::SimTenant;
use crate::identity::{mix, read_guid, write_guid};

/// The number of a kind over all resources.
pub type KindNumber = u16;

/// Groups have a kind number of their own, beyond those of the catalogue.
pub const GROUPS: KindNumber = 4_000;
/// The id of the group that [`SimTenant::large_group`] speaks of.
#[must_use]
pub fn large_group_id(tenant: &SimTenant) -> String {
    let mut out = Vec::with_capacity(48);
    write_guid(&mut out, tenant.seed, GROUPS, 0);
    String::from_utf8(out).unwrap_or_default()
}

/// Children that exist only below a parent.
pub const CHILDREN: KindNumber = 3_000;

/// How often an object was changed since the seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Edits of its content.
    pub edits: u32,
    /// New names.
    pub renames: u32,
    /// New assignments.
    pub assignments: u32,
    /// Changes without meaning.
    pub volatile: u32,
    /// When its content or its name was last changed, in seconds since 1970; 0 when it never was.
    pub modified_at: u64,
}

/// What one step of time did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Evolution {
    /// Ids of new objects by key.
    pub added: BTreeMap<String, Vec<String>>,
    /// Ids of edited objects by key.
    pub edited: BTreeMap<String, Vec<String>>,
    /// Ids of renamed objects by key.
    pub renamed: BTreeMap<String, Vec<String>>,
    /// Ids of objects with other assignments by key.
    pub reassigned: BTreeMap<String, Vec<String>>,
    /// Ids of deleted objects by key.
    pub deleted: BTreeMap<String, Vec<String>>,
    /// Ids of objects of which only noise changed by key.
    pub noisy: BTreeMap<String, Vec<String>>,
    /// Objects that became another type under the same name; they are among the deleted and the added, too.
    pub migrated: Vec<Migration>,
}

/// An object that was replaced by one of another type with the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// The type it had.
    pub from_type: String,
    /// The id it had; no object has it any more.
    pub from_id: String,
    /// The type it has now.
    pub to_type: String,
    /// The id it has now.
    pub to_id: String,
}

/// One tenant.
#[derive(Debug)]
pub struct TenantState {
    /// Its configuration.
    pub config: SimTenant,
    counts: Vec<u64>,
    first_counts: Vec<u64>,
    changes: HashMap<(KindNumber, u64), Changes>,
    deleted: BTreeMap<KindNumber, BTreeSet<u64>>,
    /// Who has the name of an object of another kind.
    names: HashMap<(KindNumber, u64), (KindNumber, u64)>,
    step: u64,
    /// What was done since it was made.
    history: Vec<Step>,
    /// What its audit logs tell.
    pub records: Records,
}

/// Something that happened in a tenant: with the same ones a tenant of the same seed is the same again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When it was, in milliseconds since 1970.
    pub at_ms: u64,
    /// The one object that was edited, by the key of its kind and its id; time passed where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<(String, String)>,
}

/// Every kind with its resource, in number order.
pub fn kinds() -> impl Iterator<Item = (KindNumber, &'static Resource, &'static Kind)> {
    RESOURCES
        .iter()
        .flat_map(|resource| resource.kinds.iter().map(move |kind| (resource, kind)))
        .zip(0..)
        .map(|((resource, kind), number)| (number, resource, kind))
}

/// The number of the kind with a key.
#[must_use]
pub fn number_of(key: &str) -> Option<KindNumber> {
    static NUMBERS: LazyLock<HashMap<&'static str, KindNumber>> =
        LazyLock::new(|| kinds().map(|(number, _, kind)| (kind.key, number)).collect());
    NUMBERS.get(key).copied()
}

/// The kind with a number.
#[must_use]
pub fn kind_of(number: KindNumber) -> Option<&'static Kind> {
    static KINDS: LazyLock<Vec<&'static Kind>> = LazyLock::new(|| kinds().map(|(_, _, kind)| kind).collect());
    KINDS.get(usize::from(number)).copied()
}

/// How objects of the kind with a number are identified.
#[must_use]
pub fn form_of(number: KindNumber) -> IdForm {
    kind_of(number).map_or(IdForm::Guid, |kind| kind.id)
}

/// The first kind number of a resource.
#[must_use]
pub fn first_number(resource: &Resource) -> KindNumber {
    number_of(resource.kinds[0].key).unwrap_or(0)
}

impl TenantState {
    /// A tenant as its seed makes it.
    #[must_use]
    pub fn new(config: SimTenant) -> Self {
        let total: u64 = kinds().filter(|(_, resource, _)| !resource.single).map(|(_, _, kind)| kind.weight).sum();
        let mut counts: Vec<u64> = kinds()
            .map(
                |(_, resource, kind)| {
                    if resource.single { 1 } else { (config.objects * kind.weight / total).clamp(1, kind.most) }
                },
            )
            .collect();
        let sum: u64 = counts.iter().sum();
        // What rounding and the limits leave over are settings catalogue policies and apps.
        let rest = config.objects.saturating_sub(sum);
        for (key, share) in [("settingsCatalogPolicy", rest - rest / 3), ("mobileApp", rest / 3)] {
            if let Some(number) = number_of(key) {
                counts[usize::from(number)] += share;
            }
        }
        let mut deleted: BTreeMap<KindNumber, BTreeSet<u64>> = BTreeMap::new();
        if !config.push_certificate
            && let Some(number) = number_of("applePushCertificate")
        {
            deleted.entry(number).or_default().insert(0);
        }
        let first_counts = counts.clone();
        let (changes, names, records) = (HashMap::new(), HashMap::new(), Records::default());
        let mut state =
            Self { config, counts, first_counts, changes, deleted, names, step: 0, history: Vec::new(), records };
        state.begin_history(now_ms());
        state
    }

    /// Indexes of a kind that were ever used; the deleted among them are gone.
    #[must_use]
    pub fn extent(&self, kind: KindNumber) -> u64 {
        self.counts.get(usize::from(kind)).copied().unwrap_or(0)
    }

    /// Indexes of a kind that were used when the tenant was made: what objects refer to is chosen among these, so that
    /// a new object of one kind changes no reference of another.
    #[must_use]
    pub fn first_extent(&self, kind: KindNumber) -> u64 {
        self.first_counts.get(usize::from(kind)).copied().unwrap_or(0)
    }

    /// Groups that assignments speak of.
    #[must_use]
    pub fn groups(&self) -> u64 {
        40 + self.config.objects / 500
    }

    /// Whether an object exists now.
    #[must_use]
    pub fn exists(&self, kind: KindNumber, index: u64) -> bool {
        index < self.extent(kind) && !self.deleted.get(&kind).is_some_and(|deleted| deleted.contains(&index))
    }

    /// How many objects of a kind exist now.
    #[must_use]
    pub fn present(&self, kind: KindNumber) -> u64 {
        self.extent(kind) - self.deleted.get(&kind).map_or(0, |deleted| deleted.len() as u64)
    }

    /// How an object differs from its seed.
    #[must_use]
    pub fn changes(&self, kind: KindNumber, index: u64) -> Changes {
        self.changes.get(&(kind, index)).copied().unwrap_or_default()
    }

    /// Whose name an object has: its own, unless it was migrated.
    #[must_use]
    pub fn named_after(&self, kind: KindNumber, index: u64) -> (KindNumber, u64) {
        self.names.get(&(kind, index)).copied().unwrap_or((kind, index))
    }

    /// How many steps of time have passed.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Writes the id of an object.
    pub fn write_id(&self, out: &mut Vec<u8>, number: KindNumber, form: IdForm, index: u64) {
        let seed = self.config.seed;
        match form {
            IdForm::Guid => write_guid(out, seed, number, index),
            IdForm::Prefixed(prefix) => {
                out.extend_from_slice(prefix.as_bytes());
                write_guid(out, seed, number, index);
            }
            IdForm::Suffixed(suffix) => {
                write_guid(out, seed, number, index);
                out.extend_from_slice(suffix.as_bytes());
            }
            IdForm::Integer => out.extend_from_slice(index.to_string().as_bytes()),
            IdForm::Context => out.extend_from_slice(format!("c{}", index + 1).as_bytes()),
            IdForm::Fixed(text) => out.extend_from_slice(text.as_bytes()),
        }
    }

    /// The id of an object as text.
    #[must_use]
    pub fn id(&self, number: KindNumber, form: IdForm, index: u64) -> String {
        let mut out = Vec::with_capacity(48);
        self.write_id(&mut out, number, form, index);
        String::from_utf8(out).unwrap_or_default()
    }

    /// The object of a resource with an id.
    #[must_use]
    pub fn find(&self, resource: &'static Resource, id: &str) -> Option<(KindNumber, &'static Kind, u64)> {
        resource.kinds.iter().zip(first_number(resource)..).find_map(|(kind, number)| {
            let index = match kind.id {
                IdForm::Guid => read_guid(self.config.seed, id).filter(|found| found.0 == number)?.1,
                IdForm::Prefixed(prefix) => {
                    read_guid(self.config.seed, id.strip_prefix(prefix)?).filter(|found| found.0 == number)?.1
                }
                IdForm::Suffixed(suffix) => {
                    read_guid(self.config.seed, id.strip_suffix(suffix)?).filter(|found| found.0 == number)?.1
                }
                IdForm::Integer => id.parse().ok()?,
                IdForm::Context => id.strip_prefix('c')?.parse::<u64>().ok()?.checked_sub(1)?,
                IdForm::Fixed(text) => (text == id).then_some(0)?,
            };
            self.exists(number, index).then_some((number, kind, index))
        })
    }

    /// The ids of all objects that exist now, by key. Children of parents are under their own keys.
    #[must_use]
    pub fn expected(&self) -> BTreeMap<String, Vec<String>> {
        let mut expected = BTreeMap::new();
        for (number, resource, kind) in kinds() {
            let ids: Vec<String> = (0..self.extent(number))
                .filter(|index| self.exists(number, *index))
                .map(|index| {
                    // Singletons without an id of their own are known by their key.
                    let id = self.id(number, kind.id, index);
                    if resource.single && id.is_empty() { kind.key.to_owned() } else { id }
                })
                .collect();
            expected.insert(kind.key.to_owned(), ids);
        }
        let tokens = number_of("appleEnrollmentToken").map_or(0, |number| self.extent(number));
        let profiles = (0..tokens * 2).map(|index| self.id(CHILDREN, IdForm::Guid, index)).collect();
        expected.insert("appleEnrollmentProfile".to_owned(), profiles);
        expected.insert("organizationBranding".to_owned(), vec!["0".to_owned(), "de-DE".to_owned()]);
        expected
    }

    /// How many objects of each collection exist now, by path.
    #[must_use]
    pub fn holdings(&self) -> Vec<(&'static str, u64)> {
        let of = |resource: &'static Resource| {
            let numbers = (first_number(resource)..).take(resource.kinds.len());
            (resource.path, numbers.map(|number| self.present(number)).sum())
        };
        RESOURCES.iter().map(of).collect()
    }

    /// Lets time pass: in each step every larger kind has an object added, edited, renamed, reassigned, deleted, and
    /// one of which only noise changes. Tells what happened.
    pub fn evolve(&mut self, steps: u64) -> Vec<Evolution> {
        (0..steps).map(|_| self.go(Step { at_ms: now_ms(), edited: None })).collect()
    }

    /// Lets somebody edit one object now, by the key of its kind and its id; nothing happens where there is none.
    pub fn edit(&mut self, key: &str, id: &str) -> Evolution {
        self.go(Step { at_ms: now_ms(), edited: Some((key.to_owned(), id.to_owned())) })
    }

    /// What happened since the tenant was made.
    #[must_use]
    pub fn history(&self) -> &[Step] {
        &self.history
    }

    /// Lets happen what happened in a tenant of the same seed.
    pub fn replay(&mut self, history: &[Step]) {
        for step in history {
            self.go(step.clone());
        }
    }

    fn go(&mut self, step: Step) -> Evolution {
        let at = step.at_ms / 1_000;
        let told = match &step.edited {
            None => self.evolve_once(at),
            Some((key, id)) => self.edit_once(key, id, at),
        };
        self.write_down(&told, step.at_ms);
        self.history.push(step);
        told
    }

    fn edit_once(&mut self, key: &str, id: &str, at: u64) -> Evolution {
        self.step += 1;
        let mut told = Evolution::default();
        let place = kinds().find(|(_, _, kind)| kind.key == key).and_then(|(number, resource, _)| {
            let (found, _, index) = self.find(resource, id)?;
            (found == number && self.exists(number, index)).then_some((number, index))
        });
        if let Some((number, index)) = place {
            self.touched(number, index, at).edits += 1;
            told.edited.insert(key.to_owned(), vec![id.to_owned()]);
        }
        told
    }

    fn touched(&mut self, kind: KindNumber, index: u64, at: u64) -> &mut Changes {
        let changes = self.changes.entry((kind, index)).or_default();
        // Never the same twice: the time is what tells a client that something changed.
        changes.modified_at = at.max(changes.modified_at + 1);
        changes
    }

    fn evolve_once(&mut self, at: u64) -> Evolution {
        self.step += 1;
        let mut told = Evolution::default();
        for (number, resource, kind) in kinds() {
            let extent = self.extent(number);
            if resource.single || extent < 12 || kind.id == IdForm::Integer || kind.id == IdForm::Context {
                continue;
            }
            let mut free = {
                let step = self.step;
                let seed = self.config.seed;
                let mut used = BTreeSet::new();
                move |state: &Self, salt: u64| {
                    (0..extent)
                        .map(|attempt| mix(seed ^ step, u64::from(number) << 8 | salt, attempt) % extent)
                        .find(|index| state.exists(number, *index) && used.insert(*index))
                }
            };
            let id = |state: &Self, index| state.id(number, kind.id, index);
            if let Some(index) = free(self, 1) {
                self.touched(number, index, at).edits += 1;
                told.edited.entry(kind.key.to_owned()).or_default().push(id(self, index));
            }
            if !kind.name.is_empty()
                && let Some(index) = free(self, 2)
            {
                self.touched(number, index, at).renames += 1;
                told.renamed.entry(kind.key.to_owned()).or_default().push(id(self, index));
            }
            if kind.assigned
                && let Some(index) = free(self, 3)
            {
                self.changes.entry((number, index)).or_default().assignments += 1;
                told.reassigned.entry(kind.key.to_owned()).or_default().push(id(self, index));
            }
            if let Some(index) = free(self, 4) {
                self.changes.entry((number, index)).or_default().volatile += 1;
                told.noisy.entry(kind.key.to_owned()).or_default().push(id(self, index));
            }
            // A filter that is in use cannot be deleted.
            if kind.key != "assignmentFilter"
                && let Some(index) = free(self, 5)
            {
                self.deleted.entry(number).or_default().insert(index);
                told.deleted.entry(kind.key.to_owned()).or_default().push(id(self, index));
            }
            self.counts[usize::from(number)] += 1;
            told.added.entry(kind.key.to_owned()).or_default().push(id(self, extent));
        }
        if let Some(migration) = self.migrate("endpointSecurityIntent", "endpointSecurityPolicy") {
            told.deleted.entry(migration.from_type.clone()).or_default().push(migration.from_id.clone());
            told.added.entry(migration.to_type.clone()).or_default().push(migration.to_id.clone());
            told.migrated.push(migration);
        }
        told
    }

    /// Replaces one object of a kind by one of another kind with the same name.
    fn migrate(&mut self, from: &str, to: &str) -> Option<Migration> {
        let (from_number, to_number) = (number_of(from)?, number_of(to)?);
        let extent = self.extent(from_number);
        if extent < 12 {
            return None;
        }
        let touched = |state: &Self, index| state.changes.contains_key(&(from_number, index));
        let from_index = (0..extent).find(|index| self.exists(from_number, *index) && !touched(self, *index))?;
        let to_index = self.extent(to_number);
        self.counts[usize::from(to_number)] += 1;
        self.deleted.entry(from_number).or_default().insert(from_index);
        self.names.insert((to_number, to_index), (from_number, from_index));
        Some(Migration {
            from_type: from.to_owned(),
            from_id: self.id(from_number, form_of(from_number), from_index),
            to_type: to.to_owned(),
            to_id: self.id(to_number, form_of(to_number), to_index),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_as_many_objects_as_were_asked_for_at_any_size() {
        for objects in [1_200, 100_000, 1_000_000] {
            let tenant = TenantState::new(SimTenant::new("Contoso", 1, objects));
            let present: u64 = kinds().map(|(number, _, _)| tenant.present(number)).sum();
            assert_eq!(present, objects);
            assert!(kinds().all(|(number, _, _)| tenant.present(number) > 0));
        }
    }

    #[test]
    fn the_same_seed_has_the_same_future() {
        let evolved = || {
            let mut tenant = TenantState::new(SimTenant::new("Contoso", 3, 2_000));
            let told = tenant.evolve(4);
            (serde_json::to_string(&told).ok(), tenant.expected())
        };
        assert_eq!(evolved(), evolved());
    }

    #[test]
    fn a_tenant_that_starts_again_is_as_it_was_once_its_history_is_replayed() {
        let new = || TenantState::new(SimTenant::new("Contoso", 3, 2_000));
        let mut tenant = new();
        tenant.evolve(2);
        let id = tenant.expected()["settingsCatalogPolicy"][5].clone();
        assert_eq!(tenant.edit("settingsCatalogPolicy", &id).edited["settingsCatalogPolicy"], [id]);
        assert_eq!(tenant.edit("settingsCatalogPolicy", "nothing"), Evolution::default());
        let mut again = new();
        again.replay(tenant.history());
        assert_eq!(
            (again.expected(), &again.changes, again.history()),
            (tenant.expected(), &tenant.changes, tenant.history())
        );
    }
}
