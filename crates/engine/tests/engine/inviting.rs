//! Inviting people who have no account, by a link that works once and is worth no more than who invited.

use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::{Actor, AddedMember, EngineError, RequireSecondFactor, SignIn, hash_token};
use tenantatlas_store::audit::{self, Entry, Outcome};
use tenantatlas_store::invitations::{self, Invitation};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{members, one_time_links, users};

use crate::signing_in::{Gate, PASSWORD, kind, secret, visitor};

const WEEK: i64 = 7 * 24 * 3_600;

/// A tenant that the command line looks after.
async fn tenant_without_owner(gate: &Gate) -> TenantId {
    let details = TenantDetails {
        name: "Contoso".to_owned(),
        entra_tenant_id: uuid::Uuid::from_u128(1).to_string(),
        cloud: Cloud::Global,
        login_url: None,
        graph_url: None,
        environment: Environment::Dev,
        client_id: uuid::Uuid::from_u128(2).to_string(),
    };
    let credential = TenantCredential::ClientSecret(secret("a secret"));
    gate.engine.add_tenant(&Actor::command_line(), &details, &credential).await.unwrap()
}

/// A tenant and its owner, who has just signed in.
async fn tenant(gate: &Gate) -> (TenantId, Actor) {
    let root = Actor::command_line();
    let tenant = tenant_without_owner(gate).await;
    let owner = gate.person("olive", false).await;
    gate.engine.set_member(&root, tenant, owner, Role::Owner).await.unwrap();
    let opened = gate.enter(&visitor("192.0.2.1"), "olive").await;
    (tenant, gate.actor(&opened.token).await.unwrap())
}

async fn invite(gate: &Gate, actor: &Actor, tenant: TenantId, email: &str, role: Role) -> TokenHash {
    match gate.engine.add_member(actor, tenant, email, role).await {
        Ok(AddedMember::Invited(invited)) => {
            let open = open(gate, tenant).await;
            assert!(open.iter().any(|one| one.email == email.trim() && one.expires_at == invited.until));
            hash_token(&invited.token)
        }
        Ok(AddedMember::Member) => panic!("somebody has the address"),
        Err(error) => panic!("{error}"),
    }
}

async fn open(gate: &Gate, tenant: TenantId) -> Vec<Invitation> {
    invitations::list(&gate.test.db, tenant, gate.engine.now()).await.unwrap()
}

async fn accept(gate: &Gate, link: &TokenHash, password: &str) -> Result<Invitation, EngineError> {
    gate.engine.accept_invitation(&visitor("198.51.100.7"), link, "Bea Bright", secret(password)).await
}

async fn role_of(gate: &Gate, tenant: TenantId, email: &str) -> Option<Role> {
    let found = users::find_by_email(&gate.test.db, email).await.unwrap()?;
    members::effective_role(&gate.test.db, tenant, found.user.id).await.unwrap()
}

async fn entries(gate: &Gate, action: &str) -> Vec<Entry> {
    let filter = audit::Filter { limit: 500, ..audit::Filter::default() };
    let entries = audit::list(&gate.test.db, &filter).await.unwrap();
    entries.into_iter().filter(|entry| entry.action == action).collect()
}

fn not_found(answer: &Result<Invitation, EngineError>) -> bool {
    matches!(answer, Err(EngineError::NotFound("the link")))
}

on_both_engines! {
    async fn a_link_makes_one_account_with_its_membership_and_leaves_nobody_behind_when_it_is_refused(
        test: TestDatabase
    ) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let (tenant, olive) = tenant(&gate).await;
        let link = invite(&gate, &olive, tenant, " Bea@example.com ", Role::Operator).await;
        let found = gate.engine.invitation(&link).await.unwrap().unwrap();
        assert_eq!((found.email.as_str(), found.role, found.inviter.as_deref()), ("Bea@example.com", Role::Operator, Some("olive")));
        assert!(gate.engine.invitation(&link).await.unwrap().is_some(), "looking at it uses nothing up");
        assert!(not_found(&accept(&gate, &[9; 32], PASSWORD).await));
        for password in ["short", "bea@example.com"] {
            let refused = accept(&gate, &link, password).await;
            assert!(matches!(refused, Err(EngineError::Invalid { field: "password", .. })), "{refused:?}");
        }
        assert!(users::find_by_email(&gate.test.db, "bea@example.com").await.unwrap().is_none());
        let (first, second) = futures::join!(accept(&gate, &link, PASSWORD), accept(&gate, &link, PASSWORD));
        assert!(first.is_ok() != second.is_ok(), "one of two at once");
        assert_eq!(role_of(&gate, tenant, "bea@example.com").await, Some(Role::Operator));
        assert!(not_found(&accept(&gate, &link, PASSWORD).await), "once");
        assert!(open(&gate, tenant).await.is_empty());
        let step = gate.engine.sign_in(&visitor("198.51.100.7"), "bea@example.com", secret(PASSWORD)).await.unwrap();
        assert!(matches!(step, SignIn::Opened(_)), "{}", kind(&step));

        let made = entries(&gate, "member.invited").await;
        assert_eq!((made.len(), made[0].tenant_id, made[0].actor_id), (1, Some(tenant), olive.user_id));
        assert_eq!((made[0].context["email"].as_str(), made[0].context["role"].as_str()), (Some("Bea@example.com"), Some("operator")));
        let used = entries(&gate, "member.invitation_accepted").await;
        let bea = users::find_by_email(&gate.test.db, "bea@example.com").await.unwrap().unwrap().user;
        assert_eq!((used.len(), used[0].tenant_id, used[0].actor_id), (1, Some(tenant), Some(bea.id)));
        assert_eq!(used[0].context["address"], "198.51.100.7");
        assert_eq!(entries(&gate, "session.failed").await[0].context["step"], "link");
        let everything = audit::list(&gate.test.db, &audit::Filter { limit: 500, ..Default::default() }).await.unwrap();
        let told = format!("{everything:?}");
        assert!(!told.contains(&hex::encode(link)) && !told.contains(PASSWORD));
    }

    async fn whoever_invited_must_still_be_one_who_may(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let (tenant, olive) = tenant(&gate).await;
        let root = Actor::command_line();
        let owner = olive.user_id.unwrap();
        gate.person("root", true).await;
        gate.engine.set_member(&root, tenant, gate.person("other", false).await, Role::Owner).await.unwrap();
        let link = invite(&gate, &olive, tenant, "bea@example.com", Role::Owner).await;
        gate.engine.set_member(&root, tenant, owner, Role::Manager).await.unwrap();
        assert!(gate.engine.invitation(&link).await.unwrap().is_none());
        assert!(not_found(&accept(&gate, &link, PASSWORD).await));
        let refused = entries(&gate, "member.invitation_accepted").await;
        assert_eq!((refused.len(), refused[0].outcome, refused[0].tenant_id), (1, Outcome::Denied, Some(tenant)));
        gate.engine.set_member(&root, tenant, owner, Role::Owner).await.unwrap();
        assert!(gate.engine.invitation(&link).await.unwrap().is_some());
        gate.engine.set_user_disabled(&root, owner, true).await.unwrap();
        assert!(not_found(&accept(&gate, &link, PASSWORD).await));
        // Without an account of who invited there is no invitation, and none of the command line either.
        gate.engine.remove_user(&root, owner, "olive@example.com").await.unwrap();
        assert!(open(&gate, tenant).await.is_empty());
        assert!(not_found(&accept(&gate, &link, PASSWORD).await));
        assert!(users::find_by_email(&gate.test.db, "bea@example.com").await.unwrap().is_none());
        let by_root = invite(&gate, &root, tenant, "bea@example.com", Role::Readonly).await;
        assert!(accept(&gate, &by_root, PASSWORD).await.is_ok());
    }

    async fn an_invitation_ends_when_it_is_taken_back_replaced_too_old_or_of_no_use(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let (tenant, olive) = tenant(&gate).await;
        let root = Actor::command_line();
        let first = invite(&gate, &root, tenant, "bea@example.com", Role::Readonly).await;
        let second = invite(&gate, &olive, tenant, "BEA@example.com", Role::Manager).await;
        assert_eq!(open(&gate, tenant).await.len(), 1, "one for each address");
        assert!(not_found(&accept(&gate, &first, PASSWORD).await));
        let id = open(&gate, tenant).await[0].id;
        gate.engine.revoke_invitation(&olive, tenant, id).await.unwrap();
        assert!(not_found(&accept(&gate, &second, PASSWORD).await));
        let again = gate.engine.revoke_invitation(&olive, tenant, id).await;
        assert!(matches!(again, Err(EngineError::NotFound("the invitation"))), "{again:?}");
        let revoked = entries(&gate, "member.invitation_revoked").await;
        assert_eq!(revoked.iter().map(|entry| entry.outcome).collect::<Vec<_>>(), [Outcome::Failure, Outcome::Success]);
        assert_eq!(revoked[1].context["email"], "BEA@example.com");

        let late = invite(&gate, &root, tenant, "bea@example.com", Role::Readonly).await;
        gate.clock.forward(WEEK - 1);
        assert!(gate.engine.invitation(&late).await.unwrap().is_some());
        gate.clock.forward(1);
        assert!(not_found(&accept(&gate, &late, PASSWORD).await));
        assert!(open(&gate, tenant).await.is_empty());
        let mut tx = gate.test.db.write().await.unwrap();
        assert_eq!(one_time_links::remove_ended(&mut tx, gate.engine.now()).await.unwrap(), 1, "forgotten");
        tx.commit().await.unwrap();

        // Somebody makes the account meanwhile: the link takes nothing over, and adding them ends it.
        let taken = invite(&gate, &root, tenant, "bea@example.com", Role::Owner).await;
        gate.person("bea", false).await;
        let refused = accept(&gate, &taken, "another horse battery").await;
        assert!(matches!(refused, Err(EngineError::Conflict(_))), "{refused:?}");
        assert_eq!(role_of(&gate, tenant, "bea@example.com").await, None);
        assert!(matches!(
            gate.engine.add_member(&root, tenant, "bea@example.com", Role::Readonly).await,
            Ok(AddedMember::Member)
        ));
        assert!(open(&gate, tenant).await.is_empty());
        // A tenant that is removed invites nobody.
        let gone = invite(&gate, &root, tenant, "cleo@example.com", Role::Owner).await;
        gate.engine.remove_tenant(&root, tenant, "Contoso").await.unwrap();
        assert!(not_found(&accept(&gate, &gone, PASSWORD).await));
    }

    async fn nobody_invites_into_a_tenant_of_others_or_without_end(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::Everyone).await;
        let (tenant, root) = (tenant_without_owner(&gate).await, Actor::command_line());
        let manager = gate.person("mona", false).await;
        gate.engine.set_member(&root, tenant, manager, Role::Manager).await.unwrap();
        let stranger = gate.person("sam", false).await;
        for (user, name) in [(manager, "mona"), (stranger, "sam")] {
            let actor = Actor::person(user, name, format!("{name}@example.com"));
            let refused = gate.engine.add_member(&actor, tenant, "bea@example.com", Role::Readonly).await;
            assert!(matches!(refused, Err(EngineError::Forbidden | EngineError::NotFound("the tenant"))));
        }
        let wrong = gate.engine.add_member(&root, tenant, "nonsense", Role::Readonly).await;
        assert!(matches!(wrong, Err(EngineError::Invalid { field: "email", .. })));
        let link = invite(&gate, &root, tenant, "bea@example.com", Role::Readonly).await;
        for number in 1..50 {
            invite(&gate, &root, tenant, &format!("person{number}@example.com"), Role::Readonly).await;
        }
        let one_more = gate.engine.add_member(&root, tenant, "more@example.com", Role::Readonly).await;
        assert!(matches!(one_more, Err(EngineError::Conflict(words)) if words.contains("50 invitations")));
        // Where everybody must have a second factor, whoever comes by a link must have one too.
        accept(&gate, &link, PASSWORD).await.unwrap();
        let step = gate.engine.sign_in(&visitor("198.51.100.7"), "bea@example.com", secret(PASSWORD)).await.unwrap();
        assert_eq!(kind(&step), "set up");
    }
}
