//! Search of settings: everything that is kept is found, by those alone who may see it, and the file tells none of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrecy::SecretString;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::settings::{ChangeKind, SettingValue};
use tenantatlas_engine::{Actor, CaptureOf, EngineError, FoundPolicy, FoundSetting, SearchAnswer, SearchRequest};
use tenantatlas_store::setting_search;
use tenantatlas_store::testing::{found_in, on_both_engines};

use crate::support::{PATIENCE, World};

fn root() -> Actor {
    Actor::command_line()
}

fn request(query: &str) -> SearchRequest {
    SearchRequest { query: query.to_owned(), limit: 1_000, ..SearchRequest::default() }
}

/// Everything that a query finds.
async fn found(world: &World, actor: &Actor, query: &str) -> SearchAnswer {
    let mut request = request(query);
    let mut whole = world.engine.search_settings(actor, &request).await.unwrap();
    while whole.next.is_some() {
        request.after = whole.next;
        let page = world.engine.search_settings(actor, &request).await.unwrap();
        whole.next = page.next;
        whole.add(page.policies);
    }
    whole
}

fn by_policy(answer: &SearchAnswer) -> BTreeMap<(String, String), &FoundPolicy> {
    let policies = answer.policies.iter();
    policies.map(|policy| ((policy.policy_type.clone(), policy.external_id.clone()), policy)).collect()
}

/// What a search shows of a setting: path, value and since which version.
fn shown(setting: &FoundSetting) -> (String, String, u64) {
    (setting.entry.path.clone(), setting.value_words(), setting.since_number)
}

/// Waits until housekeeping has made everything searchable that is due.
async fn until_searchable(world: &World) {
    let wait = async {
        let db = &world.database.db;
        while !setting_search::due(db, world.engine.now(), 1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it becomes searchable in time");
}

/// The names that a value gives to what it names by ids.
fn names_in(value: &SettingValue) -> Vec<String> {
    match value {
        SettingValue::Choice { id, name: Some(name) } if uuid::Uuid::try_parse(id).is_ok() => vec![name.clone()],
        SettingValue::List(values) => values.iter().flat_map(names_in).collect(),
        _ => Vec::new(),
    }
}

on_both_engines! {
    async fn what_a_value_names_by_its_id_is_found_by_the_name_that_the_difference_shows(test: TestDatabase) {
        let world = World::new(test, 500).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let mut tried = 0;
        for (key, ids) in world.stored().await {
            for id in ids {
                let read = world.engine.read_version(&root(), world.tenant, (&key, &id), 1, false).await.unwrap();
                let lines = read.settings.lines();
                let values = lines.iter().filter_map(|line| line.setting.value.as_ref());
                let Some(name) = values.flat_map(names_in).find(|name| name.chars().any(char::is_alphanumeric)) else {
                    continue;
                };
                let query = format!("value:\"{}\" type:{key}", name.replace('"', " "));
                let answer = found(&world, &root(), &query).await;
                assert!(by_policy(&answer).contains_key(&(key.clone(), id.clone())), "{query}: {key} {id}");
                tried += 1;
                break;
            }
        }
        assert!(tried > 0, "something in the cloud names something else by its id");
        let tags = found(&world, &root(), "setting:\"scope tags\"").await;
        assert!(!tags.policies.is_empty(), "a property is found by the name that is shown of it");
    }

    async fn every_setting_of_every_latest_version_is_found_with_its_value(test: TestDatabase) {
        let world = World::new(test, 500).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let (mut settings, mut policies) = (0, 0);
        let mut words = BTreeSet::new();
        for (key, ids) in world.stored().await {
            let answer = found(&world, &root(), &format!("type:{key}")).await;
            let found = by_policy(&answer);
            for id in ids {
                let read = world.engine.read_version(&root(), world.tenant, (&key, &id), 1, false).await.unwrap();
                let expected: Vec<(String, String, u64)> = read
                    .settings
                    .lines()
                    .iter()
                    .filter(|line| line.setting.counts)
                    .map(|line| {
                        let value = line.setting.value.as_ref();
                        let value = value.map_or("not set".to_owned(), |value| value.words_of(line.setting.property()));
                        (line.path.clone(), value, 1)
                    })
                    .collect();
                let one = found[&(key.clone(), id.clone())];
                assert_eq!(one.settings.iter().map(shown).collect::<Vec<_>>(), expected, "{key} {id}");
                assert_eq!(one.item.as_ref().unwrap().item.external_id, id);
                settings += expected.len() as u64;
                policies += 1;
                words.extend(one.settings.iter().filter_map(|setting| setting.entry.definition_id.clone()).take(2));
            }
        }
        let coverage = found(&world, &root(), "BitLocker").await.coverage;
        assert_eq!((coverage.tenants, coverage.policies, coverage.settings), (1, policies, settings));
        assert!(words.len() > 20, "{words:?}");
        for id in words {
            let answer = found(&world, &root(), &format!("setting:\"{id}\"")).await;
            let ids = answer.policies.iter().flat_map(|policy| &policy.settings);
            let exact = ids.filter(|one| one.entry.definition_id.as_deref() == Some(&id)).count();
            assert!(exact > 0, "{id}");
        }
        // A property is found by what the portal calls it, which is no part of its name.
        let titled = found(&world, &root(), "setting:\"Require a password\"").await;
        let found: BTreeSet<_> = titled.policies.iter().flat_map(|policy| &policy.settings).map(|one| &*one.entry.key).collect();
        assert_eq!(found, BTreeSet::from(["passwordRequired"]));
    }

    async fn a_value_tells_since_which_version_it_holds_and_of_before_nothing_is_found(test: TestDatabase) {
        let world = World::new(test, 900).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        world.sync(&World::everything()).await;
        world.capture(&CaptureOf::Types(Vec::new()), true).await;
        let mut seen = (0, 0);
        for (key, id) in evolution.edited.iter().flat_map(|(key, ids)| ids.iter().map(move |id| (key, id))) {
            let compared = world.engine.compare_versions(&root(), world.tenant, (key, id), (1, 2), false).await.unwrap();
            let answer = found(&world, &root(), &format!("type:{key}")).await;
            let policy = by_policy(&answer)[&(key.clone(), id.clone())];
            assert_eq!(policy.number, 2);
            let since: BTreeMap<&str, u64> =
                policy.settings.iter().map(|one| (one.entry.path.as_str(), one.since_number)).collect();
            for row in compared.difference.changes() {
                match row.change {
                    Some(ChangeKind::Removed) => {}
                    _ if row.new.is_none() => {}
                    _ => {
                        seen.0 += 1;
                        assert_eq!(since.get(row.path.as_str()), Some(&2), "{key} {id} {}", row.path);
                    }
                }
            }
            seen.1 += since.values().filter(|number| **number == 1).count();
        }
        assert!(seen.0 > 3 && seen.1 > 20, "{seen:?}");
        // A version of before leaves nothing behind.
        let versions = found(&world, &root(), "type:settingsCatalogPolicy").await;
        let settings: usize = versions.policies.iter().map(|policy| policy.settings.len()).sum();
        let mut expected = 0;
        for policy in &versions.policies {
            let of = (policy.policy_type.as_str(), policy.external_id.as_str());
            let latest = world.versions(of.0, of.1).await[0].number;
            assert_eq!(policy.number, latest);
            let read = world.engine.read_version(&root(), world.tenant, of, latest, false).await.unwrap();
            expected += read.settings.count() as usize;
        }
        assert_eq!(settings, expected);
    }

    async fn names_of_settings_that_no_policy_has_are_forgotten_by_themselves(test: TestDatabase) {
        test.execute("INSERT INTO setting_keys (id, name, sought) VALUES (1, 'of-a-tenant-that-is-gone', 'gone')").await;
        let world = World::new(test, 10).await;
        let wait = async {
            while !setting_search::unused_keys(&world.database.db, 1).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it is forgotten in time");
    }

    async fn versions_of_before_become_searchable_by_themselves_and_where_that_was_left_off(test: TestDatabase) {
        let world = World::new(test, 200).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let before = found(&world, &root(), "type:settingsCatalogPolicy").await;
        assert!(!before.policies.is_empty());
        // As they are after an upgrade: kept, and nothing of them searchable.
        world.database.execute("DELETE FROM setting_words").await;
        world.database.execute("DELETE FROM setting_lines").await;
        world.database.execute("UPDATE setting_documents SET indexed_id = NULL, indexed_number = 0, rules = 0, settings = 0, due_at = 4102444800000").await;
        let answer = found(&world, &root(), "type:settingsCatalogPolicy").await;
        assert!(answer.policies.is_empty());
        let pending: u64 = answer.coverage.not_searched.iter().map(|one| one.pending).sum();
        assert!(pending as usize >= before.policies.len() && answer.coverage.not_searched[0].words().contains("not searchable yet"));
        // Of some a part was done already when a process ended.
        world.database.execute("UPDATE setting_documents SET due_at = 0").await;
        until_searchable(&world).await;
        let after = found(&world, &root(), "type:settingsCatalogPolicy").await;
        let shown = |answer: &SearchAnswer| {
            let policies = by_policy(answer).into_iter();
            policies.map(|(of, policy)| (of, policy.settings.iter().map(shown).collect::<Vec<_>>())).collect::<Vec<_>>()
        };
        assert_eq!(shown(&after), shown(&before));
    }

    async fn values_are_found_by_the_names_that_microsoft_gives_their_options(test: TestDatabase) {
        let world = World::new(test, 300).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let of_choice = |answer: &SearchAnswer| {
            let settings = answer.policies.iter().flat_map(|policy| &policy.settings).cloned();
            settings.filter(|one| matches!(one.setting.value, Some(SettingValue::Choice { .. }))).collect::<Vec<_>>()
        };
        let before = of_choice(&found(&world, &root(), "type:settingsCatalogPolicy").await);
        assert!(!before.is_empty() && before.iter().all(|one| one.setting.is_unnamed()));
        let run = world.engine.refresh_setting_catalog(&root(), world.tenant).await.unwrap().state.id;
        world.ended(run).await;
        until_searchable(&world).await;
        let named = of_choice(&found(&world, &root(), "type:settingsCatalogPolicy").await);
        let (name, title) = named
            .iter()
            .find_map(|one| match &one.setting.value {
                Some(SettingValue::Choice { name: Some(name), .. }) => Some((name.clone(), one.title())),
                _ => None,
            })
            .expect("an option with a name");
        let by_name = of_choice(&found(&world, &root(), &format!("type:settingsCatalogPolicy value:\"{name}\"")).await);
        let expected = named.iter().filter(|one| one.value_words() == name).count();
        assert!(by_name.len() >= expected && expected > 0, "{name}: {} of {expected}", by_name.len());
        assert!(by_name.iter().any(|one| one.title() == title));
        assert!(named.iter().all(|one| one.since_number == 1), "another name is no other value");
        // Intents are found by the words of their templates: name, category, value, and what stands in a value.
        let intents = found(&world, &root(), "type:endpointSecurityIntent").await;
        let settings: Vec<&FoundSetting> = intents.policies.iter().flat_map(|policy| &policy.settings).collect();
        let is_defined = |one: &&&FoundSetting| one.key.starts_with("deviceconfiguration--");
        let defined: Vec<&&FoundSetting> = settings.iter().filter(is_defined).collect();
        assert!(defined.iter().all(|one| !one.title().starts_with("deviceConfiguration--")), "{defined:?}");
        let option = defined.iter().find(|one| matches!(one.setting.value, Some(SettingValue::Choice { .. })));
        let within = defined.iter().find(|one| one.key.contains('/')).expect("what stands in a value");
        for one in [option.expect("an option with a name"), within] {
            let (title, value) = (one.title(), one.value_words());
            let category = one.setting.category.clone().expect("a category");
            for query in [format!("setting:\"{title}\" value:\"{value}\""), format!("setting:\"{category}\"")] {
                let query = format!("type:endpointSecurityIntent {query}");
                let answer = found(&world, &root(), &query).await;
                let mut hits = answer.policies.iter().flat_map(|policy| &policy.settings);
                assert!(hits.any(|hit| hit.key == one.key && hit.title() == title), "{query}");
            }
            let whole = request("type:endpointSecurityIntent");
            let pivot = world.engine.pivot_setting(&root(), &whole, &one.key).await.unwrap();
            assert!(pivot.name == title && pivot.values.contains(&value), "{pivot:?}");
        }
    }
}

on_both_engines! {
    async fn only_who_may_see_bodies_finds_anything_and_other_tenants_do_not_exist(test: TestDatabase) {
        let world = World::new(test, 120).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let (engine, root) = (&world.engine, root());
        let password = SecretString::from("correct horse battery");
        let user = engine.create_user(&root, "rita@example.com", "Rita", false, password).await.unwrap();
        let rita = Actor::person(user, "Rita", "rita@example.com");
        let all = "type:settingsCatalogPolicy";

        let stranger = found(&world, &rita, all).await;
        assert!(stranger.policies.is_empty() && stranger.coverage.left_out.is_empty() && stranger.coverage.tenants == 0);
        let named = engine.search_settings(&rita, &SearchRequest { tenants: vec![world.tenant], ..request(all) }).await;
        assert!(matches!(named, Err(EngineError::NotFound("the tenant"))), "{named:?}");
        let typed = engine.search_settings(&rita, &request("x tenant:Contoso")).await.unwrap_err();
        assert_eq!(typed.to_string(), "There is no tenant \"Contoso\" among yours.");
        assert!(matches!(engine.search_settings(&Actor::anonymous(), &request(all)).await, Err(EngineError::Forbidden)));

        engine.set_member(&root, world.tenant, user, Role::Readonly).await.unwrap();
        let reader = found(&world, &rita, all).await;
        assert!(reader.policies.is_empty());
        assert_eq!(reader.coverage.left_out[0].tenant, "Contoso");
        assert!(reader.coverage.left_out[0].reason.contains("your role"));
        let pivot = engine.pivot_setting(&rita, &request(all), "passwordRequired").await.unwrap();
        assert!(pivot.rows.is_empty() && pivot.values.is_empty());

        engine.set_member(&root, world.tenant, user, Role::Operator).await.unwrap();
        let operator = found(&world, &rita, all).await;
        assert!(!operator.policies.is_empty() && operator.coverage.left_out.is_empty());
        let setting = operator.policies[0].settings.last().unwrap();
        let pivot = engine.pivot_setting(&rita, &request(all), &setting.key).await.unwrap();
        assert_eq!((pivot.rows.len(), pivot.rows[0].tenant.as_str()), (1, "Contoso"));
        assert!(pivot.values.contains(&setting.value_words()), "{:?}", pivot.values);

        let other = engine.search_settings(&rita, &request("tenant:Contosso x")).await.unwrap_err();
        assert_eq!(other.to_string(), "There is no tenant \"Contosso\" among yours: did you mean Contoso?");
    }

    async fn what_was_not_captured_is_part_of_the_answer(test: TestDatabase) {
        let world = World::new(test, 150).await;
        let nothing = found(&world, &root(), "BitLocker").await.coverage;
        assert_eq!((nothing.tenants, nothing.left_out.len()), (0, 1));
        world.sync(&World::everything()).await;
        let synced = found(&world, &root(), "BitLocker").await.coverage;
        assert_eq!(synced.left_out[0].reason, "nothing of it was captured yet");
        world.capture(&CaptureOf::Types(vec!["settingsCatalogPolicy".to_owned()]), false).await;
        let coverage = found(&world, &root(), "BitLocker").await.coverage;
        assert_eq!((coverage.tenants, coverage.left_out.len()), (1, 0));
        let lacking = coverage.not_searched.iter().find(|one| one.policy_type == "deviceCompliancePolicy").unwrap();
        assert!(lacking.not_captured > 0 && lacking.words().ends_with("not captured"), "{}", lacking.words());
        let whole = coverage.not_searched.iter().find(|one| one.policy_type == "settingsCatalogPolicy");
        assert!(whole.is_none_or(|one| one.not_captured == 0), "{whole:?}");
        let named = found(&world, &root(), "type:settingsCatalogPolicy BitLocker").await.coverage;
        assert!(named.not_searched.iter().all(|one| one.policy_type == "settingsCatalogPolicy"));
        let without = registry().all().iter().find(|known| tenantatlas_domain::registry::recipe(known).is_none());
        if let Some(without) = without {
            let coverage = found(&world, &root(), &format!("type:{} x", without.key)).await.coverage;
            assert_eq!(coverage.without_versions, [without.key]);
        }
    }

    async fn no_value_of_a_policy_is_in_the_bytes_of_the_database(test: TestDatabase) {
        let world = World::new(test, 400).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        // What the inventory keeps in clear is not what this is about: names and descriptions of policies.
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for kind in ["settingsCatalogPolicy", "groupPolicyConfiguration", "endpointSecurityPolicy", "endpointSecurityIntent"] {
            for policy in found(&world, &root(), &format!("type:{kind}")).await.policies {
                for setting in policy.settings.iter().filter(|one| one.entry.definition_id.is_some()) {
                    collect(setting.setting.value.as_ref(), &mut texts);
                }
            }
        }
        assert!(texts.len() > 5, "{texts:?}");
        for secret in world.simulator.control().planted_secrets(&world.simulated.tenant_id, usize::MAX) {
            let is_text = secret.credential && !secret.pointer.ends_with("payloadJson") && secret.value.len() >= 8;
            texts.extend(is_text.then_some(secret.value));
        }
        holds_none_of(&world, &texts).await;
    }
}

/// Fails when rows that are searched hold one of the texts in clear, on SQLite when its files do.
async fn holds_none_of(world: &World, texts: &BTreeSet<String>) {
    let needles: Vec<String> = texts.iter().flat_map(|text| [text.clone(), hex::encode(text)]).collect();
    if let Some(folder) = world.database.folder() {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        assert_eq!(found_in(&bytes, &["Contoso"]), Some("Contoso"), "the bytes were looked at");
        assert_eq!(found_in(&bytes, &needles), None);
        return;
    }
    for table in ["setting_documents", "setting_keys", "setting_lines", "setting_words"] {
        for needle in &needles {
            let needle = needle.replace('\'', "''");
            let text = format!("SELECT COUNT(*) FROM {table} t WHERE POSITION('{needle}' IN t::text) > 0");
            assert_eq!(world.database.number(&text).await, 0, "{table}: {needle}");
        }
    }
}

fn collect(value: Option<&SettingValue>, into: &mut BTreeSet<String>) {
    match value {
        // An id may be that of an object that the inventory names.
        Some(SettingValue::Text(text)) if text.len() >= 12 && uuid::Uuid::parse_str(text).is_err() => {
            into.insert(text.clone());
        }
        Some(SettingValue::List(values)) => values.iter().for_each(|value| collect(Some(value), into)),
        _ => {}
    }
}
