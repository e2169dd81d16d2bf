//! What somebody does with a sign-in who should not: a password that is not theirs, guesses in parallel, floods, and clocks
//! that are wrong.

use futures::future::join_all;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{
    AccountNotice, Engine, EngineError, RequireSecondFactor, SetUp, SignIn, Visitor, hash_token, new_token,
};
use tenantatlas_store::audit::{self, Entry, Outcome};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::testing::on_both_engines;
use tenantatlas_store::{one_time_links, pending_sign_ins};

use crate::signing_in::{Gate, PASSWORD, authenticator, kind, secret, visitor};
use crate::support::{graph, quick, soon};

impl Gate {
    /// The right password of Ada, who must set up a second factor then.
    async fn wait_for_set_up(&self, visitor: &Visitor) -> (TokenHash, SetUp) {
        let step = self.engine.sign_in(visitor, "ada@example.com", secret(PASSWORD)).await.unwrap();
        let SignIn::SetUp(waiting) = step else { panic!("{}", kind(&step)) };
        let waiting = hash_token(&waiting);
        let shown = self.engine.set_up_at_sign_in(&waiting).await.unwrap().expect("it is shown");
        (waiting, shown)
    }

    /// The right password of Ada, who has a second factor.
    async fn wait_for_code(&self, visitor: &Visitor) -> TokenHash {
        let step = self.engine.sign_in(visitor, "ada@example.com", secret(PASSWORD)).await.unwrap();
        let SignIn::Code(waiting) = step else { panic!("{}", kind(&step)) };
        hash_token(&waiting)
    }

    async fn guess(&self, from: &str) -> Result<SignIn, EngineError> {
        self.engine.sign_in(&visitor(from), "ada@example.com", secret("a guess")).await
    }

    async fn entries(&self, action: &str) -> Vec<Entry> {
        let filter = audit::Filter { limit: 500, ..audit::Filter::default() };
        let entries = audit::list(&self.test.db, &filter).await.unwrap();
        entries.into_iter().filter(|entry| entry.action == action).collect()
    }

    /// Where the sign-ins came from that Ada was told of as unfinished, and how many each notice counts.
    async fn told(&self, user: UserId) -> Vec<(String, u32)> {
        let notices = self.notices(user).await.into_iter();
        let missing = notices.filter_map(|notice| match notice {
            AccountNotice::SecondStepMissing { address, times, .. } => Some((address, times)),
            _ => None,
        });
        missing.collect()
    }
}

on_both_engines! {
    async fn whoever_knows_the_first_password_learns_nothing_of_the_second_factor_the_person_sets_up(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::Everyone).await;
        let ada = gate.person("ada", false).await;
        let (theirs, mine) = (visitor("198.51.100.1"), visitor("192.0.2.1"));
        let (thief, stolen) = gate.wait_for_set_up(&theirs).await;
        let (person, shown) = gate.wait_for_set_up(&mine).await;
        assert_ne!(stolen.secret, shown.secret);
        assert!(stolen.recovery_codes.iter().all(|code| !shown.recovery_codes.contains(code)));
        let code = |set_up: &SetUp| authenticator(&set_up.secret, gate.engine.now());
        let crossed = gate.engine.sign_in_with_set_up(&mine, &person, &code(&stolen)).await.unwrap();
        assert_eq!(kind(&crossed), "refused", "what another sign-in shows confirms nothing");
        let step = gate.engine.sign_in_with_set_up(&mine, &person, &code(&shown)).await.unwrap();
        assert_eq!(kind(&step), "opened");
        assert!(gate.engine.set_up_at_sign_in(&thief).await.unwrap().is_none());
        let late = gate.engine.sign_in_with_set_up(&theirs, &thief, &code(&stolen)).await.unwrap();
        assert_eq!(kind(&late), "ended");
        assert_eq!(gate.entries("session.password_accepted").await.len(), 2);
        let told = gate.told(ada).await;
        assert!(told.contains(&("198.51.100.1".to_owned(), 1)), "{told:?}");
        gate.clock.forward(30);
        for stolen in [code(&stolen), stolen.recovery_codes[0].clone()] {
            let waiting = gate.wait_for_code(&theirs).await;
            assert_eq!(kind(&gate.engine.sign_in_with_code(&theirs, &waiting, &stolen).await.unwrap()), "refused");
        }
        let waiting = gate.wait_for_code(&mine).await;
        let own = shown.recovery_codes[0].clone();
        assert_eq!(kind(&gate.engine.sign_in_with_code(&mine, &waiting, &own).await.unwrap()), "opened");
    }

    async fn what_one_session_sets_up_is_not_shown_in_another_of_the_same_person(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        let thief = gate.actor(&gate.enter(&visitor("198.51.100.1"), "ada").await.token).await.unwrap();
        let person = gate.actor(&gate.enter(&here, "ada").await.token).await.unwrap();
        gate.engine.begin_second_factor(&thief).await.unwrap();
        let stolen = gate.engine.second_factor_set_up(&thief).await.unwrap().unwrap();
        assert!(gate.engine.second_factor_set_up(&person).await.unwrap().is_none());
        let code = authenticator(&stolen.secret, gate.engine.now());
        let crossed = gate.engine.confirm_second_factor(&person, &here, &code).await;
        assert!(matches!(crossed, Err(EngineError::NotFound(_))), "{crossed:?}");
        let (_, codes) = gate.second_factor(&person).await;
        assert!(stolen.recovery_codes.iter().all(|code| !codes.contains(code)));
        gate.engine.new_recovery_codes(&thief).await.unwrap();
        assert!(gate.engine.second_factor_set_up(&person).await.unwrap().is_none());
        let kept = gate.engine.keep_recovery_codes(&person).await;
        assert!(matches!(kept, Err(EngineError::NotFound(_))), "what they did not see they do not put in force: {kept:?}");
    }

    async fn the_right_password_without_the_code_is_written_down_and_told(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let actor = gate.actor(&gate.enter(&visitor("192.0.2.1"), "ada").await.token).await.unwrap();
        gate.second_factor(&actor).await;
        let theirs = visitor("198.51.100.1");
        let waiting = gate.wait_for_code(&theirs).await;
        let entry = gate.entries("session.password_accepted").await.remove(0);
        assert_eq!((entry.outcome, entry.resource_id), (Outcome::Success, ada.to_string()));
        assert_eq!((&entry.context["waits_for"], &entry.context["address"]), (&"code".into(), &"198.51.100.1".into()));
        for _ in 0..2 {
            assert_eq!(kind(&gate.engine.sign_in_with_code(&theirs, &waiting, "000000").await.unwrap()), "refused");
        }
        assert_eq!(gate.told(ada).await, [("198.51.100.1".to_owned(), 1)], "once for each sign-in");
        for from in ["203.0.113.1", "203.0.113.2"] {
            gate.wait_for_code(&visitor(from)).await;
        }
        gate.clock.forward(301);
        let (db, vault) = (gate.test.db.clone(), gate.vault.clone());
        let sweeping = Engine::start_with_clock(quick(), db, vault, graph(), std::sync::Arc::new(gate.clock.clone()));
        let told = async {
            while gate.told(ada).await.len() < 2 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        soon(told).await;
        assert_eq!(gate.told(ada).await[1], ("203.0.113.2".to_owned(), 2), "the other two together");
        assert!(!pending_sign_ins::has_ended(&gate.test.db, gate.engine.now()).await.unwrap());
        sweeping.shutdown().await;
    }

    async fn who_signs_in_rightly_again_and_again_does_not_fill_the_audit_log(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        let mut last = gate.enter(&here, "ada").await;
        let mut opened = 1;
        // The rate goes by the time of the machine, on which one takes far less than the ten seconds of another.
        let refused = loop {
            // Of ten browsers the ones used last are known.
            gate.clock.forward(1);
            match gate.engine.sign_in(&here, "ada@example.com", secret(PASSWORD)).await {
                Ok(SignIn::Opened(next)) => (last, opened) = (next, opened + 1),
                Ok(other) => panic!("{}", kind(&other)),
                Err(error) => break error,
            }
            assert!(opened < 300, "it is refused in the end");
        };
        assert!(matches!(refused, EngineError::TooMany(_)), "{refused:?}");
        let known = Visitor { browser: last.browser_token.as_deref().map(hash_token), ..here.clone() };
        let step = gate.engine.sign_in(&known, "ada@example.com", secret(PASSWORD)).await.unwrap();
        let SignIn::Opened(opened) = step else { panic!("the browser of the person still opens") };
        let mut token = opened.token;
        let mut confirmed = 0;
        let refused = loop {
            let actor = gate.actor(&token).await.unwrap();
            match gate.engine.confirm(&actor, &known, secret(PASSWORD), "").await {
                Ok(next) => (token, confirmed) = (next, confirmed + 1),
                Err(error) => break error,
            }
            assert!(confirmed < 300, "it is refused in the end");
        };
        assert!(matches!(refused, EngineError::TooMany(_)), "{refused:?}");
    }

    async fn one_site_of_ipv6_has_few_guesses_in_all_of_its_networks_together(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let mut through = 0;
        for network in 0..40 {
            through += u32::from(gate.guess(&format!("2001:db8:1:{network:x}00::1")).await.is_ok());
        }
        assert!((24..=26).contains(&through), "from one /48: {through}");
        through = 0;
        for network in 0..40 {
            through += u32::from(gate.guess(&format!("2001:db8:2:1{network:02x}::1")).await.is_ok());
        }
        assert!((16..=18).contains(&through), "from one /56: {through}");
        let step = gate.engine.sign_in(&visitor("2001:db8:3::1"), "ada@example.com", secret(PASSWORD)).await.unwrap();
        assert_eq!(kind(&step), "opened", "the person signs in from elsewhere");
    }

    async fn the_session_of_another_person_that_a_sign_in_ends_is_closed_in_the_audit_log(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let (ada, bob) = (gate.person("ada", false).await, gate.person("bob", false).await);
        let opened = gate.enter(&visitor("192.0.2.1"), "ada").await;
        let shared = Visitor { session: Some(hash_token(&opened.token)), ..visitor("192.0.2.1") };
        gate.enter(&shared, "bob").await;
        assert!(gate.actor(&opened.token).await.is_none());
        let closed = gate.entries("session.closed").await.remove(0);
        assert_eq!((closed.resource_id, closed.actor_id), (ada.to_string(), Some(bob)));
    }

    async fn a_code_that_is_sent_twice_to_take_the_second_factor_away_is_told_and_written_down(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        let actor = gate.actor(&gate.enter(&here, "ada").await.token).await.unwrap();
        let (key, _) = gate.second_factor(&actor).await;
        let used = authenticator(&key, gate.engine.now());
        let refused = gate.engine.remove_second_factor(&actor, &here, &used).await;
        assert!(matches!(refused, Err(EngineError::Invalid { field: "code", .. })), "{refused:?}");
        assert_eq!(gate.entries("user.second_factor_reused").await.len(), 1);
        assert!(gate.notices(ada).await.iter().any(|notice| matches!(notice, AccountNotice::CodeReused { .. })));
    }

    async fn guesses_at_the_same_time_do_not_pass_the_throttle(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        let actor = gate.actor(&gate.enter(&here, "ada").await.token).await.unwrap();
        gate.engine.begin_second_factor(&actor).await.unwrap();
        let compared = |done: &Result<(), EngineError>| matches!(done, Err(EngineError::Invalid { field: "code", .. }));
        let mut let_through = 0;
        for _ in 0..5 {
            let guesses = (0..20).map(|_| gate.engine.confirm_second_factor(&actor, &here, "000000"));
            let_through += join_all(guesses).await.iter().filter(|done| compared(done)).count();
        }
        assert!((1..=9).contains(&let_through), "{let_through}");
    }

    async fn a_clock_that_was_ahead_locks_nobody_out_of_their_authenticator(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        gate.clock.forward(86_400);
        let actor = gate.actor(&gate.enter(&here, "ada").await.token).await.unwrap();
        let (key, _) = gate.second_factor(&actor).await;
        gate.clock.forward(-86_400);
        let code = authenticator(&key, gate.engine.now());
        let waiting = gate.wait_for_code(&here).await;
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, &code).await.unwrap()), "opened");
        let waiting = gate.wait_for_code(&here).await;
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, &code).await.unwrap()), "refused", "once");
    }

    async fn strangers_do_not_keep_the_first_administrator_away(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ((_, wrong), (_, link)) = (new_token(), new_token());
        let mut tx = gate.test.db.write().await.unwrap();
        let (now, purpose) = (gate.engine.now(), one_time_links::Purpose::FirstAdministrator);
        let until = Timestamp::from_millis(now.as_millis() + 1_000_000);
        one_time_links::create(&mut tx, &link, purpose, None, now, until).await.unwrap();
        tx.commit().await.unwrap();
        let claim = async |from: &str, link: &TokenHash| {
            gate.engine.claim_first_administrator(&visitor(from), link, "Root", "root@example.com", secret(PASSWORD)).await
        };
        for stranger in 0..120 {
            let refused = claim(&format!("198.51.100.{stranger}"), &wrong).await;
            assert!(matches!(refused, Err(EngineError::NotFound(_))));
        }
        let mut slowed = 0;
        for _ in 0..60 {
            slowed += u32::from(matches!(claim("203.0.113.1", &wrong).await, Err(EngineError::TooMany(_))));
        }
        assert!(slowed >= 15, "one network is slowed down all the same: {slowed}");
        assert!(claim("192.0.2.1", &link).await.is_ok());
        assert_eq!(gate.entries("user.created").await.len(), 1);
    }
}
