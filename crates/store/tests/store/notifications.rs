//! Notifications.

use serde_json::json;
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_store::notifications::{self, Filter, NewNotification};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, members};
use uuid::Uuid;

use crate::world::{at, new_notification_id, tenant, user};

fn new(user_id: UserId, tenant_id: impl Into<Option<TenantId>>, run: Option<OperationRunId>) -> NewNotification {
    NewNotification {
        id: new_notification_id(),
        user_id,
        tenant_id: tenant_id.into(),
        kind: "operation.queued".to_owned(),
        operation_run_id: run,
        read: false,
        payload: json!({"bucket": "queued", "text": "with \u{0} inside"}),
    }
}

async fn member(db: &Db, tenant: TenantId, user: UserId) {
    let mut tx = db.write().await.unwrap();
    members::set(&mut tx, tenant, user, Role::Operator, at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn notifications_are_listed_newest_first_page_by_page_and_marked_read(test: TestDatabase) {
        let db = &test.db;
        let (contoso, ada) = (tenant(db, "Contoso").await, user(db, "Ada", false).await);
        member(db, contoso, ada).await;
        let mut tx = db.write().await.unwrap();
        for time in 0..5 {
            assert!(notifications::create(&mut tx, &new(ada, contoso, None), at(time)).await.unwrap());
        }
        tx.commit().await.unwrap();
        let first = notifications::list(db, ada, &Filter { limit: 3, ..Filter::default() }).await.unwrap();
        let times: Vec<_> = first.iter().map(|one| one.created_at).collect();
        assert_eq!(times, [at(4), at(3), at(2)]);
        assert_eq!(first[0].payload["text"], "with  inside");
        let last = first.last().unwrap();
        let filter = Filter { before: Some((last.created_at, last.id)), limit: 3, ..Filter::default() };
        assert_eq!(notifications::list(db, ada, &filter).await.unwrap().len(), 2);
        let mut tx = db.write().await.unwrap();
        assert!(notifications::mark_read(&mut tx, ada, first[0].id, at(9)).await.unwrap());
        assert!(!notifications::mark_read(&mut tx, ada, first[0].id, at(9)).await.unwrap());
        tx.commit().await.unwrap();
        let one = notifications::get(db, ada, contoso, first[0].id).await.unwrap().expect("it is hers");
        assert_eq!((one.id, one.read_at), (first[0].id, Some(at(9))));
        let (grace, fabrikam) = (user(db, "Grace", true).await, tenant(db, "Fabrikam").await);
        assert!(notifications::get(db, grace, contoso, first[0].id).await.unwrap().is_none(), "of another person");
        assert!(notifications::get(db, ada, fabrikam, first[0].id).await.unwrap().is_none(), "about another tenant");
        assert_eq!(notifications::unread_count(db, ada, None).await.unwrap(), 4);
        let unread = Filter { unread: true, limit: 50, ..Filter::default() };
        assert_eq!(notifications::list(db, ada, &unread).await.unwrap().len(), 4);
        let mut tx = db.write().await.unwrap();
        assert_eq!(notifications::mark_all_read(&mut tx, ada, Some(contoso), at(9)).await.unwrap(), 4);
        tx.commit().await.unwrap();
        assert_eq!(notifications::unread_count(db, ada, Some(contoso)).await.unwrap(), 0);
    }

    async fn a_person_is_told_the_same_of_a_run_only_once(test: TestDatabase) {
        let db = &test.db;
        let (contoso, ada, bob) = (tenant(db, "Contoso").await, user(db, "Ada", false).await, user(db, "Bob", false).await);
        let run = Some(OperationRunId::from_uuid(Uuid::now_v7()));
        let mut tx = db.write().await.unwrap();
        assert!(notifications::create(&mut tx, &new(ada, contoso, run), at(1)).await.unwrap());
        assert!(!notifications::create(&mut tx, &new(ada, contoso, run), at(2)).await.unwrap());
        assert!(notifications::create(&mut tx, &new(bob, contoso, run), at(2)).await.unwrap());
    }

    async fn what_is_not_mine_or_of_a_tenant_i_lost_is_neither_shown_nor_counted_nor_marked(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        member(db, contoso, ada).await;
        let mut tx = db.write().await.unwrap();
        let (mine, lost) = (new(ada, contoso, None), new(ada, fabrikam, None));
        notifications::create(&mut tx, &mine, at(1)).await.unwrap();
        notifications::create(&mut tx, &lost, at(1)).await.unwrap();
        assert!(!notifications::mark_read(&mut tx, bob, mine.id, at(2)).await.unwrap());
        tx.commit().await.unwrap();
        let filter = Filter { limit: 10, ..Filter::default() };
        let shown = notifications::list(db, ada, &filter).await.unwrap();
        assert_eq!(shown.iter().map(|one| one.id).collect::<Vec<_>>(), [mine.id]);
        assert_eq!(notifications::unread_count(db, ada, None).await.unwrap(), 1);
        assert!(notifications::list(db, bob, &filter).await.unwrap().is_empty());
    }

    async fn what_is_about_the_account_is_shown_to_its_person_whatever_tenants_they_lost(test: TestDatabase) {
        let db = &test.db;
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let mut tx = db.write().await.unwrap();
        assert!(notifications::create(&mut tx, &new(ada, None, None), at(1)).await.unwrap());
        tx.commit().await.unwrap();
        let filter = Filter { limit: 10, ..Filter::default() };
        let shown = notifications::list(db, ada, &filter).await.unwrap();
        assert_eq!(shown.iter().map(|one| one.tenant_id).collect::<Vec<_>>(), [None]);
        assert_eq!(notifications::unread_count(db, ada, None).await.unwrap(), 1);
        assert!(notifications::list(db, bob, &filter).await.unwrap().is_empty());
    }
}
