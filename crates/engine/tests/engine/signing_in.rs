//! Signing in: steps, throttle, sessions, confirmation, second factor, and what the audit log says of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ring::hmac;
use secrecy::SecretString;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{
    AccountNotice, Actor, AddedMember, Clock, Engine, EngineConfig, EngineError, Opened, RequireSecondFactor,
    SessionPolicy, SignIn, Visitor, hash_token, new_token,
};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{
    Vault, audit, known_browsers, members, notifications, one_time_links, pending_sign_ins, users,
};

use crate::support::{graph, idle};

pub const PASSWORD: &str = "correct horse battery";

/// A clock that stands until it is moved.
#[derive(Clone)]
pub struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl Hands {
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(time.as_millis())))
    }

    pub fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

pub struct Gate {
    pub engine: Engine,
    pub clock: Hands,
    pub vault: Vault,
    pub test: TestDatabase,
    _keys: tempfile::TempDir,
}

pub fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub fn visitor(address: &str) -> Visitor {
    Visitor::from_address(address.parse::<IpAddr>().unwrap())
}

/// What an authenticator shows: RFC 6238, written down a second time.
pub fn authenticator(key: &str, now: Timestamp) -> String {
    let bits: String = key
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap())
        .map(|value| format!("{value:05b}"))
        .collect();
    let bytes: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect();
    let counter = u64::try_from(now.as_millis() / 30_000).unwrap();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes), &counter.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

impl Gate {
    pub async fn new(test: TestDatabase, rule: RequireSecondFactor) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&test.db, &keys.path().join("key")).await.unwrap();
        let clock = Hands::at(Timestamp::from_millis(1_700_000_000_000));
        let sessions = SessionPolicy { require_second_factor: rule, ..SessionPolicy::default() };
        let config = EngineConfig { sessions, ..idle() };
        let engine = Engine::start_with_clock(config, test.db.clone(), vault.clone(), graph(), Arc::new(clock.clone()));
        Self { engine, clock, vault, test, _keys: keys }
    }

    pub async fn person(&self, name: &str, platform_admin: bool) -> UserId {
        let email = format!("{name}@example.com");
        self.engine.create_user(&Actor::command_line(), &email, name, platform_admin, secret(PASSWORD)).await.unwrap()
    }

    pub async fn enter(&self, visitor: &Visitor, name: &str) -> Opened {
        match self.engine.sign_in(visitor, &format!("{name}@example.com"), secret(PASSWORD)).await.unwrap() {
            SignIn::Opened(opened) => opened,
            other => panic!("{}", kind(&other)),
        }
    }

    /// The person of a session, as a request of that session acts.
    pub async fn actor(&self, token: &str) -> Option<Actor> {
        let found = self.engine.session(&hash_token(token)).await.unwrap()?;
        let actor = Actor::person(found.user.id, found.user.name, found.user.email);
        Some(actor.from_address("192.0.2.1".parse().ok()).in_session(found.session.id))
    }

    /// Sets up a second factor and answers its key and the recovery codes.
    pub async fn second_factor(&self, actor: &Actor) -> (String, Vec<String>) {
        self.engine.begin_second_factor(actor).await.unwrap();
        let shown = self.engine.second_factor_set_up(actor).await.unwrap().unwrap();
        let code = authenticator(&shown.secret, self.engine.now());
        self.engine.confirm_second_factor(actor, &visitor("192.0.2.1"), &code).await.unwrap();
        assert!(self.engine.second_factor_set_up(actor).await.unwrap().is_none(), "shown only once");
        (shown.secret, shown.recovery_codes)
    }

    pub async fn actions(&self) -> Vec<String> {
        let filter = audit::Filter { limit: 200, ..Default::default() };
        let entries = audit::list(&self.test.db, &filter).await.unwrap();
        entries.into_iter().rev().map(|entry| entry.action).collect()
    }

    pub async fn notices(&self, user: UserId) -> Vec<AccountNotice> {
        let filter = notifications::Filter { limit: 50, ..Default::default() };
        let found = notifications::list(&self.test.db, user, &filter).await.unwrap();
        found.iter().rev().filter_map(AccountNotice::of).collect()
    }
}

pub fn kind(step: &SignIn) -> &'static str {
    match step {
        SignIn::Opened(_) => "opened",
        SignIn::Code(_) => "code",
        SignIn::SetUp(_) => "set up",
        SignIn::Refused => "refused",
        SignIn::Ended => "ended",
    }
}

on_both_engines! {
    async fn every_way_into_and_out_of_a_session_is_in_the_audit_log_without_what_was_typed(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let here = visitor("2001:db8:1:2::1");
        for (email, password) in [("ada@example.com", "wrong"), ("hunter2@example.com", PASSWORD)] {
            let step = gate.engine.sign_in(&here, email, secret(password)).await.unwrap();
            assert_eq!(kind(&step), "refused");
        }
        let first = gate.enter(&here, "ada").await;
        let second = gate.enter(&here, "ada").await;
        let actor = gate.actor(&second.token).await.unwrap();
        let other = gate.actor(&first.token).await.unwrap();
        gate.engine.end_session(&actor, other.session.unwrap()).await.unwrap();
        gate.engine.sign_out(&Visitor { session: Some(hash_token(&second.token)), ..here.clone() }).await.unwrap();
        let third = gate.enter(&here, "ada").await;
        gate.engine.sign_out_everywhere(&gate.actor(&third.token).await.unwrap()).await.unwrap();
        assert!(gate.actor(&third.token).await.is_none());
        assert_eq!(
            gate.actions().await,
            [
                "user.created",
                "session.failed",
                "session.failed",
                "session.opened",
                "session.opened",
                "session.revoked",
                "session.closed",
                "session.opened",
                "session.closed_everywhere",
            ]
        );
        let filter = audit::Filter { limit: 200, ..Default::default() };
        let entries = audit::list(&gate.test.db, &filter).await.unwrap();
        let failed: Vec<_> = entries.iter().filter(|entry| entry.action == "session.failed").collect();
        let about: Vec<&str> = failed.iter().rev().map(|entry| entry.resource_id.as_str()).collect();
        assert_eq!(about, [ada.to_string().as_str(), "unknown"]);
        assert!(failed.iter().all(|entry| entry.context["address"] == "2001:db8:1:2::1"));
        assert!(!format!("{entries:?}").contains("hunter2"), "what was typed may be a password");
    }

    async fn strangers_cannot_lock_a_person_out_of_their_own_browser(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let home = visitor("192.0.2.1");
        let opened = gate.enter(&home, "ada").await;
        let known = Visitor { browser: opened.browser_token.as_deref().map(hash_token), ..home.clone() };
        let mut refused = 0;
        for attempt in 0..130_u32 {
            // From a network of its own each time, and now and then from where the person is.
            let from = if attempt % 10 == 0 { home.clone() } else { visitor(&format!("198.51.100.{attempt}")) };
            match gate.engine.sign_in(&from, "ada@example.com", secret("a guess")).await {
                Ok(step) => assert_eq!(kind(&step), "refused"),
                Err(EngineError::TooMany(_)) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(refused >= 30, "an account takes a hundred failures an hour from everywhere: {refused}");
        let blocked = gate.engine.sign_in(&visitor("203.0.113.9"), "ada@example.com", secret(PASSWORD)).await;
        assert!(matches!(blocked, Err(EngineError::TooMany(_))), "a browser that nobody knows waits with the others");
        let step = gate.engine.sign_in(&known, "ada@example.com", secret(PASSWORD)).await.unwrap();
        assert_eq!(kind(&step), "opened");
        assert!(gate.actions().await.contains(&"session.throttled".to_owned()));
    }

    async fn a_network_of_ipv6_and_a_known_browser_are_slowed_down_as_one(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let opened = gate.enter(&visitor("192.0.2.1"), "ada").await;
        let browser = opened.browser_token.as_deref().map(hash_token);
        let guess = async |visitor: Visitor| gate.engine.sign_in(&visitor, "ada@example.com", secret("a guess")).await;
        for attempt in 1..=9 {
            assert!(guess(visitor(&format!("2001:db8::{attempt}"))).await.is_ok());
        }
        assert!(matches!(guess(visitor("2001:db8::ffff")).await, Err(EngineError::TooMany(_))));
        for attempt in 1..=9 {
            let from = Visitor { browser, ..visitor(&format!("203.0.113.{attempt}")) };
            assert!(guess(from).await.is_ok());
        }
        let stolen = Visitor { browser, ..visitor("203.0.113.99") };
        assert!(matches!(guess(stolen).await, Err(EngineError::TooMany(_))), "a stolen cookie is no free pass");
    }

    async fn a_session_ends_after_half_an_hour_of_rest_and_after_twelve_hours_in_any_case(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        gate.person("ada", false).await;
        let resting = gate.enter(&visitor("192.0.2.1"), "ada").await;
        gate.clock.forward(29 * 60);
        let token = hash_token(&resting.token);
        let user = resting.user_id;
        assert!(gate.engine.session_stands_for(&token, user).await.unwrap());
        gate.clock.forward(60);
        assert!(!gate.engine.session_stands_for(&token, user).await.unwrap(), "a page left open keeps nothing alive");
        assert!(gate.actor(&resting.token).await.is_none());
        assert_eq!(resting.lifetime.as_secs(), 12 * 3_600);
    }

    async fn sensitive_commands_ask_for_the_password_again_after_ten_minutes(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let (admin, ada) = (gate.person("root-person", true).await, gate.person("ada", false).await);
        let here = visitor("192.0.2.1");
        let opened = gate.enter(&here, "root-person").await;
        let actor = gate.actor(&opened.token).await.unwrap();
        gate.engine.set_user_disabled(&actor, ada, true).await.unwrap();
        gate.clock.forward(601);
        let stale = async |done: Result<(), EngineError>| assert!(matches!(done, Err(EngineError::Confirm)), "{done:?}");
        stale(gate.engine.set_user_disabled(&actor, ada, false).await).await;
        stale(gate.engine.set_platform_admin(&actor, ada, true).await).await;
        stale(gate.engine.set_password(&actor, ada, secret("another long sentence")).await).await;
        stale(gate.engine.remove_user(&actor, ada, "ada@example.com").await).await;
        stale(gate.engine.reset_second_factor(&actor, ada).await).await;
        stale(gate.engine.begin_second_factor(&actor).await).await;
        let new = gate.engine.create_user(&actor, "eve@example.com", "Eve", true, secret(PASSWORD)).await;
        assert!(matches!(new, Err(EngineError::Confirm)), "{new:?}");
        let bare = Actor { session: None, ..actor.clone() };
        stale(gate.engine.set_user_disabled(&bare, ada, false).await).await;
        gate.engine.rename_self(&actor, "Root P.").await.unwrap();
        let wrong = gate.engine.confirm(&actor, &here, secret("not it at all"), "").await;
        assert!(matches!(wrong, Err(EngineError::Invalid { field: "password", .. })), "{wrong:?}");
        stale(gate.engine.set_user_disabled(&actor, ada, false).await).await;
        let token = gate.engine.confirm(&actor, &here, secret(PASSWORD), "").await.unwrap();
        assert!(gate.actor(&opened.token).await.is_none(), "the token before is worth nothing");
        let actor = gate.actor(&token).await.unwrap();
        assert_eq!(actor.user_id, Some(admin));
        gate.engine.set_user_disabled(&actor, ada, false).await.unwrap();
        let refused = audit::Filter { limit: 200, ..Default::default() };
        let entries = audit::list(&gate.test.db, &refused).await.unwrap();
        assert!(entries.iter().any(|entry| entry.outcome == audit::Outcome::Denied && entry.context["error"] == "confirm"));
        let own = gate.engine.set_password(&actor, admin, secret("another long sentence")).await;
        assert!(matches!(own, Err(EngineError::Conflict(_))), "one's own needs the old one: {own:?}");
        let typed = gate.engine.remove_user(&actor, ada, "someone@example.com").await;
        assert!(matches!(typed, Err(EngineError::Invalid { field: "confirmation", .. })), "{typed:?}");
        gate.engine.remove_user(&actor, ada, " ADA@example.com ").await.unwrap();
        assert!(users::get(&gate.test.db, ada).await.unwrap().is_none());
    }

    async fn the_password_alone_gives_no_right_to_whoever_has_a_second_factor(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        let opened = gate.enter(&here, "ada").await;
        let actor = gate.actor(&opened.token).await.unwrap();
        let (key, recovery) = gate.second_factor(&actor).await;
        let SignIn::Code(waiting) = gate.engine.sign_in(&here, "ada@example.com", secret(PASSWORD)).await.unwrap() else {
            panic!("a code is asked for")
        };
        let waiting = hash_token(&waiting);
        assert!(gate.engine.session(&waiting).await.unwrap().is_none(), "what waits is no session");
        let used = authenticator(&key, gate.engine.now());
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, &used).await.unwrap()), "refused", "used at set-up");
        assert!(gate.notices(ada).await.iter().any(|notice| matches!(notice, AccountNotice::CodeReused { .. })));
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, "000000").await.unwrap()), "refused");
        gate.clock.forward(30);
        let code = authenticator(&key, gate.engine.now());
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, &spaced).await.unwrap()), "opened");
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, &code).await.unwrap()), "ended", "used up");

        for (expected, code) in [("opened", recovery[0].to_uppercase()), ("refused", recovery[0].clone())] {
            let SignIn::Code(waiting) = gate.engine.sign_in(&here, "ada@example.com", secret(PASSWORD)).await.unwrap() else {
                panic!("a code is asked for")
            };
            let step = gate.engine.sign_in_with_code(&here, &hash_token(&waiting), &code).await.unwrap();
            assert_eq!(kind(&step), expected, "a recovery code works once");
        }
        assert!(gate.notices(ada).await.contains(&AccountNotice::RecoveryCodeUsed { left: 9 }));
        let SignIn::Code(late) = gate.engine.sign_in(&here, "ada@example.com", secret(PASSWORD)).await.unwrap() else {
            panic!("a code is asked for")
        };
        gate.clock.forward(301);
        let code = authenticator(&key, gate.engine.now());
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &hash_token(&late), &code).await.unwrap()), "ended");
    }

    async fn confirming_needs_both_factors_and_new_recovery_codes_replace_the_old(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let here = visitor("192.0.2.1");
        let actor = gate.actor(&gate.enter(&here, "ada").await.token).await.unwrap();
        let (key, old) = gate.second_factor(&actor).await;
        gate.clock.forward(700);
        let without = gate.engine.confirm(&actor, &here, secret(PASSWORD), "").await;
        assert!(matches!(without, Err(EngineError::Invalid { field: "code", .. })), "{without:?}");
        let code = authenticator(&key, gate.engine.now());
        let token = gate.engine.confirm(&actor, &here, secret(PASSWORD), &code).await.unwrap();
        let actor = gate.actor(&token).await.unwrap();
        gate.engine.new_recovery_codes(&actor).await.unwrap();
        let shown = gate.engine.second_factor_set_up(&actor).await.unwrap().unwrap();
        assert!(shown.secret.is_empty() && shown.recovery_codes.len() == 10, "the secret is never shown again");
        gate.engine.keep_recovery_codes(&actor).await.unwrap();
        let removed = gate.engine.remove_second_factor(&actor, &here, &old[0]).await;
        assert!(matches!(removed, Err(EngineError::Invalid { field: "code", .. })), "{removed:?}");
        gate.engine.remove_second_factor(&actor, &here, &shown.recovery_codes[0]).await.unwrap();
        let notices = gate.notices(ada).await;
        assert!(notices.contains(&AccountNotice::SecondFactorAdded), "{notices:?}");
        assert!(notices.contains(&AccountNotice::SecondFactorRemoved { by_self: true }), "{notices:?}");
        gate.enter(&here, "ada").await;
    }

    async fn who_must_have_a_second_factor_can_do_nothing_before_it_is_set_up(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::Administrators).await;
        let (admin, ada) = (gate.person("root-person", true).await, gate.person("ada", false).await);
        let here = visitor("192.0.2.1");
        let opened = gate.enter(&here, "ada").await;
        assert!(gate.actor(&opened.token).await.is_some());
        gate.engine.set_platform_admin(&Actor::command_line(), ada, true).await.unwrap();
        assert!(gate.actor(&opened.token).await.is_none(), "a session from before the right is none any more");
        let SignIn::SetUp(waiting) =
            gate.engine.sign_in(&here, "root-person@example.com", secret(PASSWORD)).await.unwrap()
        else {
            panic!("it is to be set up")
        };
        let waiting = hash_token(&waiting);
        assert!(gate.engine.session(&waiting).await.unwrap().is_none());
        let shown = gate.engine.set_up_at_sign_in(&waiting).await.unwrap().unwrap();
        assert_eq!(kind(&gate.engine.sign_in_with_code(&here, &waiting, &shown.recovery_codes[0]).await.unwrap()), "refused");
        assert_eq!(kind(&gate.engine.sign_in_with_set_up(&here, &waiting, "000000").await.unwrap()), "refused");
        let code = authenticator(&shown.secret, gate.engine.now());
        let SignIn::Opened(opened) = gate.engine.sign_in_with_set_up(&here, &waiting, &code).await.unwrap() else {
            panic!("signed in")
        };
        let actor = gate.actor(&opened.token).await.unwrap();
        let removed = gate.engine.remove_second_factor(&actor, &here, &shown.recovery_codes[0]).await;
        assert!(matches!(removed, Err(EngineError::Conflict(_))), "{removed:?}");
        gate.engine.reset_second_factor(&Actor::command_line(), admin).await.unwrap();
        assert!(gate.actor(&opened.token).await.is_none());
        assert!(gate.notices(admin).await.contains(&AccountNotice::SecondFactorRemoved { by_self: false }));
    }

    async fn a_changed_password_ends_what_the_old_one_opened_and_is_told(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let (here, there) = (visitor("192.0.2.1"), visitor("198.51.100.1"));
        let (one, other) = (gate.enter(&here, "ada").await, gate.enter(&there, "ada").await);
        assert!(gate.notices(ada).await.iter().any(|notice| matches!(notice, AccountNotice::NewBrowser { address, .. } if address == "198.51.100.1")));
        let actor = gate.actor(&one.token).await.unwrap();
        let short = gate.engine.change_password(&actor, &here, secret(PASSWORD), secret("short")).await;
        assert!(matches!(short, Err(EngineError::Invalid { field: "password", .. })));
        let wrong = gate.engine.change_password(&actor, &here, secret("wrong"), secret("a much better one")).await;
        assert!(matches!(wrong, Err(EngineError::Invalid { field: "current", .. })));
        let known = Visitor { browser: one.browser_token.as_deref().map(hash_token), ..here.clone() };
        let token = gate.engine.change_password(&actor, &known, secret(PASSWORD), secret("a much better one")).await;
        let token = token.unwrap().unwrap();
        assert!(gate.actor(&token).await.is_some() && gate.actor(&one.token).await.is_none());
        assert!(gate.actor(&other.token).await.is_none());
        let forgotten = other.browser_token.as_deref().map(hash_token).unwrap();
        assert!(!known_browsers::is_known(&gate.test.db, ada, &forgotten).await.unwrap());
        assert!(gate.notices(ada).await.contains(&AccountNotice::PasswordChanged { by_self: true }));
        let step = gate.engine.sign_in(&known, "ADA@example.com", secret("a much better one")).await.unwrap();
        assert_eq!(kind(&step), "opened");
    }

    async fn a_hash_from_before_the_key_is_replaced_at_the_next_sign_in(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let ada = gate.person("ada", false).await;
        let hasher = argon2::Argon2::default();
        let old = argon2::password_hash::PasswordHasher::hash_password(&hasher, PASSWORD.as_bytes()).unwrap().to_string();
        let mut tx = gate.test.db.write().await.unwrap();
        users::set_password_hash(&mut tx, ada, &old, gate.engine.now()).await.unwrap();
        tx.commit().await.unwrap();
        gate.enter(&visitor("192.0.2.1"), "ada").await;
        let stored = users::get_with_password(&gate.test.db, ada).await.unwrap().unwrap().password_hash.unwrap();
        assert!(stored.starts_with("keyed-1$argon2id$"), "{stored}");
        gate.enter(&visitor("192.0.2.1"), "ada").await;
    }

    async fn the_link_makes_one_administrator_and_leaves_nobody_behind_when_it_is_refused(test: TestDatabase) {
        let gate = Gate::new(test, RequireSecondFactor::None).await;
        let (engine, here) = (&gate.engine, visitor("192.0.2.1"));
        let ((_, one), (_, other)) = (new_token(), new_token());
        let mut tx = gate.test.db.write().await.unwrap();
        let until = Timestamp::from_millis(engine.now().as_millis() + 1_000_000);
        let purpose = one_time_links::Purpose::FirstAdministrator;
        one_time_links::create(&mut tx, &one, purpose, None, engine.now(), until).await.unwrap();
        tx.commit().await.unwrap();
        let claim = async |link, password: &str| {
            engine.claim_first_administrator(&here, link, "Root Person", "root@example.com", secret(password)).await
        };
        assert!(matches!(claim(&other, PASSWORD).await, Err(EngineError::NotFound(_))));
        assert!(matches!(claim(&one, "short").await, Err(EngineError::Invalid { field: "password", .. })));
        assert!(users::is_empty(&gate.test.db).await.unwrap());
        let (first, second) = futures::join!(claim(&one, PASSWORD), claim(&one, PASSWORD));
        assert!(first.is_ok() != second.is_ok(), "one of two at once");
        assert_eq!(users::list(&gate.test.db).await.unwrap().len(), 1);
        let opened = first.or(second).ok().unwrap();
        assert!(gate.actor(&opened.token).await.is_some());
        let actions = gate.actions().await;
        assert_eq!(actions.iter().filter(|action| *action == "user.created").count(), 1, "{actions:?}");
        assert!(actions.contains(&"session.failed".to_owned()) && actions.contains(&"session.opened".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adding_a_member_says_whether_somebody_has_the_address_and_downgrades_nobody() {
    let world = crate::support::World::new(TestDatabase::sqlite().await, 50).await;
    let (engine, root) = (&world.engine, Actor::command_line());
    let ada = engine.create_user(&root, "ada@example.com", "Ada", false, secret(PASSWORD)).await.unwrap();
    let added = engine.add_member(&root, world.tenant, "ADA@example.com", Role::Owner).await.unwrap();
    assert!(matches!(added, AddedMember::Member));
    let invited = engine.add_member(&root, world.tenant, "nobody@example.com", Role::Owner).await.unwrap();
    assert!(matches!(invited, AddedMember::Invited(_)));
    let again = engine.add_member(&root, world.tenant, "ada@example.com", Role::Readonly).await;
    assert!(matches!(again, Err(EngineError::Conflict(_))));
    let role = members::effective_role(&world.database.db, world.tenant, ada).await.unwrap();
    assert_eq!(role, Some(Role::Owner));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_and_sign_ins_that_have_ended_are_forgotten_by_themselves() {
    let test = TestDatabase::sqlite().await;
    let keys = tempfile::tempdir().unwrap();
    let vault = Vault::open(&test.db, &keys.path().join("key")).await.unwrap();
    let ada = UserId::from_uuid(uuid::Uuid::now_v7());
    let (long_ago, now) = (Timestamp::from_millis(1_000), tenantatlas_engine::SystemClock.now());
    let email = "ada@example.com".to_owned();
    let new = users::NewUser { id: ada, email, name: "Ada".to_owned(), platform_admin: false };
    let mut tx = test.db.write().await.unwrap();
    users::create(&mut tx, &new, long_ago).await.unwrap();
    known_browsers::remember(&mut tx, ada, &[1; 32], long_ago).await.unwrap();
    known_browsers::remember(&mut tx, ada, &[2; 32], now).await.unwrap();
    let waiting = pending_sign_ins::NewPendingSignIn {
        token_hash: [3; 32],
        user_id: ada,
        expires_at: long_ago,
        address: "192.0.2.1".to_owned(),
        user_agent: String::new(),
        set_up: None,
    };
    pending_sign_ins::create(&mut tx, &waiting, long_ago).await.unwrap();
    tx.commit().await.unwrap();
    let engine = Engine::start(crate::support::quick(), test.db.clone(), vault, graph());
    let forgotten = async {
        while known_browsers::is_known(&test.db, ada, &[1; 32]).await.unwrap() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), forgotten).await.expect("the sweeper comes by");
    assert!(known_browsers::is_known(&test.db, ada, &[2; 32]).await.unwrap(), "one in use stays");
    let mut tx = test.db.write().await.unwrap();
    assert_eq!(pending_sign_ins::remove_all(&mut tx, ada).await.unwrap(), 0, "in the same transaction");
    drop(tx);
    engine.shutdown().await;
}
