//! What items were before, and which runs saw them.

use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_store::inventory::{self, RunReading, history, runs_that_saw, state_as_of};
use tenantatlas_store::testing::on_both_engines;

use crate::world::{Sync, at, hash, item, tenant};

on_both_engines! {
    async fn the_state_as_of_any_run_can_be_rebuilt(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let contents = ["a", "a", "b", "c", "c", "a"];
        for (index, content) in contents.iter().enumerate() {
            let time = i64::try_from(index).unwrap() * 10;
            let sync = Sync::start(db, contoso, &["alpha"], at(time)).await;
            sync.read("alpha", &[item("x", &format!("Name {content}"), content)], at(time)).await;
            sync.finish(at(time + 1)).await;
        }
        let id = inventory::find_external(db, contoso, "alpha", "x").await.unwrap().unwrap();
        let versions = history(db, contoso, id).await.unwrap();
        let spans: Vec<_> = versions.iter().map(|version| (version.from_seq, version.until_seq)).collect();
        assert_eq!(spans, [(6, None), (4, Some(6)), (3, Some(4)), (1, Some(3))]);
        assert!(versions.iter().all(|version| version.run_id.is_some()));
        for (index, content) in contents.iter().enumerate() {
            let seq = i64::try_from(index).unwrap() + 1;
            let state = state_as_of(db, contoso, id, seq).await.unwrap().unwrap();
            assert_eq!(state.content_hash, hash(content), "as of run {seq}");
            assert_eq!(state.display_name, format!("Name {content}"));
            assert_eq!(state.meta["state"], *content);
        }
        assert!(state_as_of(db, contoso, id, 0).await.unwrap().is_none());
        let other = tenant(db, "Fabrikam").await;
        assert!(history(db, other, id).await.unwrap().is_empty());
        assert!(state_as_of(db, other, id, 6).await.unwrap().is_none());
    }

    async fn an_item_that_changes_twice_within_a_run_keeps_one_earlier_state(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let first = Sync::start(db, contoso, &["alpha"], at(0)).await;
        first.read("alpha", &[item("x", "Name", "a")], at(0)).await;
        first.finish(at(1)).await;
        let second = Sync::start(db, contoso, &["alpha"], at(10)).await;
        let type_run = second.begin("alpha", at(10)).await;
        second.write(&type_run, &[item("x", "Name", "b")], at(10)).await.unwrap();
        second.write(&type_run, &[item("x", "Name", "c")], at(11)).await.unwrap();
        second.end("alpha", TypeOutcome::Succeeded, at(11)).await;
        second.finish(at(12)).await;
        let id = inventory::find_external(db, contoso, "alpha", "x").await.unwrap().unwrap();
        let versions = history(db, contoso, id).await.unwrap();
        let hashes: Vec<_> = versions.iter().map(|version| version.content_hash).collect();
        assert_eq!(hashes, [hash("c"), hash("a")]);
    }

    async fn each_run_of_the_scope_tells_whether_it_saw_the_item(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let x = || vec![item("x", "X", "a"), item("y", "Y", "a")];
        let y = || vec![item("y", "Y", "a")];
        for (index, (seen, outcome)) in [
            (x(), TypeOutcome::Succeeded),
            (y(), TypeOutcome::Succeeded),
            (y(), TypeOutcome::Failed),
            (x(), TypeOutcome::Failed),
            (x(), TypeOutcome::Succeeded),
        ]
        .into_iter()
        .enumerate()
        {
            let time = i64::try_from(index).unwrap() * 10;
            let sync = Sync::start(db, contoso, &["alpha"], at(time)).await;
            let type_run = sync.begin("alpha", at(time)).await;
            sync.write(&type_run, &seen, at(time)).await.unwrap();
            sync.end("alpha", outcome, at(time)).await;
            sync.finish(at(time + 1)).await;
        }
        let id = inventory::find_external(db, contoso, "alpha", "x").await.unwrap().unwrap();
        let view = inventory::ScopeView::load(db, contoso, None).await.unwrap();
        let runs = runs_that_saw(db, contoso, view.scope.unwrap().id, id).await.unwrap();
        let readings: Vec<_> = runs.iter().rev().map(|run| run.reading).collect();
        assert_eq!(
            readings,
            [RunReading::Seen, RunReading::NotThere, RunReading::NotRead, RunReading::Seen, RunReading::Seen]
        );
    }
}
