//! What a capture reads, what it keeps, and what it never does.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tenantatlas_domain::body::{Completeness, Lack};
use tenantatlas_domain::normalise::Withheld;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Source, recipe, registry};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_engine::{Actor, CaptureOf, Engine, EngineError, RetryPart};
use tenantatlas_graph_sim::{CREDENTIAL_MARK, CREDENTIAL_MARK_BASE64, Fault, FaultKind, SECRET_MARK};
use tenantatlas_store::operation_runs;
use tenantatlas_store::policies::Version;
use tenantatlas_store::testing::{TestDatabase, found_in, on_both_engines};

use crate::signing_in::Hands;
use crate::support::{World, graph, quick, soon};

fn everything() -> CaptureOf {
    CaptureOf::Types(Vec::new())
}

fn forbidden() -> FaultKind {
    FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message: "no".to_owned() }
}

fn short(property: &str) -> FaultKind {
    FaultKind::ShortProperty { property: property.to_owned() }
}

/// The latest version of every object that has one.
async fn latest(world: &World) -> BTreeMap<(String, String), Version> {
    let mut latest = BTreeMap::new();
    for (key, ids) in world.stored().await {
        for id in ids {
            if let Some(version) = world.versions(&key, &id).await.into_iter().next() {
                latest.insert((key.clone(), id), version);
            }
        }
    }
    latest
}

pub fn all(ids: &BTreeMap<String, Vec<String>>) -> BTreeSet<(String, String)> {
    ids.iter().flat_map(|(key, ids)| ids.iter().map(|id| (key.clone(), id.clone()))).collect()
}

on_both_engines! {
    async fn every_object_gets_a_version_and_one_that_has_not_changed_gets_no_other(test: TestDatabase) {
        let world = World::new(test, 700).await;
        let synced = world.sync(&World::everything()).await;
        let first = world.capture_all().await;
        assert_eq!(first.troubles(), Vec::<String>::new());
        assert_eq!((first.capture.status, first.operation.status), (SyncRunStatus::Success, OperationStatus::Completed));
        let items = synced.run.items_observed_count;
        assert_eq!((first.sum(|one| one.captured), first.sum(|one| one.created)), (items, items));
        let versions = latest(&world).await;
        assert_eq!(versions.len() as u64, items);
        assert!(versions.values().all(|version| version.number == 1));
        let second = world.capture_all().await;
        assert_eq!((second.sum(|one| one.unchanged), second.sum(|one| one.created)), (items, 0));
        assert_eq!(latest(&world).await, versions);
        // What is not complete lacks secrets that Graph does not tell, and nothing else.
        for version in versions.values() {
            let secrets = version.lacks.iter().all(|lack| matches!(lack, Lack::SecretsUnreadable { .. }));
            assert!(secrets, "{version:?}");
        }
        let settings = versions.values().filter(|version| version.settings.is_some()).count();
        assert!(settings > 50, "{settings} policies of settings");
    }

    async fn what_people_changed_gets_a_version_and_noise_gets_none(test: TestDatabase) {
        let world = World::new(test, 900).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        world.sync(&World::everything()).await;
        world.simulator.control().reset_counts();
        let captured = world.capture(&everything(), true).await;
        assert_eq!(captured.troubles(), Vec::<String>::new());
        let quota = world.simulator.control().counts().quota;
        let versions = latest(&world).await;
        let second: BTreeSet<_> =
            versions.iter().filter(|(_, version)| version.number == 2).map(|(key, _)| key.clone()).collect();
        let changed = [&evolution.edited, &evolution.renamed, &evolution.reassigned];
        let expected: BTreeSet<_> = changed.into_iter().flat_map(all).collect();
        assert_eq!(second, expected);
        let added = all(&evolution.added);
        assert!(!added.is_empty() && added.iter().all(|key| versions[key].number == 1));
        assert_eq!(captured.sum(|one| one.created), (expected.len() + added.len()) as u64);
        assert!(quota < versions.len() as u64, "only what changed was read: {quota}");
        world.simulator.control().reset_counts();
        let nothing = world.capture(&everything(), true).await;
        assert_eq!((nothing.sum(|one| one.captured), world.simulator.control().counts().quota), (0, 0));
    }

    async fn a_version_that_is_older_than_a_year_goes_and_the_latest_of_an_object_stays(test: TestDatabase) {
        let world = World::new(test, 300).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        world.sync(&World::everything()).await;
        world.capture(&everything(), true).await;
        let edited = all(&evolution.edited);
        let numbers = async || {
            let mut numbers = BTreeMap::new();
            for (key, id) in &edited {
                let versions = world.versions(key, id).await;
                numbers.insert((key, id), versions.iter().map(|version| version.number).collect::<Vec<_>>());
            }
            numbers
        };
        assert!(!edited.is_empty() && numbers().await.values().all(|numbers| *numbers == [2, 1]));
        let clock = Hands::at(world.engine.now());
        clock.forward(366 * 24 * 3_600);
        let (db, vault) = (world.database.db.clone(), world.vault.clone());
        // An engine whose clock was not moved would find nothing that is old.
        world.engine.shutdown().await;
        let sweeping = Engine::start_with_clock(quick(), db, vault, graph(), std::sync::Arc::new(clock));
        sweeping.prune_tenant(&Actor::command_line(), world.tenant).await.unwrap();
        let gone = async {
            while !numbers().await.values().all(|numbers| *numbers == [2]) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        soon(gone).await;
        sweeping.shutdown().await;
        for version in latest(&world).await.values() {
            assert!(world.body(version).await.is_object());
        }
    }

    async fn what_was_picked_is_read_and_nothing_else(test: TestDatabase) {
        let world = World::new(test, 200).await;
        world.sync(&World::some(&["deviceConfiguration", "mobileApp"])).await;
        let stored = world.stored().await;
        let pick = |key: &str| (key.to_owned(), stored[key].first().unwrap().clone());
        let absent = ("mobileApp".to_owned(), "not-there".to_owned());
        let what = CaptureOf::Items(vec![pick("deviceConfiguration"), pick("mobileApp"), absent]);
        let captured = world.capture(&what, false).await;
        assert_eq!(captured.operation.counters.total, 2);
        assert_eq!((captured.sum(|one| one.items), captured.sum(|one| one.created)), (2, 2));
        let versions: Vec<_> = latest(&world).await.into_keys().collect();
        assert_eq!(versions, [pick("deviceConfiguration"), pick("mobileApp")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_holds_what_the_single_reads_say() {
    let world = World::new(TestDatabase::sqlite().await, 600).await;
    world.sync(&World::everything()).await;
    world.capture_all().await;
    let mut with_values = 0;
    for ((key, id), version) in latest(&world).await {
        let policy_type = registry().get(&key).unwrap();
        let body = world.body(&version).await;
        for slot in recipe(policy_type).unwrap().slots(policy_type) {
            // These are there where there is something to read, or where the subtype has it.
            let sometimes = matches!(slot, "relationships" | "remediationScriptContent");
            if !sometimes && (key != "deviceConfiguration" || slot == "assignments") {
                assert!(body.get(slot).is_some_and(|value| !value.is_null()), "{key} {id} {slot}: {body}");
            }
        }
        if key == "groupPolicyConfiguration" {
            assert_ne!(body["policyConfigurationIngestionType"], "unknown");
            let values = body["definitionValues"].as_array().unwrap();
            assert!(values.iter().all(|value| value["definition"]["displayName"].is_string()));
            let shown = |value: &&Value| value["presentationValues"][0]["presentation"].is_object();
            with_values += values.iter().filter(shown).count();
        }
        if key == "enrollmentNotification" {
            let messages = &body["notificationMessageTemplates"][0]["localizedNotificationMessages"];
            assert!(messages.as_array().is_some_and(|messages| !messages.is_empty()), "{body}");
        }
        match policy_type.source {
            Source::Collection { path } | Source::Singleton { path } => assert_eq!(version.collection, path),
            Source::ChildrenOf { parent_path, child_path, .. } => {
                let below = version.collection.strip_prefix(parent_path).and_then(|rest| rest.strip_suffix(child_path));
                assert!(below.is_some_and(|parent| parent.len() > 10), "{}", version.collection);
            }
        }
    }
    assert!(with_values > 0);
}

/// Every text in a value, decoded from base64 as well where it can be.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(bytes) = STANDARD.decode(text) {
                found.push(String::from_utf8_lossy(&bytes).into_owned());
            }
            found.push(text.clone());
        }
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_planted_credential_is_in_a_version_and_each_has_its_mark() {
    let world = World::new(TestDatabase::sqlite().await, 1_200).await;
    world.sync(&World::everything()).await;
    let captured = world.capture_all().await;
    assert_eq!(captured.troubles(), Vec::<String>::new());
    let versions = latest(&world).await;
    let mut looked_at = 0;
    for version in versions.values() {
        let mut found = Vec::new();
        texts(&world.body(version).await, &mut found);
        looked_at += found.len();
        for text in found {
            assert!(!text.contains(CREDENTIAL_MARK) && !text.contains(CREDENTIAL_MARK_BASE64), "{text}");
        }
    }
    assert!(looked_at > 10_000, "{looked_at} texts");
    let (mut credentials, mut scripts) = (BTreeSet::new(), 0);
    for secret in world.simulator.control().planted_secrets(&world.simulated.tenant_id, usize::MAX) {
        let Some(version) = versions.get(&(secret.policy_type.clone(), secret.id.clone())) else { continue };
        let body = world.body(version).await;
        let kept = body.pointer(&secret.pointer).unwrap_or(&Value::Null);
        let property = secret.pointer.rsplit('/').next().unwrap();
        if secret.credential && property != "payloadJson" {
            let mark =
                Withheld::of(kept).unwrap_or_else(|| panic!("{} {}: {kept}", secret.policy_type, secret.pointer));
            assert_eq!(mark.kind, "credential", "{}", secret.pointer);
            assert!(mark.fingerprint.is_some_and(|fingerprint| fingerprint.starts_with("hmac-sha256:")));
            assert!(version.withheld > 0);
            credentials.insert(property.to_owned());
        } else if property.ends_with("criptContent") {
            assert_eq!(kept.as_str(), Some(secret.value.as_str()), "a script is content");
            scripts += 1;
        }
    }
    assert!(credentials.len() >= 6 && scripts > 10, "{credentials:?}, {scripts} scripts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_reaches_a_readable_byte_of_the_database_or_an_event() {
    let world = World::new(TestDatabase::sqlite().await, 500).await;
    let mut events = world.engine.runs().subscribe_all();
    world.sync(&World::everything()).await;
    let captured = world.capture_all().await;
    let run = serde_json::to_string(&world.engine.runs().state_of(&captured.operation)).unwrap();
    let mut told = vec![run.into_bytes()];
    let heard = tokio::time::timeout(std::time::Duration::from_secs(5), events.next()).await.expect("an event");
    told.extend(heard.iter().map(|published| format!("{published:?}").into_bytes()));
    world.engine.shutdown().await;
    for entry in std::fs::read_dir(world.database.folder().unwrap()).unwrap() {
        told.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    // What stands in bodies alone: settings, scripts, credentials.
    let needles = [SECRET_MARK, "UExBTlRFRFNFQ1JFV", "settingInstanceTemplateReference", "classType"];
    for bytes in told {
        assert_eq!(found_in(&bytes, &needles), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_that_graph_does_not_tell_make_a_version_partial() {
    let world = World::new(TestDatabase::sqlite().await, 1_500).await;
    world.sync(&World::some(&["deviceConfiguration", "settingsCatalogPolicy"])).await;
    world.capture_all().await;
    let (mut masked, mut tokens) = (0, 0);
    for ((key, _), version) in latest(&world).await {
        let mut found = Vec::new();
        let body = world.body(&version).await;
        texts(&body, &mut found);
        let unreadable = version.lacks.iter().any(|lack| matches!(lack, Lack::SecretsUnreadable { .. }));
        if body.get("omaSettings").is_some() {
            assert!(unreadable && version.completeness == Completeness::Partial, "{body}");
            assert!(!found.iter().any(|text| text == "****" || text.starts_with("a5d1c6b1-")), "{body}");
            masked += 1;
        } else {
            let encrypted = found.iter().any(|text| text == "encryptedValueToken");
            assert_eq!(unreadable, encrypted, "{key} {body}");
            tokens += u64::from(encrypted);
            assert!(!found.iter().any(|text| text.contains("-5ec3-4e70-8a1d-")), "{body}");
        }
    }
    assert!(masked > 0 && tokens > 0, "{masked} masked, {tokens} tokens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_child_makes_a_first_version_partial_and_no_second_one() {
    let world = World::new(TestDatabase::sqlite().await, 300).await;
    world.sync(&World::some(&["autopilotProfile"])).await;
    let refused = || vec![Fault::always("/assignments", forbidden())];
    world.simulator.control().set_faults(refused());
    let first = world.capture_all().await;
    assert_eq!(first.troubles(), Vec::<String>::new());
    let one = &first.types["autopilotProfile"];
    assert_eq!((one.partial, one.created), (one.items, one.items));
    for version in latest(&world).await.values() {
        let [Lack::ChildRefused { slot, reason_code }] = version.lacks.as_slice() else { panic!("{version:?}") };
        assert_eq!((slot.as_str(), *reason_code), ("assignments", ReasonCode::PermissionMissing));
    }
    world.simulator.control().set_faults(Vec::new());
    // What was not read whole is read again though the inventory found no change.
    let whole = world.capture(&everything(), true).await;
    assert_eq!((whole.sum(|one| one.created), whole.sum(|one| one.partial)), (one.items, 0));
    assert!(latest(&world).await.values().all(|version| version.completeness == Completeness::Complete));
    world.simulator.control().set_faults(refused());
    let again = world.capture_all().await;
    assert_eq!((again.sum(|one| one.unchanged), again.sum(|one| one.partial)), (one.items, one.items));
    assert!(latest(&world).await.values().all(|version| version.number == 2), "not read is not removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_settings_than_stated_make_no_version_of_a_policy_that_is_known_whole() {
    let world = World::new(TestDatabase::sqlite().await, 300).await;
    world.sync(&World::some(&["settingsCatalogPolicy"])).await;
    let faults =
        || vec![Fault::always("/settings", short("value")), Fault::always("configurationPolicies", short("settings"))];
    world.simulator.control().set_faults(faults());
    let partial = world.capture_all().await;
    let items = partial.sum(|one| one.items);
    assert!(items > 20 && partial.sum(|one| one.partial) == items, "{items} {:?}", partial.troubles());
    for version in latest(&world).await.values() {
        let short = |lack: &Lack| matches!(lack, Lack::SettingsCount { stated, came } if came < stated);
        assert!(version.lacks.iter().any(short), "{version:?}");
    }
    world.simulator.control().set_faults(Vec::new());
    let whole = world.capture_all().await;
    assert_eq!(whole.sum(|one| one.created), items);
    world.simulator.control().set_faults(faults());
    let again = world.capture_all().await;
    assert_eq!((again.sum(|one| one.created), again.sum(|one| one.partial)), (0, items));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_read_fails_its_type_and_a_retry_reads_it_alone() {
    let world = World::new(TestDatabase::sqlite().await, 400).await;
    world.sync(&World::some(&["deviceManagementScript", "mobileApp", "namedLocation"])).await;
    let stored = world.stored().await;
    let broken = stored["deviceManagementScript"].first().unwrap().clone();
    world.simulator.control().set_faults(vec![Fault::always(&broken, FaultKind::Unavailable)]);
    let first = world.capture_all().await;
    let one = &first.types["deviceManagementScript"];
    assert_eq!((one.outcome, one.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::GraphUnavailable)));
    assert_eq!((one.failed, one.captured), (1, one.items - 1), "one that fails costs no other");
    assert_eq!(first.capture.status, SyncRunStatus::Partial);
    assert_eq!(first.operation.status, OperationStatus::CompletedWithErrors);
    assert!(world.versions("deviceManagementScript", &broken).await.is_empty());
    world.simulator.control().set_faults(Vec::new());
    let root = Actor::command_line();
    let retry = world.engine.runs().retry(&root, world.tenant, first.operation.id, RetryPart::Failed).await.unwrap();
    let run = retry.state.id;
    world.ended(run).await;
    let retried = world.captured(run).await;
    assert_eq!(retried.operation.item_ids, ["deviceManagementScript"]);
    assert_eq!((retried.sum(|one| one.items), retried.sum(|one| one.created)), (1, 1));
    assert_eq!(world.versions("deviceManagementScript", &broken).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_is_refused_is_named_and_not_asked_for_on_and_on() {
    let world = World::new(TestDatabase::sqlite().await, 6_000).await;
    world.sync(&World::some(&["deviceConfiguration", "deviceManagementScript", "namedLocation"])).await;
    // One by its list, the other object by object.
    let faults = ["deviceManagement/deviceConfigurations", "deviceManagementScripts/"];
    world.simulator.control().set_faults(faults.map(|path| Fault::always(path, forbidden())).to_vec());
    world.simulator.control().reset_counts();
    let refused = world.capture_all().await;
    for (key, permission) in [
        ("deviceConfiguration", "DeviceManagementConfiguration.Read.All"),
        ("deviceManagementScript", "DeviceManagementScripts.Read.All"),
    ] {
        let one = &refused.types[key];
        assert_eq!((one.outcome, one.reason_code), (Some(TypeOutcome::Failed), Some(ReasonCode::PermissionMissing)));
        let message = one.message.as_deref().unwrap_or_default();
        assert!(message.contains(permission), "{message}");
        assert!((one.items as usize) < world.stored().await[key].len(), "{one:?}");
    }
    assert_eq!(refused.types["namedLocation"].outcome, Some(TypeOutcome::Succeeded));
    assert_eq!(refused.operation.status, OperationStatus::CompletedWithErrors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lists_tell_whole_costs_no_single_reads() {
    let world = World::new(TestDatabase::sqlite().await, 2_000).await;
    world.sync(&World::some(&["settingsCatalogPolicy", "deviceConfiguration", "deviceCompliancePolicy"])).await;
    world.simulator.control().reset_counts();
    let captured = world.capture_all().await;
    assert_eq!(captured.troubles(), Vec::<String>::new());
    let (quota, items) = (world.simulator.control().counts().quota, captured.sum(|one| one.created));
    assert!(items > 500 && quota * 4 < items, "{quota} reads for {items} objects");
    // Read singly, they are the same.
    let stored = world.stored().await;
    let some = stored.iter().flat_map(|(key, ids)| ids.iter().take(100).map(|id| (key.clone(), id.clone()))).collect();
    let again = world.capture(&CaptureOf::Items(some), false).await;
    assert_eq!((again.sum(|one| one.created), again.sum(|one| one.unchanged)), (0, 300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_gone_is_no_failure() {
    let world = World::new(TestDatabase::sqlite().await, 900).await;
    world.sync(&World::everything()).await;
    let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 2);
    let deleted: BTreeSet<_> = evolution.iter().flat_map(|step| all(&step.deleted)).collect();
    let captured = world.capture_all().await;
    assert_eq!(captured.troubles(), Vec::<String>::new());
    let known: BTreeSet<_> = latest(&world).await.into_keys().collect();
    assert!(captured.sum(|one| one.gone) > 0 && known.is_disjoint(&deleted));
    assert_eq!(captured.sum(|one| one.items), captured.sum(|one| one.captured + one.gone));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_refused_fails_every_type_and_asks_for_none() {
    let world = World::new(TestDatabase::sqlite().await, 200).await;
    world.sync(&World::some(&["deviceConfiguration", "mobileApp"])).await;
    let root = Actor::command_line();
    let wrong = secrecy::SecretString::from("a guess");
    let wrong = tenantatlas_store::tenants::TenantCredential::ClientSecret(wrong);
    world.engine.rotate_credential(&root, world.tenant, &wrong).await.unwrap();
    world.simulator.control().reset_counts();
    let refused = world.capture_all().await;
    assert_eq!(refused.operation.status, OperationStatus::Failed);
    assert!(
        refused.types.values().all(|one| one.reason_code == Some(ReasonCode::AuthFailed)),
        "{:?}",
        refused.troubles()
    );
    assert_eq!(world.simulator.control().counts().quota, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_follows_a_sync_that_read_something_and_no_other() {
    let world = World::new(TestDatabase::sqlite().await, 300).await;
    let root = Actor::command_line();
    let selection = World::some(&["deviceConfiguration", "namedLocation"]);
    let follower = async || {
        let run = world.engine.dispatch_sync_and_capture(&root, world.tenant, &selection).await.unwrap().run_id;
        world.ended(run).await;
        let filter = operation_runs::Filter {
            tenant_id: Some(world.tenant),
            follows: Some(run),
            limit: 1,
            ..operation_runs::Filter::default()
        };
        operation_runs::list(&world.database.db, &filter).await.unwrap().pop()
    };
    let run = follower().await.expect("a run that follows").id;
    world.ended(run).await;
    let captured = world.captured(run).await;
    assert_eq!(captured.operation.item_ids, ["deviceConfiguration", "namedLocation"]);
    let known: usize = world.stored().await.values().map(BTreeSet::len).sum();
    assert_eq!(captured.sum(|one| one.created), known as u64);
    world.simulator.control().set_faults(vec![Fault::always("namedLocations", forbidden())]);
    assert!(follower().await.is_some(), "what was read is there to be captured");
    let all = ["namedLocations", "deviceConfigurations"].map(|path| Fault::always(path, forbidden()));
    world.simulator.control().set_faults(all.to_vec());
    assert!(follower().await.is_none(), "a sync that read nothing is followed by none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_is_cancelled_in_its_middle_and_started_by_operators_only() {
    let world = World::new(TestDatabase::sqlite().await, 600).await;
    world.sync(&World::everything()).await;
    world.simulator.control().hold("$batch");
    let root = Actor::command_line();
    let all = everything();
    let run = world.engine.dispatch_capture(&root, world.tenant, &all, false).await.unwrap();
    world.held().await;
    let again = world.engine.dispatch_capture(&root, world.tenant, &all, false).await.unwrap();
    assert_eq!((again.already_running, again.run_id), (true, run.run_id));
    world.engine.runs().cancel(&root, world.tenant, run.run_id).await.unwrap();
    world.release();
    let ended = world.ended(run.run_id).await;
    assert_eq!(ended.status, OperationStatus::Aborted);
    let capture = world.captured(run.run_id).await.capture;
    assert_eq!((capture.status, capture.stopped), (SyncRunStatus::Failed, Some(ReasonCode::Cancelled)));
    let password = secrecy::SecretString::from("correct horse battery");
    let reader = world.engine.create_user(&root, "r@example.com", "Reader", false, password).await.unwrap();
    world.engine.set_member(&root, world.tenant, reader, Role::Readonly).await.unwrap();
    let reader = Actor::person(reader, "Reader", "r@example.com");
    let refused = world.engine.dispatch_capture(&reader, world.tenant, &all, false).await;
    assert!(matches!(refused, Err(EngineError::Forbidden)), "{refused:?}");
    for wrong in [CaptureOf::Items(Vec::new()), CaptureOf::Types(vec!["nothing".to_owned()])] {
        let refused = world.engine.dispatch_capture(&root, world.tenant, &wrong, false).await;
        assert!(matches!(refused, Err(EngineError::Invalid { .. })), "{refused:?}");
    }
}
