//! What a sync finds, and what it writes.

use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::sync::SyncRunStatus;
use tenantatlas_store::testing::on_both_engines;

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
            let empty = std::collections::BTreeSet::new();
            let found = stored.get(key).unwrap_or(&empty);
            assert_eq!(found, ids, "{key}");
            assert_eq!(synced.types.get(key).map(|one| one.items), Some(ids.len() as u64), "{key}");
        }
        let total: usize = expected.values().map(|ids| ids.len()).sum();
        assert_eq!(synced.run.items_observed_count, total as u64);
        assert_eq!(synced.run.items_upserted_count, total as u64);
    }
}
