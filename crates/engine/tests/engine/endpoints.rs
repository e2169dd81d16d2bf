//! Messages to endpoints: to whom they go, what they hold, how they are signed.

mod attempts;
pub mod post;

use secrecy::{ExposeSecret, SecretString};
use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, EventKind, Wanted};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_engine::{Actor, EndpointDetails, EngineError};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{audit, endpoints};

use post::{Post, Receiver};

on_both_engines! {
    async fn the_end_of_a_run_is_told_signed_and_without_secrets(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["204 No Content"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let secret = added.secret.unwrap();
        let written = post.end_a_run(added.id).await;
        let engine = post.sending();
        let received = receiver.received(1).await.remove(0);
        assert_eq!(received.header("webhook-id"), written.id.to_string());
        assert!(!received.header("webhook-id").contains('.'));
        assert_eq!(received.header("webhook-timestamp"), "1795694400");
        assert_eq!(received.header("content-type"), "application/json");
        assert!(received.is_signed_with(&secret) && !received.is_signed_with(&SecretString::from("whsec_AAAA")));
        let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!((&body["type"], &body["timestamp"]), (&"run.ended".into(), &"2026-11-26T12:00:00.000Z".into()));
        let data = &body["data"];
        assert_eq!(data["tenant"]["name"], "Contoso");
        assert_eq!((&data["run"]["operation"], &data["run"]["state"]), (&"inventory.sync".into(), &"failed".into()));
        assert_eq!(data["run"]["reason_code"], "cancelled");
        let run = written.run_id.unwrap();
        assert_eq!(data["url"], format!("https://atlas.example.com/t/{}/runs/{run}", post.tenant));
        assert!(received.body.len() < 4_096);
        let done = post.until(written.id, |delivery| delivery.status == DeliveryStatus::Delivered).await;
        assert_eq!((done.attempt, done.http_status), (1, Some(204)));
        engine.shutdown().await;
    }

    async fn an_endpoint_gets_only_what_it_wants(test: TestDatabase) {
        let post = Post::new(test).await;
        let actor = Actor::command_line();
        let details = |name: &str, wanted: Wanted| EndpointDetails {
            kind: EndpointKind::Webhook, name: name.to_owned(), address: "https://hooks.example.com/x".to_owned(), wanted, digest: false,
        };
        let wanted = |events: &[EventKind], states: &[OperationBucket], operations: &[&str]| Wanted {
            events: events.to_vec(),
            states: states.to_vec(),
            operations: operations.iter().map(|one| (*one).to_owned()).collect(),
        };
        let add = async |name: &str, wanted| post.desk.add_endpoint(&actor, post.tenant, &details(name, wanted)).await;
        let ended = [EventKind::RunEnded];
        let all = add("all", wanted(&ended, &[], &[])).await.unwrap().id;
        let failed = add("failed syncs", wanted(&ended, &[OperationBucket::Failed], &["inventory.sync"])).await.unwrap().id;
        let good = add("good", wanted(&ended, &[OperationBucket::Succeeded], &[])).await.unwrap().id;
        let findings = add("findings", wanted(&[EventKind::FindingsNew], &[], &[])).await.unwrap().id;
        let off = add("off", wanted(&ended, &[], &[])).await.unwrap().id;
        post.desk.switch_endpoint(&actor, post.tenant, off, false).await.unwrap();
        post.end_a_run(all).await;
        for (endpoint, expected) in [(all, 1), (failed, 1), (good, 0), (findings, 0), (off, 0)] {
            assert_eq!(post.log(endpoint).await.len(), expected);
        }
        for (events, states, operations, field) in [
            (&[][..], &[][..], &[][..], "events"),
            (&[EventKind::Test][..], &[][..], &[][..], "events"),
            (&ended[..], &[OperationBucket::Running][..], &[][..], "states"),
            (&ended[..], &[][..], &["inventory.nonsense"][..], "operations"),
        ] {
            let refused = add("refused", wanted(events, states, operations)).await;
            assert!(matches!(&refused, Err(EngineError::Invalid { field: named, .. }) if *named == field), "{refused:?}");
        }
        assert!(matches!(add("ALL", wanted(&ended, &[], &[])).await, Err(EngineError::Conflict(_))));
    }

    async fn addresses_that_are_not_public_are_refused_and_nothing_is_kept(test: TestDatabase) {
        let post = Post::new(test).await;
        for address in [
            "", "hooks.example.com", "ftp://hooks.example.com/", "http://hooks.example.com/", "https://user:x@hooks.example.com/",
            "https://10.0.0.1/", "https://3232235777/", "https://[::ffff:192.168.1.1]/", "https://169.254.169.254/latest/meta-data",
            "https://intranet/", "https://db.internal/", "http://[::1]/",
        ] {
            let refused = post.add(EndpointKind::Webhook, address).await;
            let Err(EngineError::Invalid { field: "address", message }) = refused else { panic!("{address}: {refused:?}") };
            assert!(message.starts_with("must "), "{message}");
        }
        assert!(endpoints::list(&post.test.db, post.tenant).await.unwrap().is_empty());
    }

    async fn during_the_overlap_both_secrets_sign_and_then_the_new_one_alone(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["200 OK"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let (actor, old) = (Actor::command_line(), added.secret.unwrap());
        let new = post.desk.rotate_endpoint_secret(&actor, post.tenant, added.id).await.unwrap();
        let shown = post.desk.endpoint_of_secret(post.tenant, &new).await.unwrap();
        assert_eq!(shown.map(|endpoint| endpoint.id), Some(added.id));
        assert!(post.desk.endpoint_of_secret(post.tenant, &old).await.unwrap().is_none());
        let engine = post.sending();
        post.desk.test_endpoint(&actor, post.tenant, added.id).await.unwrap();
        let during = receiver.received(1).await.remove(0);
        assert!(during.is_signed_with(&old) && during.is_signed_with(&new));
        post.clock.forward(86_401);
        post.desk.test_endpoint(&actor, post.tenant, added.id).await.unwrap();
        let after = receiver.received(2).await.remove(1);
        assert!(!after.is_signed_with(&old) && after.is_signed_with(&new));
        engine.shutdown().await;
    }

    async fn teams_and_slack_get_what_they_understand_and_no_signature(test: TestDatabase) {
        let post = Post::new(test).await;
        let (teams, slack) = (Receiver::start(&["202 Accepted"]).await, Receiver::start(&["200 OK"]).await);
        for (kind, receiver) in [(EndpointKind::Teams, &teams), (EndpointKind::Slack, &slack)] {
            let added = post.add(kind, &receiver.url()).await.unwrap();
            assert!(added.secret.is_none());
            let refused = post.desk.rotate_endpoint_secret(&Actor::command_line(), post.tenant, added.id).await;
            assert!(matches!(refused, Err(EngineError::Conflict(_))));
            post.end_a_run(added.id).await;
        }
        let engine = post.sending();
        let (card, blocks) = (teams.received(1).await.remove(0), slack.received(1).await.remove(0));
        assert!(card.header("webhook-signature").is_empty() && blocks.header("webhook-signature").is_empty());
        let card: serde_json::Value = serde_json::from_slice(&card.body).unwrap();
        assert_eq!(card["attachments"][0]["content"]["type"], "AdaptiveCard");
        let blocks: serde_json::Value = serde_json::from_slice(&blocks.body).unwrap();
        assert!(blocks["text"].as_str().is_some_and(|text| text.ends_with(": failed")), "{blocks}");
        engine.shutdown().await;
    }

    async fn neither_address_nor_secret_stands_in_the_database_or_the_audit_log(test: TestDatabase) {
        let post = Post::new(test).await;
        let added = post.add(EndpointKind::Webhook, "https://hooks.example.com/services/T0/a-right?sig=another").await.unwrap();
        let secret = added.secret.unwrap();
        let endpoint = endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap();
        assert_eq!(endpoint.address_shown, "hooks.example.com");
        let shown = format!("{endpoint:?} {}", serde_json::to_string(&endpoint).unwrap());
        let entries = audit::list(&post.test.db, &audit::Filter { limit: 50, ..Default::default() }).await.unwrap();
        let entries = serde_json::to_string(&entries.iter().map(|entry| &entry.context).collect::<Vec<_>>()).unwrap();
        for text in [shown, entries] {
            assert!(!text.contains("a-right") && !text.contains("sig=") && !text.contains("whsec_"), "{text}");
        }
        let open = endpoints::open(&post.test.db, &post.vault, post.tenant, added.id, post.desk.now()).await.unwrap().unwrap();
        assert!(open.address.expose_secret().ends_with("/services/T0/a-right?sig=another"));
        assert_eq!(open.secrets.len(), 1);
        assert_eq!(open.secrets[0].expose_secret(), secret.expose_secret());
        assert!(!format!("{open:?}").contains("a-right"));
    }
}
