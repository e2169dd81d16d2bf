//! What is sent at least once, tried again, held back and given up.

use std::time::Duration;

use secrecy::SecretString;
use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, MOST_ATTEMPTS};
use tenantatlas_domain::role::Role;
use tenantatlas_engine::{Actor, EndpointNotice};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{audit, deliveries, endpoints, notifications};

use super::post::{Post, Receiver};

on_both_engines! {
    async fn what_fails_is_tried_again_under_the_same_id_for_a_day_and_then_given_up(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["500 Internal Server Error"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let written = post.end_a_run(added.id).await;
        let engine = post.sending();
        let mut waited = 0;
        for attempt in 1..=u64::from(MOST_ATTEMPTS) {
            let settled =
                post.until(written.id, |one| one.attempt == attempt && one.http_status.is_some() && one.tries == attempt).await;
            if attempt < u64::from(MOST_ATTEMPTS) {
                assert_eq!(settled.status, DeliveryStatus::Waiting);
                let seconds = (settled.next_at.as_millis() - engine.now().as_millis()).div_euclid(1_000) + 1;
                waited += seconds;
                post.clock.forward(seconds);
            } else {
                assert_eq!(settled.status, DeliveryStatus::Failed);
                assert_eq!(settled.reason.as_deref(), Some("The other side answered 500."));
            }
        }
        assert!((20..28).contains(&(waited / 3_600)), "{waited} seconds");
        let received = receiver.received(MOST_ATTEMPTS as usize).await;
        assert!(received.iter().all(|one| one.header("webhook-id") == written.id.to_string()));
        let secret = added.secret.unwrap();
        assert!(received.iter().all(|one| one.is_signed_with(&secret)), "each attempt has its own time");
        let attempts = deliveries::attempts(&post.test.db, post.tenant, &[written.id]).await.unwrap();
        assert_eq!(attempts.len(), MOST_ATTEMPTS as usize);
        // A person sends it once more.
        receiver.answer("200 OK");
        post.desk.replay_delivery(&Actor::command_line(), post.tenant, written.id).await.unwrap();
        let done = post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        assert_eq!(done.attempt, u64::from(MOST_ATTEMPTS) + 1);
        assert_eq!(receiver.received(10).await.last().unwrap().header("webhook-id"), written.id.to_string());
        engine.shutdown().await;
    }

    async fn a_message_whose_sender_was_lost_is_sent_by_another_under_the_same_id(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["200 OK"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let written = post.end_a_run(added.id).await;
        let (db, at) = (&post.test.db, post.desk.now());
        // Somebody takes it for no time and never comes back: it may have been sent.
        let mut tx = db.write().await.unwrap();
        let lost = deliveries::claim(&mut tx, "lost", Duration::ZERO, at).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((lost.id, lost.attempt), (written.id, 1));
        let engine = post.sending();
        let done = post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        assert_eq!(done.attempt, 2);
        assert_eq!(receiver.received(1).await[0].header("webhook-id"), written.id.to_string());
        // The lost one comes late, and writes nothing.
        let settled = deliveries::Settled {
            status: DeliveryStatus::Failed, http_status: Some(500), reason: Some("late"), next_at: at,
        };
        let mut tx = db.write().await.unwrap();
        assert!(!deliveries::settle(&mut tx, "lost", &lost, &settled, at).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(post.log(added.id).await[0].status, DeliveryStatus::Delivered);
        engine.shutdown().await;
    }

    async fn what_is_held_by_one_sender_is_taken_by_no_other(test: TestDatabase) {
        let post = Post::new(test).await;
        let added = post.add(EndpointKind::Webhook, "https://hooks.example.com/x").await.unwrap();
        post.end_a_run(added.id).await;
        post.end_a_run(added.id).await;
        let (db, at) = (&post.test.db, post.desk.now());
        let mut tx = db.write().await.unwrap();
        let first = deliveries::claim(&mut tx, "one", Duration::from_secs(60), at).await.unwrap();
        tx.commit().await.unwrap();
        assert!(first.is_some());
        let mut tx = db.write().await.unwrap();
        let second = deliveries::claim(&mut tx, "two", Duration::from_secs(60), at).await.unwrap();
        tx.commit().await.unwrap();
        assert!(second.is_none(), "one message at a time goes to an endpoint: {second:?}");
    }

    async fn an_endpoint_that_wants_no_more_is_switched_off_and_its_managers_are_told(test: TestDatabase) {
        let post = Post::new(test).await;
        let actor = Actor::command_line();
        let password = || SecretString::from("correct horse battery");
        for (name, role) in [("manager", Role::Manager), ("operator", Role::Operator)] {
            let user = post.desk.create_user(&actor, &format!("{name}@example.com"), name, false, password()).await.unwrap();
            post.desk.set_member(&actor, post.tenant, user, role).await.unwrap();
        }
        let receiver = Receiver::start(&["410 Gone"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let first = post.end_a_run(added.id).await;
        let second = post.end_a_run(added.id).await;
        let engine = post.sending();
        post.until(first.id, |one| one.status == DeliveryStatus::Failed).await;
        let given_up = post.until(second.id, |one| one.status == DeliveryStatus::Failed).await;
        assert_eq!(given_up.attempt, 0, "what waits is not sent any more");
        let endpoint = endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap();
        assert!(!endpoint.enabled && endpoint.off_reason.is_some_and(|why| why.contains("410")));
        let members = tenantatlas_store::members::list(&post.test.db, post.tenant).await.unwrap();
        for member in members {
            let filter = notifications::Filter { limit: 10, ..Default::default() };
            let told = notifications::list(&post.test.db, member.user_id, &filter).await.unwrap();
            let notices: Vec<_> = told.iter().filter_map(EndpointNotice::of).collect();
            assert_eq!(notices.len(), usize::from(member.role >= Role::Manager), "{}", member.name);
        }
        let entries = audit::list(&post.test.db, &audit::Filter { limit: 50, ..Default::default() }).await.unwrap();
        assert!(entries.iter().any(|entry| entry.action == "endpoint.switched_off" && entry.tenant_id == Some(post.tenant)));
        engine.shutdown().await;
    }

    async fn an_endpoint_that_fails_for_days_is_switched_off_and_one_delivery_sets_it_right(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["500 Internal Server Error"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let engine = post.sending();
        let fail = async || {
            let written = post.end_a_run(added.id).await;
            post.until(written.id, |one| one.tries > 0 || one.status == DeliveryStatus::Failed).await;
            endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap()
        };
        let began = engine.now();
        assert_eq!(fail().await.failing_since, Some(began));
        post.clock.forward(2 * 86_400);
        assert!(fail().await.enabled);
        receiver.answer("200 OK");
        let written = post.end_a_run(added.id).await;
        post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        receiver.answer("500 Internal Server Error");
        post.clock.forward(2 * 86_400);
        assert!(fail().await.enabled, "days before the last delivery do not count");
        post.clock.forward(3 * 86_400 + 1);
        // What waits since then is tried again by itself.
        let waiting = post.log(added.id).await.remove(0);
        post.until(waiting.id, |one| one.status == DeliveryStatus::Failed).await;
        let endpoint = endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap();
        assert!(!endpoint.enabled && endpoint.off_reason.is_some_and(|why| why.contains("three days")));
        engine.shutdown().await;
    }

    async fn an_endpoint_that_asks_for_quiet_has_it_for_all_messages(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["429 Too Many Requests\r\nRetry-After: 600", "200 OK"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let first = post.end_a_run(added.id).await;
        let engine = post.sending();
        let waiting = post.until(first.id, |one| one.tries == 1).await;
        assert_eq!(waiting.next_at.as_millis() - engine.now().as_millis(), 600_000);
        let second = post.end_a_run(added.id).await;
        post.clock.forward(599);
        assert!(deliveries::is_due(&post.test.db, engine.now()).await.unwrap());
        let mut tx = post.test.db.write().await.unwrap();
        assert!(deliveries::claim(&mut tx, "x", Duration::from_secs(1), engine.now()).await.unwrap().is_none());
        tx.rollback().await.unwrap();
        assert_eq!(receiver.count(), 1);
        post.clock.forward(2);
        for id in [first.id, second.id] {
            post.until(id, |one| one.status == DeliveryStatus::Delivered).await;
        }
        engine.shutdown().await;
    }

    async fn a_redirect_is_a_failure_and_a_test_is_tried_once(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["307 Temporary Redirect\r\nLocation: http://169.254.169.254/"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let id = post.desk.test_endpoint(&Actor::command_line(), post.tenant, added.id).await.unwrap();
        let engine = post.sending();
        let failed = post.until(id, |one| one.status == DeliveryStatus::Failed).await;
        assert_eq!((failed.http_status, failed.attempt), (Some(307), 1));
        assert!(failed.reason.is_some_and(|reason| reason.contains("points elsewhere")));
        engine.shutdown().await;
    }
}
