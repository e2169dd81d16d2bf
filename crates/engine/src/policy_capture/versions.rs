//! From objects that were read to versions: their bodies, what is new in them, and their seals.

use std::collections::HashMap;
use std::sync::Arc;

use tenantatlas_domain::body::{Body, Slot};
use tenantatlas_domain::canonical::write_canonical;
use tenantatlas_domain::ids::{TenantId, VersionId};
use tenantatlas_domain::normalise::{ContentHash, NORMALISER_VERSION, Normaliser};
use tenantatlas_domain::registry::{PolicyType, Source};
use tenantatlas_domain::sanitise::display_name_of;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_runs::RunContext;
use tenantatlas_store::policies::{self, Capture, Checked, CountedItems, Known, NewVersion, SealedSlot, TenantKey};
use tenantatlas_store::{StoreError, with_retries};
use uuid::Uuid;

use super::Sources;
use super::target::{State, Target, Wanted};
use crate::setting_search;

/// What another capture recorded meanwhile is compared with anew, so often.
const MOST_ATTEMPTS: usize = 5;

/// The content hash that no object has: what was not read whole is read again the next time.
const UNKNOWN: (ContentHash, u32) = (ContentHash([0; 32]), 0);

/// What makes versions of the objects of one tenant.
pub(super) struct Versions {
    pub sources: Arc<Sources>,
    pub context: Arc<RunContext>,
    pub capture: Capture,
    pub normaliser: Normaliser,
    pub key: TenantKey,
}

/// An object with its body, sealed and ready to be a version.
struct Made {
    wanted: Wanted,
    /// The name that the object has now.
    display_name: String,
    body: Body,
    sealed: Vec<SealedSlot>,
}

impl Versions {
    fn tenant(&self) -> TenantId {
        self.capture.tenant_id
    }

    /// Makes versions of those of the objects that were read and have changed, and counts all of them.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub(super) async fn keep(
        &self,
        policy_type: &'static PolicyType,
        targets: Vec<Target>,
        read_at: Timestamp,
    ) -> Result<CountedItems, StoreError> {
        let mut counted = CountedItems { asked: targets.len() as u64, ..CountedItems::default() };
        let mut read = Vec::with_capacity(targets.len());
        for target in targets {
            match target.state {
                State::Read => read.push(target),
                State::Gone => counted.gone += 1,
                State::Failed(_) => counted.failed += 1,
            }
        }
        counted.captured = read.len() as u64;
        let (normaliser, key) = (self.normaliser.clone(), self.key.clone());
        let made = self.compute(move || make(&normaliser, &key, read)).await?;
        counted.partial = made.iter().filter(|one| !one.body.lacks.is_empty()).count() as u64;
        for _ in 0..MOST_ATTEMPTS {
            let kept = || self.try_keep(policy_type, &made, counted, read_at);
            if let Some(counted) = with_retries(StoreError::is_transient, kept).await? {
                return Ok(counted);
            }
        }
        Err(StoreError::Busy)
    }

    /// Counts objects that were not read.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or when the database fails.
    pub(super) async fn count(
        &self,
        policy_type: &'static PolicyType,
        counted: &CountedItems,
    ) -> Result<(), StoreError> {
        let count = || async {
            let mut tx = self.sources.db.write().await?;
            let (fence, at) = (self.context.fence(), self.context.now());
            policies::record(&mut tx, fence, &self.capture, policy_type.key, &[], counted, at).await?;
            tx.commit().await
        };
        with_retries(StoreError::is_transient, count).await
    }

    /// Compares with the latest versions and records. `None` when another capture recorded one of the objects meanwhile.
    async fn try_keep(
        &self,
        policy_type: &'static PolicyType,
        made: &[Made],
        mut counted: CountedItems,
        read_at: Timestamp,
    ) -> Result<Option<CountedItems>, StoreError> {
        let ids: Vec<String> = made.iter().map(|one| one.wanted.external_id.clone()).collect();
        let mut known = policies::known_of(&self.sources.db, self.tenant(), policy_type.key, &ids).await?;
        self.renew_hashes(policy_type, &mut known).await?;
        let mut checked = Vec::with_capacity(made.len());
        for one in made {
            let before = known.get(&one.wanted.external_id);
            let differs = before.is_none_or(|before| one.body.differs_from(&before.slots, &before.version.lacks));
            // What an earlier attempt at this capture made is of this capture.
            if differs || before.is_some_and(|before| before.version.capture_id == self.capture.id) {
                counted.created += 1;
            } else {
                counted.unchanged += 1;
            }
            checked.push(one.checked(policy_type, before, differs, read_at));
        }
        let kept = checked.iter().filter(|one| one.version.is_some()).map(|one| one.external_id.clone()).collect();
        let at = self.context.now();
        let mut tx = self.sources.db.write().await?;
        let fence = self.context.fence();
        if !policies::record(&mut tx, fence, &self.capture, policy_type.key, &checked, &counted, at).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        tx.commit().await?;
        self.make_searchable(policy_type, kept).await;
        Ok(Some(counted))
    }

    /// Makes the settings of versions searchable that were kept. What fails here housekeeping does later: it stands in the
    /// database that it is due.
    async fn make_searchable(&self, policy_type: &'static PolicyType, kept: Vec<String>) {
        let (of, now) = ((self.tenant(), policy_type.key), self.context.now());
        if let Err(error) = setting_search::index_kept(&self.sources.db, &self.key, of, &kept, now).await {
            tracing::warn!(%error, policy_type = policy_type.key, "settings become searchable later");
        }
    }

    /// Gives versions that were made under other rules of comparing the hashes that they have under those of today: new rules
    /// alone make no version.
    async fn renew_hashes(
        &self,
        policy_type: &'static PolicyType,
        known: &mut HashMap<String, Known>,
    ) -> Result<(), StoreError> {
        for one in known.values_mut().filter(|one| one.version.normaliser_version != NORMALISER_VERSION) {
            let opened = policies::open_slots(&self.sources.db, &self.key, self.tenant(), one.version.id).await?;
            let normaliser = self.normaliser.clone();
            let hash = move || {
                let slots = opened.into_iter();
                let slots = slots.map(|slot| Slot::of(&normaliser, policy_type, &slot.name, slot.value));
                slots.map(|slot| (slot.name, slot.content_hash)).collect()
            };
            one.slots = self.compute(hash).await;
        }
        Ok(())
    }

    /// Runs a computation away from the threads that wait for the network.
    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _processor = self.sources.processors.acquire().await;
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going down; this task goes with it.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl Made {
    fn checked(
        &self,
        policy_type: &'static PolicyType,
        before: Option<&Known>,
        differs: bool,
        read_at: Timestamp,
    ) -> Checked {
        let whole = self.body.lacks.iter().all(|lack| lack.slot().is_none());
        Checked {
            external_id: self.wanted.external_id.clone(),
            item: if whole { self.wanted.item } else { UNKNOWN },
            read_at,
            compared_with: before.map(|before| before.version.id),
            version: differs.then(|| self.version(policy_type)),
        }
    }

    fn version(&self, policy_type: &'static PolicyType) -> NewVersion {
        NewVersion {
            id: VersionId::from_uuid(Uuid::now_v7()),
            display_name: self.display_name.clone(),
            api_version: policy_type.api_version.as_str(),
            collection: collection(policy_type, self.wanted.parent.as_deref()),
            odata_type: self.body.odata_type.clone(),
            completeness: self.body.completeness(),
            lacks: self.body.lacks.clone(),
            content_hash: self.body.content_hash,
            normaliser_version: NORMALISER_VERSION,
            settings: self.body.settings,
            withheld: self.body.withheld,
            slots: self.sealed.clone(),
        }
    }
}

/// The collection that an object was read from, below the version.
fn collection(policy_type: &PolicyType, parent: Option<&str>) -> String {
    match (policy_type.source, parent) {
        (Source::Collection { path } | Source::Singleton { path }, _) => path.to_owned(),
        (Source::ChildrenOf { parent_path, child_path, .. }, Some(parent)) => {
            format!("{parent_path}/{parent}/{child_path}")
        }
        (Source::ChildrenOf { parent_path, child_path, .. }, None) => format!("{parent_path}/{child_path}"),
    }
}

/// The bodies of objects, each slot of them sealed.
fn make(normaliser: &Normaliser, key: &TenantKey, read: Vec<Target>) -> Result<Vec<Made>, StoreError> {
    read.into_iter()
        .map(|target| {
            let Target { policy_type, recipe, wanted, object, refused, .. } = target;
            let named = display_name_of(policy_type, &object);
            let display_name = if named.is_empty() { wanted.display_name.clone() } else { named };
            let body = Body::of(normaliser, policy_type, recipe, object, &refused);
            let mut sealed = Vec::with_capacity(body.slots.len());
            let mut text = Vec::new();
            for slot in &body.slots {
                text.clear();
                write_canonical(&slot.value, &mut text);
                let (name, content_hash) = (slot.name.clone(), slot.content_hash);
                sealed.push(SealedSlot { name, content_hash, sealed: key.seal(&text)? });
            }
            Ok(Made { wanted, display_name, body, sealed })
        })
        .collect()
}
