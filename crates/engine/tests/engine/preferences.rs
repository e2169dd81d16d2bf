//! What people keep for themselves.

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::{Actor, EngineError};
use tenantatlas_graph_sim::SimTenant;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::user_preferences::{self, UserPreferences};
use tenantatlas_store::{audit, saved_views};

use crate::support::{World, idle};

async fn member(world: &World, email: &str) -> (Actor, UserId) {
    let password = secrecy::SecretString::from("correct horse battery");
    let root = Actor::command_line();
    let id = world.engine.create_user(&root, email, "Person", false, password).await.unwrap();
    world.engine.set_member(&root, world.tenant, id, Role::Readonly).await.unwrap();
    (Actor::person(id, "Person", email), id)
}

on_both_engines! {
    async fn a_saved_view_is_seen_renamed_and_deleted_by_nobody_but_its_person(test: TestDatabase) {
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), idle()).await;
        let (engine, db, tenant) = (&world.engine, &world.database.db, world.tenant);
        let ((ada, ada_id), (ben, ben_id)) = (member(&world, "ada@example.com").await, member(&world, "ben@example.com").await);
        let view = engine.save_view(&ada, tenant, " What is missing ", "state=missing").await.unwrap();
        let hers = saved_views::list(db, ada_id, tenant).await.unwrap();
        assert_eq!((hers[0].name.as_str(), hers[0].query.as_str()), ("What is missing", "state=missing"));
        assert!(saved_views::list(db, ben_id, tenant).await.unwrap().is_empty());
        let others = engine.rename_view(&ben, tenant, view, "Mine now").await;
        assert!(matches!(others, Err(EngineError::NotFound("the saved view"))), "{others:?}");
        let others = engine.remove_view(&ben, tenant, view).await;
        assert!(matches!(others, Err(EngineError::NotFound("the saved view"))), "{others:?}");
        assert_eq!(saved_views::list(db, ada_id, tenant).await.unwrap(), hers);
        let twice = engine.save_view(&ada, tenant, "what is MISSING", "").await;
        assert!(matches!(twice, Err(EngineError::Conflict(_))), "{twice:?}");
        engine.rename_view(&ada, tenant, view, "Gone").await.unwrap();
        assert_eq!(saved_views::list(db, ada_id, tenant).await.unwrap()[0].name, "Gone");
        for name in ["", "  ", "a\nb", &"x".repeat(81)] {
            let refused = engine.rename_view(&ada, tenant, view, name).await;
            assert!(matches!(refused, Err(EngineError::Invalid { field: "name", .. })), "{name:?}: {refused:?}");
        }
        engine.remove_view(&ada, tenant, view).await.unwrap();
        assert!(saved_views::list(db, ada_id, tenant).await.unwrap().is_empty());
    }

    async fn nobody_keeps_views_without_end(test: TestDatabase) {
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), idle()).await;
        let (ada, ada_id) = member(&world, "ada@example.com").await;
        for number in 0..50 {
            world.engine.save_view(&ada, world.tenant, &format!("View {number}"), "").await.unwrap();
        }
        let more = world.engine.save_view(&ada, world.tenant, "One more", "").await;
        assert!(matches!(more, Err(EngineError::Conflict(_))), "{more:?}");
        assert_eq!(saved_views::list(&world.database.db, ada_id, world.tenant).await.unwrap().len(), 50);
    }

    async fn columns_and_keys_are_kept_per_person_and_leave_no_trace_in_the_audit_log(test: TestDatabase) {
        let world = World::with(test, SimTenant::new("Contoso", 7, 50), idle()).await;
        let (engine, db) = (&world.engine, &world.database.db);
        let ((ada, ada_id), (_, ben_id)) = (member(&world, "ada@example.com").await, member(&world, "ben@example.com").await);
        let filter = audit::Filter { limit: 500, ..audit::Filter::default() };
        let before = audit::list(db, &filter).await.unwrap().len();
        engine.set_item_columns(&ada, &[ItemColumn::Id, ItemColumn::Type]).await.unwrap();
        engine.set_single_keys(&ada, false).await.unwrap();
        let kept = user_preferences::get(db, ada_id).await.unwrap();
        let expected = UserPreferences { item_columns: vec![ItemColumn::Type, ItemColumn::Id], single_keys: false };
        assert_eq!(kept, expected, "columns stand in one order, whatever order they were chosen in");
        engine.set_item_columns(&ada, &[]).await.unwrap();
        assert!(user_preferences::get(db, ada_id).await.unwrap().item_columns.is_empty(), "none is a choice");
        assert_eq!(user_preferences::get(db, ben_id).await.unwrap(), UserPreferences::default());
        assert_eq!(audit::list(db, &filter).await.unwrap().len(), before);
        let nobody = engine.set_single_keys(&Actor::command_line(), true).await;
        assert!(matches!(nobody, Err(EngineError::Forbidden)), "{nobody:?}");
    }
}
