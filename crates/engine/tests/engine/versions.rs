//! The settings of versions, what differs between two, and the names by which they are told.

use serde_json::{Value, json};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::OperationRunId;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::settings::{ChangeKind, Setting, SettingValue};
use tenantatlas_engine::{Actor, Comparison, EngineError, ReadVersion};
use tenantatlas_graph_sim::{Fault, FaultKind};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{audit, operation_runs, setting_catalog};

use crate::support::World;

fn root() -> Actor {
    Actor::command_line()
}

async fn read(world: &World, key: &str, id: &str, number: u64) -> ReadVersion {
    world.engine.read_version(&root(), world.tenant, (key, id), number, false).await.unwrap()
}

async fn compared(world: &World, key: &str, id: &str, numbers: (u64, u64)) -> Comparison {
    world.engine.compare_versions(&root(), world.tenant, (key, id), numbers, false).await.unwrap()
}

/// How often a body says one of these, at any depth.
fn there(value: &Value, marks: &[&str]) -> u64 {
    match value {
        Value::Array(elements) => elements.iter().map(|element| there(element, marks)).sum(),
        Value::Object(members) => {
            let own = marks.iter().any(|mark| members.get(*mark).is_some_and(Value::is_string));
            u64::from(own) + members.values().map(|member| there(member, marks)).sum::<u64>()
        }
        _ => 0,
    }
}

fn with_a_definition(setting: &Setting) -> u64 {
    u64::from(setting.definition_id.is_some()) + setting.parts.iter().map(with_a_definition).sum::<u64>()
}

async fn looks(world: &World) -> usize {
    let filter = audit::Filter { limit: 500, ..audit::Filter::default() };
    let entries = audit::list(&world.database.db, &filter).await.unwrap();
    entries.iter().filter(|entry| entry.action == AuditAction::ScriptSeen.as_str()).count()
}

async fn refreshed(world: &World) -> operation_runs::OperationRun {
    let run: OperationRunId = world.engine.refresh_setting_catalog(&root(), world.tenant).await.unwrap().state.id;
    world.ended(run).await;
    operation_runs::get(&world.database.db, world.tenant, run).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_of_every_captured_policy_is_shown_and_a_version_compared_with_itself_is_the_same() {
    let world = World::new(TestDatabase::sqlite().await, 700).await;
    world.sync(&World::everything()).await;
    world.capture_all().await;
    let mut counted = 0;
    for (key, ids) in world.stored().await {
        for id in ids {
            let ReadVersion { version, settings, .. } = read(&world, &key, &id, 1).await;
            let body = world.body(&version).await;
            let shown: u64 =
                settings.sections.iter().flat_map(|section| &section.settings).map(with_a_definition).sum();
            let expected = match key.as_str() {
                // The object itself names the definition as well.
                "reusablePolicySetting" => there(&body["settingInstance"], &["settingDefinitionId"]),
                "groupPolicyConfiguration" => {
                    let values = body["definitionValues"].as_array().unwrap();
                    let fields = values.iter().filter_map(|value| value["presentationValues"].as_array());
                    values.len() as u64 + fields.map(|fields| fields.len() as u64).sum::<u64>()
                }
                _ => there(&body, &["settingDefinitionId", "definitionId"]),
            };
            assert_eq!(shown, expected, "{key} {id}");
            assert!(settings.count() > 0, "{key} {id} has no setting");
            counted += shown;
            let same = compared(&world, &key, &id, (1, 1)).await.difference;
            assert!(same.is_same() && same.notes.is_empty(), "{key} {id}: {same:?}");
            let unknown = same.not_comparable.iter().filter(|one| one.reason_code == ReasonCode::SecretNeeded).count();
            assert_eq!(same.compared + unknown as u64, settings.count(), "{key} {id}");
            let rows = body["assignments"].as_array().map_or(0, Vec::len);
            assert_eq!(settings.assignments.len(), rows, "{key} {id}");
        }
    }
    assert!(counted > 500, "{counted} settings");
}

on_both_engines! {
    async fn what_people_changed_is_what_differs_and_nothing_else(test: TestDatabase) {
        let world = World::new(test, 900).await;
        world.sync(&World::everything()).await;
        world.capture_all().await;
        let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
        world.sync(&World::everything()).await;
        world.capture(&tenantatlas_engine::CaptureOf::Types(Vec::new()), true).await;
        let mut seen = [0, 0, 0];
        for (at, changed) in [&evolution.edited, &evolution.renamed, &evolution.reassigned].into_iter().enumerate() {
            for (key, id) in changed.iter().flat_map(|(key, ids)| ids.iter().map(move |id| (key, id))) {
                let Comparison { difference, from, to, .. } = compared(&world, key, id, (1, 2)).await;
                assert_eq!((from.number, to.number), (1, 2));
                assert!(!difference.is_same(), "{key} {id}: {difference:?}");
                let told: Vec<_> = difference.changes().map(|row| (row.path.as_str(), row.change)).collect();
                let name = registry().get(key).unwrap().name_property;
                let renamed = told.iter().any(|(path, change)| *path == name && *change == Some(ChangeKind::Changed));
                assert_eq!(renamed, at == 1, "{key} {id}: {told:?}");
                // People and groups of conditional access are settings of it, as are those of roles.
                if at == 2 && difference.changed_assignments().next().is_some() {
                    assert!(told.is_empty(), "{key} {id}: {told:?}");
                }
                if at != 2 {
                    assert!((told.len() as u64) < difference.compared, "{key} {id}: {told:?}");
                    assert_eq!(difference.changed_assignments().count(), 0, "{key} {id}");
                }
                seen[at] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count > 3), "{seen:?}");
    }

    async fn names_of_settings_are_read_once_and_stay_when_a_reading_breaks_off(test: TestDatabase) {
        let world = World::new(test, 200).await;
        world.sync(&World::some(&["settingsCatalogPolicy"])).await;
        world.capture_all().await;
        let id = world.stored().await["settingsCatalogPolicy"].first().unwrap().clone();
        let unnamed = |read: &ReadVersion| read.settings.lines().iter().filter(|line| line.setting.is_unnamed()).count();
        let before = read(&world, "settingsCatalogPolicy", &id, 1).await;
        assert!(unnamed(&before) > 0);
        let run = refreshed(&world).await;
        assert_eq!(run.status, OperationStatus::Completed, "{:?}", run.failures);
        assert_eq!((run.counters.succeeded, run.counters.skipped), (3, 6));
        let after = read(&world, "settingsCatalogPolicy", &id, 1).await;
        assert_eq!(unnamed(&after), 0);
        for line in after.settings.lines().iter().filter(|line| line.setting.definition_id.is_some()) {
            assert!(line.setting.category.is_some(), "{line:?}");
            if let Some(SettingValue::Choice { name, .. }) = &line.setting.value {
                assert!(name.is_some(), "{line:?}");
            }
        }
        let whole = setting_catalog::last_reading(&world.database.db, "configurationSettings").await.unwrap().unwrap();
        assert!(whole.entries > 400, "more than two pages: {}", whole.entries);
        // A list that is cut where its page ends is asked for once more without one.
        let cut = Fault::always("deviceManagement/configurationSettings", FaultKind::CutAtTop);
        world.simulator.control().set_faults(vec![cut]);
        assert_eq!(refreshed(&world).await.status, OperationStatus::Completed);
        let healed = setting_catalog::last_reading(&world.database.db, "configurationSettings").await.unwrap().unwrap();
        assert_eq!(healed.entries, whole.entries);
        let whole = healed;
        // A list that ends early is no whole reading, whatever it says of itself.
        let body = r##"{"@odata.context":"$metadata#x","value":[{"id":"one"}]}"##.to_owned();
        let short = FaultKind::Raw { status: 200, content_type: "application/json".to_owned(), body };
        world.simulator.control().set_faults(vec![Fault::always("deviceManagement/configurationSettings", short)]);
        let run = refreshed(&world).await;
        assert_eq!(run.status, OperationStatus::CompletedWithErrors);
        assert_eq!(run.failures.first().map(|failure| failure.reason_code), Some(ReasonCode::BodyIncomplete));
        let kept = setting_catalog::last_reading(&world.database.db, "configurationSettings").await.unwrap().unwrap();
        assert_eq!(kept, whole);
        assert_eq!(unnamed(&read(&world, "settingsCatalogPolicy", &id, 1).await), 0);
    }

    async fn intents_are_told_by_the_settings_of_their_template_in_versions_and_differences(test: TestDatabase) {
        const INTENT: &str = "endpointSecurityIntent";
        let world = World::new(test, 900).await;
        world.sync(&World::some(&[INTENT])).await;
        world.capture_all().await;
        let ids = world.stored().await[INTENT].clone();
        let told = |read: &ReadVersion| -> Vec<(String, String)> {
            let lines = read.settings.lines();
            let of_intent = lines.iter().filter(|line| line.slot == "categories");
            let value = |setting: &Setting| setting.value.as_ref().map_or_else(String::new, SettingValue::words);
            of_intent.map(|line| (line.setting.title().unwrap_or_default(), value(line.setting))).collect()
        };
        let is_id = |text: &str| text.starts_with("deviceConfiguration--") || text == "enabledForAzureAd";
        let mut before = Vec::new();
        for id in &ids {
            before.extend(told(&read(&world, INTENT, id, 1).await));
        }
        assert!(before.iter().any(|(name, _)| is_id(name)) && before.iter().any(|(_, value)| is_id(value)));
        assert_eq!(refreshed(&world).await.status, OperationStatus::Completed);
        let mut after = Vec::new();
        for id in &ids {
            after.extend(told(&read(&world, INTENT, id, 1).await));
        }
        assert_eq!(after.len(), before.len());
        assert!(after.iter().all(|(name, value)| !is_id(name) && !is_id(value)), "{after:?}");
        for expected in [
            ("Configure client-driven recovery password rotation", "Enable rotation on Azure AD-joined devices"),
            ("Compatible TPM startup", "Do not allow"),
            ("User creation of recovery key", "Require"),
        ] {
            assert!(after.contains(&(expected.0.to_owned(), expected.1.to_owned())), "{expected:?} in {after:?}");
        }
        let mut changed = Vec::new();
        for _ in 0..3 {
            world.simulator.control().evolve(&world.simulated.tenant_id, 1);
        }
        world.sync(&World::some(&[INTENT])).await;
        world.capture(&tenantatlas_engine::CaptureOf::Types(Vec::new()), true).await;
        for id in world.stored().await[INTENT].intersection(&ids) {
            if world.versions(INTENT, id).await.len() < 2 {
                continue;
            }
            let Comparison { difference, .. } = compared(&world, INTENT, id, (1, 2)).await;
            let of_intent = difference.changes().filter(|row| row.slot == "categories");
            changed.extend(of_intent.map(|row| row.title.clone()));
        }
        assert!(!changed.is_empty() && changed.iter().all(|name| !is_id(name)), "{changed:?}");
    }

    async fn templates_of_which_a_part_came_or_none_name_what_they_have_and_are_read_again(test: TestDatabase) {
        let world = World::new(test, 50).await;
        let entries = async || {
            let reading = setting_catalog::last_reading(&world.database.db, "templates").await.unwrap();
            reading.map(|reading| reading.entries)
        };
        let why = |run: &operation_runs::OperationRun| {
            let of_templates = run.failures.iter().find(|failure| failure.item_id.as_deref() == Some("templates"));
            of_templates.map(|failure| failure.reason_code)
        };
        let path = "categories?$expand=settingDefinitions";
        let gone = FaultKind::Status { status: 404, code: "NotFound".to_owned(), message: "no".to_owned() };
        // The definitions of a category may come in several pages.
        world.simulator.control().set_faults(vec![Fault::always(path, FaultKind::PartialCollections)]);
        assert_eq!(refreshed(&world).await.status, OperationStatus::Completed);
        let whole = entries().await.expect("a reading");
        world.simulator.control().set_faults(Vec::new());
        assert_eq!(refreshed(&world).await.status, OperationStatus::Completed);
        assert_eq!(entries().await, Some(whole));
        // One template that cannot be read is no whole reading; one that is gone is.
        world.simulator.control().set_faults(vec![Fault::always(path, FaultKind::Forbidden).after(1)]);
        let run = refreshed(&world).await;
        assert_eq!(run.status, OperationStatus::CompletedWithErrors);
        assert_eq!(why(&run), Some(ReasonCode::PermissionMissing));
        world.simulator.control().set_faults(vec![Fault::always(path, gone.clone()).after(1)]);
        let run = refreshed(&world).await;
        assert_eq!(why(&run), Some(ReasonCode::BodyIncomplete));
        assert_eq!(entries().await, Some(whole));
        world.simulator.control().set_faults(vec![Fault::always("deviceManagement/templates", gone)]);
        let run = refreshed(&world).await;
        assert_eq!((run.status, run.counters.skipped), (OperationStatus::Completed, 7), "{:?}", run.failures);
        assert_eq!(entries().await, Some(whole));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_look_at_a_script_or_payload_is_written_down_and_bodies_are_for_operators() {
    let world = World::new(TestDatabase::sqlite().await, 200).await;
    world.sync(&World::some(&["deviceManagementScript", "deviceConfiguration"])).await;
    world.capture_all().await;
    let stored = world.stored().await;
    let script = ("deviceManagementScript", stored["deviceManagementScript"].first().unwrap().as_str());
    let engine = &world.engine;
    let read = engine.read_version(&root(), world.tenant, script, 1, false).await.unwrap();
    assert_eq!(read.contents, ["scriptContent"]);
    let same = engine.compare_versions(&root(), world.tenant, script, (1, 1), false).await.unwrap();
    assert!(!same.document(false).to_string().contains("PLANTED") && looks(&world).await == 0);
    engine.read_version(&root(), world.tenant, script, 1, true).await.unwrap();
    assert_eq!(looks(&world).await, 1);
    engine.compare_versions(&root(), world.tenant, script, (1, 1), true).await.unwrap();
    assert_eq!(looks(&world).await, 3, "each of the two versions was looked at");
    // Payloads of device configurations are content as well.
    let mut payloads = 0;
    for id in &stored["deviceConfiguration"] {
        let before = looks(&world).await;
        let of = ("deviceConfiguration", id.as_str());
        let masked = engine.open_version(&root(), world.tenant, of, 1, false).await.unwrap();
        assert_eq!(looks(&world).await, before);
        let shown = engine.open_version(&root(), world.tenant, of, 1, true).await.unwrap();
        assert_eq!(looks(&world).await > before, !masked.left_out.is_empty());
        assert_eq!(masked.body == shown.body, masked.left_out.is_empty());
        payloads += masked.left_out.len();
    }
    assert!(payloads > 0, "there is a payload");
    let password = secrecy::SecretString::from("correct horse battery");
    let reader = engine.create_user(&root(), "r@example.com", "Reader", false, password).await.unwrap();
    engine.set_member(&root(), world.tenant, reader, Role::Readonly).await.unwrap();
    let reader = Actor::person(reader, "Reader", "r@example.com");
    let refused = engine.read_version(&reader, world.tenant, script, 1, false).await;
    assert!(matches!(refused, Err(EngineError::Forbidden)), "{refused:?}");
    let refused = engine.compare_versions(&reader, world.tenant, script, (1, 1), false).await;
    assert!(matches!(refused, Err(EngineError::Forbidden)), "{refused:?}");
    let missing = engine.compare_versions(&root(), world.tenant, script, (1, 7), false).await;
    assert!(matches!(missing, Err(EngineError::NotFound(_))), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_as_a_document_names_groups_and_filters() {
    let world = World::new(TestDatabase::sqlite().await, 300).await;
    world.sync(&World::everything()).await;
    world.capture_all().await;
    let evolution = world.simulator.control().evolve(&world.simulated.tenant_id, 1).remove(0);
    world.sync(&World::everything()).await;
    world.capture_all().await;
    let ids = &evolution.reassigned;
    let (key, id) = ids.iter().find_map(|(key, ids)| Some((key, ids.first()?))).expect("something reassigned");
    let document = compared(&world, key, id, (1, 2)).await.document(false);
    assert_eq!((&document["from"]["number"], &document["to"]["number"]), (&json!(1), &json!(2)));
    assert_eq!(document["same"], json!(false));
    let rows = document["assignments"].as_array().unwrap();
    let named = rows.iter().filter(|row| row["target"] == "group").all(|row| row["name"].is_string());
    assert!(named, "{document}");
    for row in rows {
        assert!(row["change"].is_string() && (row["old"].is_object() || row["new"].is_object()), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_policies_name_by_ids_is_told_by_the_names_of_groups_apps_and_locations() {
    let world = World::new(TestDatabase::sqlite().await, 900).await;
    world.sync(&World::everything()).await;
    world.capture_all().await;
    let stored = world.stored().await;
    let mut named = std::collections::BTreeSet::new();
    for key in ["conditionalAccessPolicy", "managedDeviceAppConfiguration", "enrollmentStatusPage"] {
        for id in &stored[key] {
            let read = read(&world, key, id, 1).await;
            for line in read.settings.lines() {
                let Some(SettingValue::List(values)) = &line.setting.value else { continue };
                let is_named = |value: &SettingValue| matches!(value, SettingValue::Choice { name: Some(_), .. });
                if line.setting.definition_id.is_none() && values.iter().any(is_named) {
                    named.insert(line.setting.key.clone());
                }
            }
        }
    }
    for property in ["excludeGroups", "excludeLocations", "termsOfUse", "targetedMobileApps", "selectedMobileAppIds"] {
        assert!(named.contains(property), "{property} is told by ids: {named:?}");
    }
}
