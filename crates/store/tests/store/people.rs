//! People, members, preferences.

use std::sync::atomic::AtomicBool;

use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{members, preferences, tenants, users};
use uuid::Uuid;

use crate::world::{at, selection, tenant, until_the_other_waits, user};

on_both_engines! {
    async fn a_person_is_found_by_address_in_any_case_and_has_a_password_once_it_is_set(test: TestDatabase) {
        let db = &test.db;
        let id = user(db, "Ada", false).await;
        let found = users::find_by_email(db, " ADA@example.COM ").await.unwrap().unwrap();
        assert_eq!((found.user.id, found.password_hash.as_deref()), (id, None));
        let mut tx = db.write().await.unwrap();
        assert!(users::set_password_hash(&mut tx, id, "$argon2id$v=19$x", at(2)).await.unwrap());
        users::record_sign_in(&mut tx, id, at(3)).await.unwrap();
        tx.commit().await.unwrap();
        let found = users::find_by_email(db, "ada@example.com").await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("$argon2id$v=19$x"));
        assert_eq!(found.user.last_sign_in_at, Some(at(3)));
        assert!(!format!("{found:?}").contains("argon2id"));
        assert!(users::find_by_email(db, "nobody@example.com").await.unwrap().is_none());
    }

    async fn an_address_belongs_to_one_person(test: TestDatabase) {
        let db = &test.db;
        user(db, "Ada", false).await;
        let new = users::NewUser {
            id: UserId::from_uuid(Uuid::now_v7()),
            email: "aDa@example.com".to_owned(),
            name: "Other".to_owned(),
            platform_admin: false,
        };
        let mut tx = db.write().await.unwrap();
        assert!(users::create(&mut tx, &new, at(1)).await.unwrap_err().is_conflict());
    }

    async fn a_role_holds_only_in_its_tenant_and_ends_with_membership_or_account(test: TestDatabase) {
        let db = &test.db;
        let (contoso, fabrikam) = (tenant(db, "Contoso").await, tenant(db, "Fabrikam").await);
        let (ada, admin) = (user(db, "Ada", false).await, user(db, "Admin", true).await);
        let mut tx = db.write().await.unwrap();
        members::set(&mut tx, contoso, ada, Role::Readonly, at(1)).await.unwrap();
        members::set(&mut tx, contoso, ada, Role::Manager, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        let role = async |tenant, user| {
            let role = members::effective_role(db, tenant, user).await;
            let asked = tenants::get_for(db, tenant, user).await.unwrap();
            assert_eq!(asked.and_then(|asked| asked.role), *role.as_ref().unwrap(), "both say the same");
            role
        };
        assert_eq!(role(contoso, ada).await.unwrap(), Some(Role::Manager));
        assert_eq!(role(fabrikam, ada).await.unwrap(), None);
        let foreign = tenants::get_for(db, fabrikam, ada).await.unwrap().map(|asked| asked.tenant.id);
        assert_eq!(foreign, Some(fabrikam), "it exists, but not for her");
        assert_eq!(role(fabrikam, admin).await.unwrap(), Some(Role::Owner));
        assert_eq!(role(TenantId::from_uuid(Uuid::now_v7()), admin).await.unwrap(), None);
        assert_eq!(members::count(db, contoso, Role::Manager).await.unwrap(), 1);
        assert_eq!(members::list(db, contoso).await.unwrap().len(), 1);

        let mut tx = db.write().await.unwrap();
        assert!(users::set_disabled(&mut tx, ada, Some(at(3)), at(3)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(role(contoso, ada).await.unwrap(), None);
        assert_eq!(members::count(db, contoso, Role::Manager).await.unwrap(), 0);

        let mut tx = db.write().await.unwrap();
        assert!(users::set_disabled(&mut tx, ada, None, at(4)).await.unwrap());
        assert!(members::remove(&mut tx, contoso, ada).await.unwrap());
        assert!(!members::remove(&mut tx, contoso, ada).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(role(contoso, ada).await.unwrap(), None);
    }

    async fn a_person_sees_their_tenants_with_favourites_first_and_an_administrator_sees_all(test: TestDatabase) {
        let db = &test.db;
        let ids = [tenant(db, "Alpha").await, tenant(db, "Beta").await, tenant(db, "Gamma").await];
        let (ada, admin) = (user(db, "Ada", false).await, user(db, "Admin", true).await);
        let mut tx = db.write().await.unwrap();
        members::set(&mut tx, ids[0], ada, Role::Readonly, at(1)).await.unwrap();
        members::set(&mut tx, ids[2], ada, Role::Owner, at(1)).await.unwrap();
        preferences::set_favourite(&mut tx, ada, ids[2], true).await.unwrap();
        preferences::record_use(&mut tx, ada, ids[2], at(7)).await.unwrap();
        preferences::record_selection(&mut tx, ada, ids[2], &selection(&["alpha"])).await.unwrap();
        tx.commit().await.unwrap();
        let visible = tenants::list_visible(db, ada).await.unwrap();
        let seen: Vec<_> = visible.iter().map(|one| (one.tenant.name.as_str(), one.role, one.favourite)).collect();
        assert_eq!(seen, [("Gamma", Role::Owner, true), ("Alpha", Role::Readonly, false)]);
        assert_eq!(visible[0].last_used_at, Some(at(7)));
        assert_eq!(tenants::list_visible(db, admin).await.unwrap().len(), 3);
        // A platform administrator may do everything, also where they are a member with a smaller role.
        let mut tx = db.write().await.unwrap();
        members::set(&mut tx, ids[1], admin, Role::Readonly, at(8)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(tenants::list_visible(db, admin).await.unwrap().iter().all(|one| one.role == Role::Owner));
        assert_eq!(members::effective_role(db, ids[1], admin).await.unwrap(), Some(Role::Owner));
        let near = async |user, looked_at, others| {
            let near = tenants::list_near(db, user, looked_at, others).await.unwrap();
            near.into_iter().map(|one| (one.name, one.favourite, one.any_used_at)).collect::<Vec<_>>()
        };
        let (alpha, gamma) = (("Alpha".to_owned(), false, Some(at(7))), ("Gamma".to_owned(), true, Some(at(7))));
        assert_eq!(near(ada, ids[0], 8).await, [alpha.clone(), gamma.clone()], "the one that is looked at comes first");
        assert_eq!(near(ada, ids[2], 8).await, [gamma.clone(), alpha]);
        assert_eq!(near(ada, ids[1], 0).await, [gamma], "one that is not theirs is not among them");
        assert_eq!(near(admin, ids[1], 1).await.len(), 2);
        let remembered = preferences::get(db, ada, ids[2]).await.unwrap();
        assert!(remembered.favourite);
        assert_eq!(remembered.last_selection, Some(selection(&["alpha"])));
        assert_eq!(preferences::get(db, admin, ids[2]).await.unwrap(), preferences::Preferences::default());
    }

    async fn administrators_are_counted_until_disabled_and_people_can_be_renamed_and_removed(test: TestDatabase) {
        let db = &test.db;
        assert_eq!(users::count_platform_admins(db).await.unwrap(), 0);
        let admin = user(db, "Admin", true).await;
        let ada = user(db, "Ada", false).await;
        assert_eq!(users::count_platform_admins(db).await.unwrap(), 1);
        let mut tx = db.write().await.unwrap();
        assert!(users::set_name(&mut tx, ada, "Ada L.", at(2)).await.unwrap());
        assert!(users::set_platform_admin(&mut tx, ada, true, at(2)).await.unwrap());
        assert!(users::set_disabled(&mut tx, admin, Some(at(2)), at(2)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(users::count_platform_admins(db).await.unwrap(), 1);
        assert_eq!(users::get(db, ada).await.unwrap().unwrap().name, "Ada L.");
        let mut tx = db.write().await.unwrap();
        assert!(users::remove(&mut tx, admin).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(users::list(db).await.unwrap().len(), 1);
    }

    async fn of_two_administrators_who_demote_each_other_at_once_one_is_left(test: TestDatabase) {
        let db = &test.db;
        let (ada, eve) = (user(db, "Ada", true).await, user(db, "Eve", true).await);
        let locked = AtomicBool::new(false);
        let demote = async |id| {
            let mut tx = db.write().await.unwrap();
            users::lock_platform_admins(&mut tx).await.unwrap();
            assert!(users::set_platform_admin(&mut tx, id, false, at(2)).await.unwrap());
            until_the_other_waits(&test, &locked).await;
            let left = users::count_platform_admins(&mut tx).await.unwrap();
            if left > 0 {
                tx.commit().await.unwrap();
            }
            left
        };
        let (one, other) = tokio::join!(demote(ada), demote(eve));
        assert_eq!((one.min(other), one.max(other)), (0, 1), "the second sees what the first did");
        assert_eq!(users::count_platform_admins(db).await.unwrap(), 1);
    }

    async fn of_two_owners_who_demote_each_other_at_once_one_is_left(test: TestDatabase) {
        let db = &test.db;
        let contoso = tenant(db, "Contoso").await;
        let (ada, eve) = (user(db, "Ada", false).await, user(db, "Eve", false).await);
        let mut tx = db.write().await.unwrap();
        for id in [ada, eve] {
            members::set(&mut tx, contoso, id, Role::Owner, at(1)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let locked = AtomicBool::new(false);
        let demote = async |id| {
            let mut tx = db.write().await.unwrap();
            members::lock(&mut tx, contoso, Role::Owner).await.unwrap();
            members::set(&mut tx, contoso, id, Role::Readonly, at(2)).await.unwrap();
            until_the_other_waits(&test, &locked).await;
            let left = members::count(&mut tx, contoso, Role::Owner).await.unwrap();
            if left > 0 {
                tx.commit().await.unwrap();
            }
            left
        };
        let (one, other) = tokio::join!(demote(ada), demote(eve));
        assert_eq!((one.min(other), one.max(other)), (0, 1), "the second sees what the first did");
        assert_eq!(members::count(db, contoso, Role::Owner).await.unwrap(), 1);
    }
}
