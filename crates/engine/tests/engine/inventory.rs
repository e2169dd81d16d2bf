//! What a sync finds, and what it writes.

use std::collections::{BTreeMap, BTreeSet};

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::references::TargetKind;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::sync::SyncRunStatus;
use tenantatlas_graph_sim::{Evolution, SECRET_MARK};
use tenantatlas_store::inventory::{StateFilter, history};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::support::World;

on_both_engines! {
    async fn every_object_of_every_type_is_found(test: TestDatabase) {
        let world = World::new(test, 1_500).await;
        let synced = world.sync(&World::everything()).await;
        assert_eq!(synced.troubles(), Vec::<String>::new());
        assert_eq!(synced.run.status, SyncRunStatus::Success);
        assert_eq!(synced.operation.status, OperationStatus::Completed);
        let (stored, expected) = (world.stored().await, world.expected());
        for (key, ids) in &expected {
            let empty = BTreeSet::new();
            let found = stored.get(key).unwrap_or(&empty);
            assert_eq!(found, ids, "{key}");
            assert_eq!(synced.types.get(key).map(|one| one.items), Some(ids.len() as u64), "{key}");
        }
        let total: usize = expected.values().map(BTreeSet::len).sum();
        assert_eq!(synced.run.items_observed_count, total as u64);
        assert_eq!(synced.run.items_upserted_count, total as u64);
    }

    async fn a_second_sync_of_an_unchanged_tenant_changes_nothing(test: TestDatabase) {
        let world = World::new(test, 800).await;
        let first = world.sync(&World::everything()).await;
        let before = hashes(&world).await;
        let first_quota = world.simulator.control().counts().quota;
        world.simulator.control().reset_counts();
        let second = world.sync(&World::everything()).await;
        assert_eq!(second.troubles(), Vec::<String>::new());
        let quota = world.simulator.control().counts().quota;
        assert!(quota * 2 < first_quota, "details are not read again: {first_quota} requests, then {quota}");
        assert_eq!(second.run.items_observed_count, first.run.items_observed_count);
        assert_eq!(second.run.items_upserted_count, 0);
        assert_eq!(hashes(&world).await, before);
        for row in world.items(None).await {
            let versions = history(&world.database.db, world.tenant, row.item.id).await.unwrap();
            assert_eq!(versions.len(), 1, "{} {}", row.item.policy_type, row.item.external_id);
        }
    }

    async fn time_that_passes_shows_exactly_in_what_changed(test: TestDatabase) {
        let world = World::new(test, 2_500).await;
        world.sync(&World::everything()).await;
        let before = hashes(&world).await;
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        let second = world.sync(&World::everything()).await;
        assert_eq!(second.troubles(), Vec::<String>::new());
        let after = hashes(&world).await;
        let missing: BTreeSet<_> =
            world.items(Some(StateFilter::Missing)).await.into_iter().map(|row| id(&row)).collect();
        assert_eq!(missing, all(&evolution.deleted), "deleted objects are missing");
        let added: BTreeSet<_> = after.keys().filter(|key| !before.contains_key(*key)).cloned().collect();
        assert_eq!(added, all(&evolution.added), "added objects are new");
        let changed: BTreeSet<_> = before.iter().filter(|(key, hash)| after[*key] != **hash).map(|(key, _)| key.clone()).collect();
        let Evolution { edited, renamed, reassigned, .. } = &evolution;
        let expected: BTreeSet<_> = [edited, renamed, reassigned].into_iter().flat_map(all).collect();
        assert_eq!(changed, expected, "what people changed, and no noise");
        assert_eq!(second.run.items_upserted_count, (changed.len() + added.len()) as u64);
    }

    async fn the_content_hash_does_not_depend_on_the_selection(test: TestDatabase) {
        let world = World::new(test, 400).await;
        world.sync(&World::everything()).await;
        let before = hashes(&world).await;
        for policy_type in ["groupPolicyConfiguration", "deviceCompliancePolicy", "policySet", "settingsCatalogPolicy"] {
            let synced = world.sync(&World::some(&[policy_type])).await;
            assert_eq!(synced.run.items_upserted_count, 0, "{policy_type}");
        }
        assert_eq!(hashes(&world).await, before);
    }

    async fn whoever_is_assigned_to_a_collection_or_to_somebody_else_is_not_told_as_not_assigned(test: TestDatabase) {
        let world = World::new(test, 800).await;
        world.sync(&World::everything()).await;
        let mut collections = 0;
        for row in world.items(None).await {
            let whom = row.assignments.iter().filter(|one| one.is_included() && one.target_kind != TargetKind::Application);
            let whom: Vec<_> = whom.map(|one| one.target_kind).collect();
            collections += whom.iter().filter(|kind| **kind == TargetKind::Collection).count();
            assert_eq!(row.item.assigned.unwrap_or_default(), !whom.is_empty(), "{:?}", row.item);
            let access = row.item.policy_type == "conditionalAccessPolicy";
            assert!(!access || row.item.assigned.is_some(), "conditional access tells whom it is for: {:?}", row.item);
        }
        assert!(collections > 10, "{collections} collections");
        let synced = world.sync(&World::everything()).await;
        assert_eq!(synced.run.items_upserted_count, 0, "nothing had changed");
    }

    async fn group_names_are_looked_up(test: TestDatabase) {
        let world = World::new(test, 400).await;
        world.sync(&World::everything()).await;
        let mut named = 0;
        for row in world.items(None).await {
            let db = &world.database.db;
            for link in tenantatlas_store::inventory::outgoing(db, world.tenant, row.item.id).await.unwrap() {
                if link.target_kind == TargetKind::Group {
                    assert!(link.name.is_some(), "{link:?}");
                    named += 1;
                }
            }
        }
        assert!(named > 20, "{named} groups have a name");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_reaches_a_byte_of_the_database() {
    let world = World::new(TestDatabase::sqlite().await, 1_500).await;
    world.sync(&World::everything()).await;
    world.simulator.control().evolve(&world.simulated.tenant_id, 2);
    world.sync(&World::everything()).await;
    world.engine.shutdown().await;
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.database.folder().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        looked_at += bytes.len();
        for secret in [SECRET_MARK, world.simulated.client_secret.as_str()] {
            let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
            assert_eq!(found, None, "{} holds a secret", path.display());
        }
    }
    assert!(looked_at > 500_000, "the database was looked at: {looked_at} bytes");
}

#[test]
fn the_full_inventory_is_the_default_selection() {
    let plan = Selection::full(registry()).resolve().unwrap().plan;
    assert_eq!(plan.len(), registry().default_on().count());
}

fn id(row: &tenantatlas_store::inventory::ItemRow) -> (String, String) {
    (row.item.policy_type.clone(), row.item.external_id.clone())
}

fn all(ids: &BTreeMap<String, Vec<String>>) -> BTreeSet<(String, String)> {
    ids.iter().flat_map(|(key, ids)| ids.iter().map(|id| (key.clone(), id.clone()))).collect()
}

async fn hashes(world: &World) -> BTreeMap<(String, String), String> {
    world.items(None).await.into_iter().map(|row| (id(&row), row.item.content_hash.to_string())).collect()
}
