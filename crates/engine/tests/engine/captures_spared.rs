//! What a capture need not read, since a sync has just seen it.

use std::collections::BTreeSet;

use tenantatlas_domain::registry::{recipe, registry};
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::CaptureOf;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::captures::all;
use crate::support::World;

on_both_engines! {
    async fn a_capture_of_what_a_sync_has_just_seen_unchanged_costs_a_tenth_at_most_and_misses_nothing(test: TestDatabase) {
        let world = World::new(test, 900).await;
        // What is on by default: of types that nobody has confirmed some are read by captures alone.
        let usual = Selection::full(registry());
        let items = world.sync(&usual).await.run.items_observed_count;
        let quota = || world.simulator.control().counts().quota;
        world.simulator.control().reset_counts();
        let first = world.capture_all().await;
        let cost = quota();
        world.sync(&usual).await;
        world.simulator.control().reset_counts();
        let second = world.capture_all().await;
        assert_eq!(second.troubles(), Vec::<String>::new());
        assert_eq!((second.sum(|one| one.unchanged), second.sum(|one| one.created)), (items, 0));
        let requests = (first.capture.requests, second.capture.requests);
        assert!(quota() * 10 <= cost, "{} after {cost} of the quota, {requests:?} requests", quota());
        // By HTTP it is more: what is left of twenty objects goes in as many batches as that of all of them did.
        assert!(requests.1 * 5 <= requests.0, "{requests:?} requests, {} after {cost} of the quota", quota());
        // What no sync has looked at since is read, whatever the inventory thinks of it.
        let again = world.capture_all().await;
        assert!(again.capture.requests * 2 > requests.1, "{}", again.capture.requests);
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        world.sync(&usual).await;
        let moved = world.capture_all().await;
        let changed = [&evolution.edited, &evolution.renamed, &evolution.reassigned, &evolution.added];
        let is_read = |key: &str| registry().get(key).is_some_and(|known| known.default_on);
        let expected: BTreeSet<_> = changed.into_iter().flat_map(all).filter(|(key, _)| is_read(key)).collect();
        assert_eq!(moved.sum(|one| one.created), expected.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_sync_reads_is_read_by_every_capture_and_what_was_picked_too() {
    let world = World::new(TestDatabase::sqlite().await, 900).await;
    let selection = World::some(&["enrollmentNotification", "settingsCatalogPolicy", "conditionalAccessPolicy"]);
    world.sync(&selection).await;
    world.capture_all().await;
    world.sync(&selection).await;
    let captured = world.capture_all().await;
    let read: BTreeSet<&str> =
        captured.types.values().filter(|one| one.captured > 0).map(|one| one.policy_type.as_str()).collect();
    let unseen = |key: &str| {
        let policy_type = registry().get(key).unwrap();
        !recipe(policy_type).unwrap().is_read_by_sync(policy_type, None)
    };
    assert!(read.contains("enrollmentNotification"), "its templates are in a collection that no list shows");
    // Of the others only what was not read whole, since Graph does not tell a refused part of it.
    for one in captured.types.values().filter(|one| !unseen(&one.policy_type)) {
        assert!(one.unchanged > 0 && one.captured * 10 <= one.unchanged, "{one:?}");
    }
    let stored = world.stored().await;
    let pick = ("settingsCatalogPolicy".to_owned(), stored["settingsCatalogPolicy"].first().unwrap().clone());
    let picked = world.capture(&CaptureOf::Items(vec![pick]), false).await;
    assert_eq!((picked.sum(|one| one.captured), picked.sum(|one| one.unchanged)), (1, 1));
}
