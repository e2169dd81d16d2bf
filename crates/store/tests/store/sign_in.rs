//! Sessions, one-time links, throttled sign-ins.

use std::time::Duration;

use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::one_time_links::{self, FirstAdministrator, Purpose};
use tenantatlas_store::sessions::{self, NewSession};
use tenantatlas_store::sign_in_attempts::{self, Throttle};
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{Db, users};
use uuid::Uuid;

use crate::world::{at, user};

async fn session(db: &Db, user: UserId, token: u8, idle: Timestamp, end: Timestamp) -> Uuid {
    let new = NewSession {
        id: Uuid::now_v7(),
        user_id: user,
        idle_expires_at: idle,
        expires_at: end,
        user_agent: "Browser\0".repeat(100),
        address: "127.0.0.1".to_owned(),
    };
    let mut tx = db.write().await.unwrap();
    sessions::create(&mut tx, &[token; 32], &new, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    new.id
}

on_both_engines! {
    async fn a_session_ends_when_idle_when_over_and_when_its_person_is_disabled(test: TestDatabase) {
        let db = &test.db;
        let ada = user(db, "Ada", false).await;
        let id = session(db, ada, 1, at(100), at(1_000)).await;
        let found = sessions::find(db, &[1; 32], at(50)).await.unwrap().unwrap();
        assert_eq!((found.session.id, found.user.id), (id, ada));
        assert!(sessions::find(db, &[2; 32], at(50)).await.unwrap().is_none());
        assert!(sessions::find(db, &[1; 32], at(100)).await.unwrap().is_none());
        let mut tx = db.write().await.unwrap();
        assert!(sessions::touch(&mut tx, id, at(90), at(5_000)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(sessions::find(db, &[1; 32], at(999)).await.unwrap().is_some());
        assert!(sessions::find(db, &[1; 32], at(1_000)).await.unwrap().is_none());
        let mut tx = db.write().await.unwrap();
        assert!(!sessions::touch(&mut tx, id, at(1_000), at(9_000)).await.unwrap());
        users::set_disabled(&mut tx, ada, Some(at(60)), at(60)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(sessions::find(db, &[1; 32], at(70)).await.unwrap().is_none());
    }

    async fn a_renewed_token_leaves_the_old_one_worth_nothing_and_only_its_person_renews_it(test: TestDatabase) {
        let db = &test.db;
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let id = session(db, ada, 1, at(100), at(100)).await;
        assert_eq!(sessions::verified_at(db, ada, id, at(5)).await.unwrap(), Some(at(0)));
        let mut tx = db.write().await.unwrap();
        assert!(!sessions::renew(&mut tx, bob, id, &[8; 32], at(5), at(5)).await.unwrap(), "not theirs");
        assert!(!sessions::renew(&mut tx, ada, id, &[8; 32], at(100), at(100)).await.unwrap(), "it has ended");
        assert!(sessions::renew(&mut tx, ada, id, &[9; 32], at(5), at(5)).await.unwrap());
        tx.commit().await.unwrap();
        assert!(sessions::find(db, &[1; 32], at(6)).await.unwrap().is_none());
        let found = sessions::find(db, &[9; 32], at(6)).await.unwrap().unwrap();
        assert_eq!(found.session.verified_at, at(5));
        assert_eq!(sessions::verified_at(db, bob, id, at(6)).await.unwrap(), None);
        assert_eq!(sessions::verified_at(db, ada, id, at(100)).await.unwrap(), None);
    }

    async fn signing_out_everywhere_leaves_at_most_the_session_in_use(test: TestDatabase) {
        let db = &test.db;
        let (ada, bob) = (user(db, "Ada", false).await, user(db, "Bob", false).await);
        let first = session(db, ada, 1, at(100), at(100)).await;
        let second = session(db, ada, 2, at(100), at(100)).await;
        session(db, ada, 3, at(100), at(100)).await;
        let other = session(db, bob, 4, at(100), at(100)).await;
        let mut tx = db.write().await.unwrap();
        assert!(!sessions::revoke_one(&mut tx, ada, other).await.unwrap());
        assert!(sessions::revoke_one(&mut tx, ada, second).await.unwrap());
        assert_eq!(sessions::revoke_all(&mut tx, ada, Some(first)).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(sessions::list(db, ada, at(1)).await.unwrap().len(), 1);
        let mut tx = db.write().await.unwrap();
        assert_eq!(sessions::revoke_all(&mut tx, ada, None).await.unwrap(), 1);
        let revoked = sessions::revoke(&mut tx, &[4; 32]).await.unwrap().unwrap();
        assert_eq!((revoked.id, revoked.user_id), (other, bob));
        assert!(sessions::revoke(&mut tx, &[4; 32]).await.unwrap().is_none());
        tx.commit().await.unwrap();
        assert!(sessions::list(db, bob, at(1)).await.unwrap().is_empty());
    }

    async fn ended_sessions_and_links_are_swept(test: TestDatabase) {
        let db = &test.db;
        let ada = user(db, "Ada", false).await;
        session(db, ada, 1, at(10), at(100)).await;
        session(db, ada, 2, at(90), at(100)).await;
        let mut tx = db.write().await.unwrap();
        one_time_links::create(&mut tx, &[7; 32], Purpose::SetPassword, Some(ada), at(0), at(10)).await.unwrap();
        assert_eq!(sessions::remove_ended(&mut tx, at(50)).await.unwrap(), 1);
        assert_eq!(one_time_links::remove_ended(&mut tx, at(50)).await.unwrap(), 1);
    }

    async fn a_one_time_link_works_once_in_time_and_for_its_purpose(test: TestDatabase) {
        let db = &test.db;
        let ada = user(db, "Ada", false).await;
        let mut tx = db.write().await.unwrap();
        one_time_links::create(&mut tx, &[1; 32], Purpose::SetPassword, Some(ada), at(0), at(10)).await.unwrap();
        one_time_links::create(&mut tx, &[2; 32], Purpose::FirstAdministrator, None, at(0), at(10)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(one_time_links::peek(db, &[2; 32], Purpose::FirstAdministrator, at(9)).await.unwrap(), Some(None));
        assert_eq!(one_time_links::peek(db, &[2; 32], Purpose::SetPassword, at(9)).await.unwrap(), None);
        let mut tx = db.write().await.unwrap();
        assert_eq!(one_time_links::take(&mut tx, &[1; 32], Purpose::SetPassword, at(10)).await.unwrap(), None);
        assert_eq!(one_time_links::take(&mut tx, &[1; 32], Purpose::SetPassword, at(9)).await.unwrap(), Some(Some(ada)));
        assert_eq!(one_time_links::take(&mut tx, &[1; 32], Purpose::SetPassword, at(9)).await.unwrap(), None);
        one_time_links::create(&mut tx, &[3; 32], Purpose::FirstAdministrator, None, at(1), at(10)).await.unwrap();
        assert_eq!(one_time_links::peek(&mut tx, &[2; 32], Purpose::FirstAdministrator, at(2)).await.unwrap(), None);
    }

    async fn a_block_that_ends_further_ahead_than_the_longest_wait_refuses_nobody(test: TestDatabase) {
        let db = &test.db;
        let (subject, hour) = ([5; 32], 3_600_000);
        let throttle = Throttle {
            window: Duration::from_secs(60),
            free: 0,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(3),
        };
        let mut tx = db.write().await.unwrap();
        // By a clock that was an hour ahead.
        let until = sign_in_attempts::record_failure(&mut tx, &subject, &throttle, at(hour)).await.unwrap();
        assert_eq!(until, Some(at(hour + 1_000)));
        assert_eq!(sign_in_attempts::blocked_until(&mut tx, &subject, &throttle, at(hour)).await.unwrap(), until);
        assert_eq!(sign_in_attempts::blocked_until(&mut tx, &subject, &throttle, at(0)).await.unwrap(), None);
        // The failures of that window do not count either.
        let until = sign_in_attempts::record_failure(&mut tx, &subject, &throttle, at(0)).await.unwrap();
        assert_eq!(until, Some(at(1_000)));
        sign_in_attempts::record_failure(&mut tx, &[6; 32], &throttle, at(hour)).await.unwrap();
        assert_eq!(sign_in_attempts::remove_old(&mut tx, throttle.window.max(throttle.longest_wait), at(0)).await.unwrap(), 1);
        tx.commit().await.unwrap();
    }

    async fn of_servers_that_start_together_one_makes_the_link_for_the_first_administrator(test: TestDatabase) {
        let db = &test.db;
        let settled = Duration::from_secs(30);
        let make = |token: u8, millis: i64| async move {
            let mut tx = db.write().await.unwrap();
            let (at, end) = (at(millis), at(millis + 86_400_000));
            let hash = [token; 32];
            let made = one_time_links::create_for_first_administrator(&mut tx, &hash, settled, at, end).await.unwrap();
            tx.commit().await.unwrap();
            made
        };
        let working = |millis: i64| async move {
            let mut working = Vec::new();
            for token in 0..30_u8 {
                let purpose = Purpose::FirstAdministrator;
                if one_time_links::peek(db, &[token; 32], purpose, at(millis)).await.unwrap().is_some() {
                    working.push(token);
                }
            }
            working
        };
        let made = futures::future::join_all((0..12).map(|token| make(token, i64::from(token)))).await;
        assert_eq!(made.iter().filter(|made| **made == FirstAdministrator::Made).count(), 1, "{made:?}");
        assert_eq!(working(20).await.len(), 1);
        assert!(matches!(make(20, 29_000).await, FirstAdministrator::MadeElsewhere(_)));
        assert_eq!(make(21, 31_000).await, FirstAdministrator::Made);
        assert_eq!(working(31_001).await, [21]);
        assert_eq!(make(22, -3_600_000).await, FirstAdministrator::Made, "after a clock was set back");
        user(db, "Ada", true).await;
        assert_eq!(make(23, 99_000_000).await, FirstAdministrator::NotNeeded);
    }

    async fn guessing_is_slowed_down_more_and_more_and_forgotten_after_the_window(test: TestDatabase) {
        let db = &test.db;
        let throttle = Throttle {
            window: Duration::from_secs(60),
            free: 2,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(3),
        };
        let subject = [5; 32];
        let mut tx = db.write().await.unwrap();
        let mut waits = Vec::new();
        for _ in 0..6 {
            let until = sign_in_attempts::record_failure(&mut tx, &subject, &throttle, at(0)).await.unwrap();
            waits.push(until.map(|until| until.as_millis() - at(0).as_millis()));
        }
        assert_eq!(waits, [None, None, Some(1_000), Some(2_000), Some(3_000), Some(3_000)]);
        tx.commit().await.unwrap();
        assert_eq!(sign_in_attempts::blocked_until(db, &subject, &throttle, at(2_999)).await.unwrap(), Some(at(3_000)));
        assert_eq!(sign_in_attempts::blocked_until(db, &subject, &throttle, at(3_000)).await.unwrap(), None);
        let mut tx = db.write().await.unwrap();
        let later = sign_in_attempts::record_failure(&mut tx, &subject, &throttle, at(61_000)).await.unwrap();
        assert_eq!(later, None);
        sign_in_attempts::clear(&mut tx, &subject).await.unwrap();
        sign_in_attempts::record_failure(&mut tx, &[6; 32], &throttle, at(0)).await.unwrap();
        assert_eq!(sign_in_attempts::remove_old(&mut tx, throttle.window, at(100_000)).await.unwrap(), 1);
    }
}
