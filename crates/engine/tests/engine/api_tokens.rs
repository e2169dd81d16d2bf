//! Tokens of the API: what they allow is never more than their person may do now.

use secrecy::SecretString;
use tenantatlas_domain::role::{Action, Role};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, AuthenticatedToken, EngineError, NewToken, RefusedToken};
use tenantatlas_store::api_answers::{AskedOnce, Known};
use tenantatlas_store::api_tokens::{self, ApiTokenOwner};
use tenantatlas_store::audit::{self, Outcome};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{members, operation_runs, tenants, users};
use uuid::Uuid;

use crate::support::{World, idle};

const DAY: i64 = 86_400_000;

async fn world(test: TestDatabase) -> World {
    World::with(test, tenantatlas_graph_sim::SimTenant::new("Contoso", 7, 50), idle()).await
}

async fn person(world: &World, email: &str, role: Role) -> Actor {
    let root = Actor::command_line();
    let password = SecretString::from("correct horse battery");
    let id = world.engine.create_user(&root, email, "Ada", false, password).await.unwrap();
    world.engine.set_member(&root, world.tenant, id, role).await.unwrap();
    world.in_session(Actor::person(id, "Ada", email)).await
}

fn new(world: &World, role: Role, owner: ApiTokenOwner) -> NewToken {
    let expires_at = Timestamp::from_millis(world.engine.now().as_millis() + 30 * DAY);
    NewToken { name: "Nightly export".to_owned(), role, owner, expires_at }
}

fn own(actor: &Actor) -> ApiTokenOwner {
    ApiTokenOwner::Person(actor.user_id.unwrap(), Vec::new())
}

/// A token of the person, and what it proves itself with.
async fn token(world: &World, actor: &Actor, role: Role) -> (SecretString, AuthenticatedToken) {
    let (_, secret) = world.engine.create_token(actor, &new(world, role, own(actor))).await.unwrap();
    let found = world.engine.authenticate_token(&secret).await.unwrap().unwrap();
    (secret, found)
}

async fn sync(world: &World, actor: &Actor) -> Result<tenantatlas_domain::ids::OperationRunId, EngineError> {
    let wanted = World::some(&["mobileApp"]);
    world.engine.dispatch_sync(actor, world.tenant, &wanted).await.map(|done| done.run_id)
}

on_both_engines! {
    async fn a_token_allows_the_lesser_of_its_role_and_of_what_its_person_may_do_now(test: TestDatabase) {
        let world = world(test).await;
        let (engine, db, root) = (&world.engine, &world.database.db, Actor::command_line());
        let ada = person(&world, "ada@example.com", Role::Operator).await;
        let above = engine.create_token(&ada, &new(&world, Role::Manager, own(&ada))).await;
        assert!(matches!(&above, Err(EngineError::Invalid { field: "role", message }) if message.contains("operator")), "{above:?}");

        let (_, reading) = token(&world, &ada, Role::Readonly).await;
        assert!(matches!(sync(&world, &reading.actor()).await, Err(EngineError::Forbidden)));
        let (secret, acting) = token(&world, &ada, Role::Operator).await;
        let run = sync(&world, &acting.actor()).await.unwrap();
        let run = operation_runs::get(db, world.tenant, run).await.unwrap().unwrap();
        assert_eq!((run.user_id, run.token_id, run.initiator.as_str()), (None, Some(acting.0.id), "Nightly export"));
        let filter = operation_runs::Filter { tenant_id: Some(world.tenant), by_token: true, limit: 10, ..Default::default() };
        assert_eq!(operation_runs::list(db, &filter).await.unwrap().len(), 1);
        assert_eq!(operation_runs::count(db, &filter).await.unwrap().all(), 1);
        let filter = audit::Filter { action: Some("inventory.sync.dispatched".to_owned()), limit: 9, ..Default::default() };
        let entries = audit::list(db, &filter).await.unwrap();
        let entry = entries.iter().find(|entry| entry.outcome == Outcome::Success).unwrap();
        assert_eq!((entry.actor_kind.as_str(), entry.actor_name.as_str(), entry.actor_id), ("token", "Nightly export", ada.user_id));

        // What its person loses, it loses.
        engine.set_member(&root, world.tenant, ada.user_id.unwrap(), Role::Readonly).await.unwrap();
        assert!(matches!(engine.runs().cancel(&acting.actor(), world.tenant, run.id).await.map_err(EngineError::from), Err(EngineError::Forbidden)));
        assert_eq!(engine.token_role(acting.0.id, world.tenant).await.unwrap(), Some(Role::Readonly));
        let password = SecretString::from("correct horse battery");
        engine.create_user(&root, "keeper@example.com", "Keeper", true, password).await.unwrap();
        engine.set_user_disabled(&root, ada.user_id.unwrap(), true).await.unwrap();
        assert_eq!(engine.authenticate_token(&secret).await.unwrap().unwrap_err().why, RefusedToken::OwnerDisabled);
        assert_eq!(engine.token_role(acting.0.id, world.tenant).await.unwrap(), None);
        assert!(matches!(sync(&world, &acting.actor()).await, Err(EngineError::NotFound("the tenant"))));
    }

    async fn a_token_that_was_taken_back_or_has_ended_allows_nothing(test: TestDatabase) {
        let world = world(test).await;
        let engine = &world.engine;
        let ada = person(&world, "ada@example.com", Role::Operator).await;
        let other = person(&world, "bob@example.com", Role::Manager).await;
        let (secret, acting) = token(&world, &ada, Role::Operator).await;
        assert!(matches!(engine.revoke_token(&other, acting.0.id).await, Err(EngineError::Forbidden)), "it is not theirs");
        assert!(matches!(engine.revoke_token(&acting.actor(), acting.0.id).await, Err(EngineError::Forbidden)), "nor a program's");
        engine.revoke_token(&ada, acting.0.id).await.unwrap();
        assert_eq!(engine.authenticate_token(&secret).await.unwrap().unwrap_err().why, RefusedToken::Revoked);
        assert!(matches!(sync(&world, &acting.actor()).await, Err(EngineError::NotFound("the tenant"))));
        assert!(matches!(engine.revoke_token(&ada, acting.0.id).await, Err(EngineError::Conflict(_))));
        let never = SecretString::from("tat_nonsense");
        assert_eq!(engine.authenticate_token(&never).await.unwrap().unwrap_err().why, RefusedToken::Malformed);

        for days in [0, -1, 367] {
            let expires_at = Timestamp::from_millis(engine.now().as_millis() + days * DAY);
            let made = engine.create_token(&ada, &NewToken { expires_at, ..new(&world, Role::Operator, own(&ada)) }).await;
            assert!(matches!(made, Err(EngineError::Invalid { field: "expires", .. })), "{days}: {made:?}");
        }
        let soon = Timestamp::from_millis(engine.now().as_millis() + 40);
        let (_, secret) = engine.create_token(&ada, &NewToken { expires_at: soon, ..new(&world, Role::Operator, own(&ada)) }).await.unwrap();
        while engine.now() <= soon {
            tokio::task::yield_now().await;
        }
        assert_eq!(engine.authenticate_token(&secret).await.unwrap().unwrap_err().why, RefusedToken::Ended);
    }

    async fn a_token_of_a_tenant_is_of_that_tenant_alone_and_managers_take_it_back(test: TestDatabase) {
        let world = world(test).await;
        let (engine, db, root) = (&world.engine, &world.database.db, Actor::command_line());
        let owner = person(&world, "ada@example.com", Role::Owner).await;
        let manager = person(&world, "bob@example.com", Role::Manager).await;
        let of_tenant = new(&world, Role::Operator, ApiTokenOwner::Tenant(world.tenant));
        assert!(matches!(engine.create_token(&manager, &of_tenant).await, Err(EngineError::Forbidden)));
        let (id, secret) = engine.create_token(&owner, &of_tenant).await.unwrap();
        let found = engine.authenticate_token(&secret).await.unwrap().unwrap();
        let known = tenants::get(db, world.tenant).await.unwrap().unwrap();
        let details = tenants::TenantDetails {
            name: "Fabrikam".to_owned(),
            entra_tenant_id: Uuid::from_u128(9).to_string(),
            cloud: known.cloud,
            login_url: known.login_url,
            graph_url: known.graph_url,
            environment: known.environment,
            client_id: known.client_id,
        };
        let credential = tenants::TenantCredential::ClientSecret(SecretString::from("another secret"));
        let other = engine.add_tenant(&root, &details, &credential).await.unwrap();
        assert_eq!(engine.token_role(id, other).await.unwrap(), None);
        assert!(engine.authorise(&found.actor(), other, Action::View).await.is_err());
        sync(&world, &found.actor()).await.unwrap();
        let visible = engine.token_tenants(&found).await.unwrap();
        assert_eq!(visible.iter().map(|(tenant, role)| (tenant.id, *role)).collect::<Vec<_>>(), [(world.tenant, Role::Operator)]);
        let entries = audit::list(db, &audit::Filter { tenant_id: Some(world.tenant), action: Some("token.created".to_owned()), limit: 9, ..Default::default() }).await.unwrap();
        assert!(entries.iter().any(|entry| entry.outcome == Outcome::Success && entry.resource_id == id.to_string()));
        let text = format!("{entries:?}");
        assert!(!text.contains("tat_"), "{text}");
        engine.revoke_token(&manager, id).await.unwrap();
        assert!(sync(&world, &found.actor()).await.is_err());
        engine.remove_tenant(&root, world.tenant, "Contoso").await.unwrap();
        assert!(api_tokens::get(db, id).await.unwrap().is_none());
    }

    async fn a_token_that_names_tenants_reaches_no_other(test: TestDatabase) {
        let world = world(test).await;
        let (engine, db) = (&world.engine, &world.database.db);
        let ada = person(&world, "ada@example.com", Role::Owner).await;
        let stranger = ApiTokenOwner::Person(ada.user_id.unwrap(), vec![Uuid::from_u128(7).into()]);
        assert!(matches!(engine.create_token(&ada, &new(&world, Role::Readonly, stranger)).await, Err(EngineError::NotFound("the tenant"))));
        let named = ApiTokenOwner::Person(ada.user_id.unwrap(), vec![world.tenant]);
        let (id, _) = engine.create_token(&ada, &new(&world, Role::Owner, named)).await.unwrap();
        assert_eq!(engine.token_role(id, world.tenant).await.unwrap(), Some(Role::Owner));
        // Of a tenant that is gone nothing is left, and least of all a token for every tenant.
        let mut tx = db.write().await.unwrap();
        users::set_platform_admin(&mut tx, ada.user_id.unwrap(), true, engine.now()).await.unwrap();
        members::remove(&mut tx, world.tenant, ada.user_id.unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        engine.remove_tenant(&Actor::command_line(), world.tenant, "Contoso").await.unwrap();
        let token = api_tokens::get(db, id).await.unwrap().unwrap();
        assert!(!token.all_tenants && api_tokens::visible(db, &token).await.unwrap().is_empty());
    }

    async fn a_request_that_names_a_key_is_done_once(test: TestDatabase) {
        let world = world(test).await;
        let engine = &world.engine;
        let ada = person(&world, "ada@example.com", Role::Owner).await;
        let (_, found) = token(&world, &ada, Role::Operator).await;
        let asked = AskedOnce { token: found.0.id, key: [1; 32], request: [2; 32] };
        assert_eq!(engine.begin_once(&asked).await.unwrap(), Known::New);
        assert_eq!(engine.begin_once(&asked).await.unwrap(), Known::UnderWay);
        engine.finish_once(&asked, 202, "{}").await.unwrap();
        engine.forget_once(&asked).await.unwrap();
        assert_eq!(engine.begin_once(&asked).await.unwrap(), Known::Answered(202, "{}".to_owned()));
        assert_eq!(engine.begin_once(&AskedOnce { request: [3; 32], ..asked }).await.unwrap(), Known::Another);
        let other = AskedOnce { key: [4; 32], ..asked };
        assert_eq!(engine.begin_once(&other).await.unwrap(), Known::New);
        engine.forget_once(&other).await.unwrap();
        assert_eq!(engine.begin_once(&other).await.unwrap(), Known::New);
    }
}
