//! Certificates that are made here for new tenants: what is signed in with them, who may use them, and that nothing tells their
//! private keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use tenantatlas_domain::ids::UserId;
use tenantatlas_engine::{Actor, Engine, EngineError};
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::audit::{self, Filter};
use tenantatlas_store::pending_certificates::{self, PendingCertificate};
use tenantatlas_store::tenants::{self, Cloud, ConnectionStatus, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use uuid::Uuid;

use crate::rights_of_commands::password;
use crate::support::World;

async fn administrator(world: &World, name: &str) -> (UserId, Actor) {
    let email = format!("{name}@example.com");
    let made = world.engine.create_user(&Actor::command_line(), &email, name, true, password()).await;
    let user = made.unwrap();
    (user, world.in_session(Actor::person(user, name, email)).await)
}

async fn made(engine: &Engine, user: UserId, actor: &Actor) -> PendingCertificate {
    let id = engine.make_certificate(actor).await.unwrap();
    let waiting = engine.made_certificates(user).await.unwrap();
    waiting.into_iter().find(|one| one.id == id).expect("it waits")
}

/// A cloud whose one application has a certificate and no secret that anybody knows, as after the script.
async fn cloud_with(certificate: &str) -> (Simulator, TenantDetails) {
    let body: String = certificate.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut simulated = SimTenant::new("Tailspin", 9, 60);
    simulated.client_secret = Uuid::new_v4().to_string();
    simulated.certificate_der = Some(STANDARD.decode(body).unwrap());
    let config = SimulatorConfig { tenants: vec![simulated.clone()], ..SimulatorConfig::default() };
    let cloud = Simulator::start(config, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let details = TenantDetails {
        name: simulated.name,
        entra_tenant_id: simulated.tenant_id,
        cloud: Cloud::Custom,
        login_url: Some(cloud.login_url()),
        graph_url: Some(cloud.graph_url()),
        environment: Environment::Dev,
        client_id: simulated.client_id,
    };
    (cloud, details)
}

async fn refused(engine: &Engine, actor: &Actor, details: &TenantDetails, certificate: Uuid) {
    let details = TenantDetails { name: "Another".to_owned(), ..details.clone() };
    let outcome = engine.add_tenant_by_made_certificate(actor, &details, certificate).await;
    assert!(matches!(outcome, Err(EngineError::Invalid { field: "made_certificate", .. })), "{outcome:?}");
}

on_both_engines! {
    async fn a_tenant_is_read_with_a_certificate_whose_private_key_nobody_ever_saw(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let (engine, db) = (&world.engine, &world.database.db);
        let (ada, actor) = administrator(&world, "Ada").await;
        let certificate = made(engine, ada, &actor).await;
        assert!(!certificate.certificate.contains("PRIVATE"));
        let (_cloud, details) = cloud_with(&certificate.certificate).await;
        let tenant = engine.add_tenant_by_made_certificate(&actor, &details, certificate.id).await.unwrap();
        let run = engine.check_tenant(&actor, tenant, false).await.unwrap();
        let mut states = Box::pin(engine.runs().follow(tenant, run.state.id));
        while let Some(state) = futures::StreamExt::next(&mut states).await {
            state.unwrap();
        }
        let known = tenants::get(db, tenant).await.unwrap().unwrap();
        assert_eq!(known.connection_status, ConnectionStatus::Ok, "{known:?}");
        assert!(engine.made_certificates(ada).await.unwrap().is_empty(), "used up");
        refused(engine, &actor, &details, certificate.id).await;
        let all = audit::list(db, &Filter { limit: 20, ..Filter::default() }).await.unwrap();
        assert!(all.iter().any(|entry| entry.action == "certificate.made"));
        let log = format!("{all:?}");
        let credential = tenants::credential(db, &world.vault, tenant).await.unwrap().unwrap();
        let TenantCredential::Certificate { private_key_pem, .. } = credential else { panic!("a certificate") };
        let key = private_key_pem.expose_secret().lines().nth(1).unwrap();
        assert!(!log.contains(key) && !log.contains("PRIVATE KEY"));
    }

    async fn nobody_uses_the_certificate_of_another_person_and_a_refused_tenant_uses_none_up(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let engine = &world.engine;
        let (ada, actor) = administrator(&world, "Ada").await;
        let (bob, other) = administrator(&world, "Bob").await;
        let certificate = made(engine, ada, &actor).await;
        let (_cloud, details) = cloud_with(&certificate.certificate).await;
        assert!(engine.made_certificates(bob).await.unwrap().is_empty());
        refused(engine, &other, &details, certificate.id).await;
        refused(engine, &Actor::command_line(), &details, certificate.id).await;
        let taken = TenantDetails { name: "Contoso".to_owned(), ..details.clone() };
        let conflict = engine.add_tenant_by_made_certificate(&actor, &taken, certificate.id).await;
        assert!(matches!(conflict, Err(EngineError::Conflict(_))), "{conflict:?}");
        engine.add_tenant_by_made_certificate(&actor, &details, certificate.id).await.unwrap();
        let nobody = engine.make_certificate(&Actor::command_line()).await;
        assert!(matches!(nobody, Err(EngineError::Forbidden)), "it would be nobody's: {nobody:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_private_key_of_a_certificate_that_waits_is_not_in_the_files_of_the_database() {
    let world = World::new(TestDatabase::sqlite().await, 50).await;
    let db = &world.database.db;
    let (ada, actor) = administrator(&world, "Ada").await;
    let certificate = made(&world.engine, ada, &actor).await;
    let mut tx = db.write().await.unwrap();
    let taken = pending_certificates::take(&mut tx, &world.vault, ada, certificate.id, world.engine.now()).await;
    drop(tx);
    let Some(TenantCredential::Certificate { private_key_pem, .. }) = taken.unwrap() else { panic!("it waits") };
    assert_eq!(world.engine.made_certificates(ada).await.unwrap().len(), 1, "it waits still");
    let lines: Vec<&str> = private_key_pem.expose_secret().lines().filter(|line| line.len() == 64).collect();
    assert!(lines.len() > 20);
    let file = world.database.address.trim_start_matches("sqlite:").split('?').next().unwrap().to_owned();
    for path in [file.clone(), format!("{file}-wal")] {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for line in &lines {
            assert!(!bytes.windows(64).any(|window| window == line.as_bytes()), "{path}");
        }
    }
    assert!(std::fs::metadata(&file).is_ok(), "{file}");
}
