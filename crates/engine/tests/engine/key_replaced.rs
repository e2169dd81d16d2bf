//! The root key is replaced by another process while this one works: whoever could sign in still can.

use serde_json::json;
use tenantatlas_engine::{RequireSecondFactor, SignIn, hash_token};
use tenantatlas_store::Vault;
use tenantatlas_store::audit::{NewEntry, Outcome};
use tenantatlas_store::key_rotation::{self, Begun};
use tenantatlas_store::testing::on_both_engines;
use uuid::Uuid;

use crate::signing_in::{Gate, PASSWORD, authenticator, kind, secret, visitor};

fn entry(action: &str) -> NewEntry {
    NewEntry {
        id: Uuid::now_v7(),
        tenant_id: None,
        actor_id: None,
        actor_kind: "command_line".to_owned(),
        actor_name: "Command line".to_owned(),
        actor_email: String::new(),
        action: action.to_owned(),
        resource_type: "key".to_owned(),
        resource_id: String::new(),
        outcome: Outcome::Success,
        context: json!({}),
    }
}

async fn rotate(gate: &Gate) {
    let vault = Vault::open(&gate.test.db, gate.vault.path()).await.unwrap();
    let now = gate.engine.now();
    let begun = key_rotation::begin(&gate.test.db, &vault, &entry("key.rotation_began"), now).await.unwrap();
    let Begun::Going(rotation) = begun else { panic!("{begun:?}") };
    let rotated = rotation.finish(&entry("key.rotated"), now).await.unwrap();
    assert_eq!(rotated.not_opened, 0);
}

on_both_engines! {
    async fn password_second_factor_and_recovery_codes_work_after_the_key_was_replaced(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        gate.person("eve", false).await;
        let here = visitor("192.0.2.1");
        let opened = gate.enter(&here, "ada").await;
        let actor = gate.actor(&opened.token).await.unwrap();
        let (key, recovery) = gate.second_factor(&actor).await;
        // The password of Ada is hashed anew when she signs in, that of Eve stays under the first key.
        for recovery in recovery.iter().take(3) {
            rotate(&gate).await;
            gate.clock.forward(60);
            let codes = [authenticator(&key, gate.engine.now()), recovery.clone()];
            for code in codes {
                let step = gate.engine.sign_in(&here, "ada@example.com", secret(PASSWORD)).await.unwrap();
                let SignIn::Code(waiting) = step else { panic!("a code is asked for, not {}", kind(&step)) };
                let step = gate.engine.sign_in_with_code(&here, &hash_token(&waiting), &code).await.unwrap();
                assert_eq!(kind(&step), "opened");
            }
            assert!(gate.actor(&opened.token).await.is_some(), "sessions go on");
        }
        gate.enter(&here, "eve").await;
        let wrong = gate.engine.sign_in(&here, "eve@example.com", secret("another horse battery")).await.unwrap();
        assert_eq!(kind(&wrong), "refused");
    }
}
