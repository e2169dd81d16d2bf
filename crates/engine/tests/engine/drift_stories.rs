//! Stories of false drift from other tools (`docs/graph.md`), each by the name of what it prevents.

use serde_json::{Value, json};
use tenantatlas_domain::drift::{ChangeKind, GapCode, GapNow};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_engine::Actor;
use tenantatlas_graph_sim::{Fault, FaultKind, Within};
use tenantatlas_store::findings;
use tenantatlas_store::tenants::AfterSync;
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::drift::Reading::Whole;
use crate::drift::{Compared, no_drift};
use crate::support::World;

const TEMPLATES: &str = "groupPolicyConfiguration";
/// Types whose assignments are read below their objects, by batches.
const BELOW: [&str; 3] = ["autopilotProfile", "deviceConfiguration", "deviceManagementScript"];

/// A world whose syncs are followed by nothing.
async fn quiet(test: TestDatabase) -> World {
    let world = World::new(test, 900).await;
    let nothing = AfterSync { drift: false, capture: false, audit_events: false };
    world.engine.set_after_sync(&Actor::command_line(), world.tenant, nothing).await.unwrap();
    world
}

/// Reads some types twice, the second time with these faults, and compares.
async fn read_again(test: TestDatabase, faults: Vec<Fault>) -> Compared {
    let world = quiet(test).await;
    let selection = World::some(&BELOW);
    let first = world.sync(&selection).await;
    assert_eq!(first.troubles(), Vec::<String>::new());
    world.simulator.control().set_faults(faults);
    world.sync(&selection).await;
    world.compare().await
}

fn assigned(target: &str, group: &str) -> Value {
    json!([{"target": {"@odata.type": format!("#microsoft.graph.{target}"), "groupId": group}}])
}

on_both_engines! {
    async fn filters_do_not_flicker_when_a_part_of_a_batch_is_throttled(test: TestDatabase) {
        let throttled = FaultKind::Throttled { retry_after: Some("0".to_owned()) };
        let part = Fault::times("/assignments", 12, throttled).only_within(Within::BatchItems);
        let compared = read_again(test, vec![part]).await;
        assert_eq!((compared.told(), compared.gaps()), (vec![], vec![]), "what was throttled was asked for again");
    }

    async fn a_batch_that_stays_throttled_takes_no_assignment_away_and_its_types_are_named(test: TestDatabase) {
        let throttled = FaultKind::Throttled { retry_after: Some("3600".to_owned()) };
        let part = Fault::always("/assignments", throttled).only_within(Within::BatchItems).for_share(0.5);
        let compared = read_again(test, vec![part]).await;
        assert_eq!(compared.told(), []);
        let gaps = compared.gaps();
        assert!(gaps.iter().any(|(key, _)| *key == "autopilotProfile"), "{gaps:?}");
        assert!(gaps.iter().all(|(_, code)| *code == GapCode::NotRead), "{gaps:?}");
    }

    async fn assignments_that_may_not_be_read_are_not_removed(test: TestDatabase) {
        let forbidden = FaultKind::Status { status: 403, code: "Forbidden".to_owned(), message: "no".to_owned() };
        let compared = read_again(test, vec![Fault::always("/assignments", forbidden)]).await;
        assert_eq!(compared.told(), []);
        let gap = compared.record.not_comparable.iter().find(|gap| gap.policy_type == "autopilotProfile").unwrap();
        assert_eq!(gap.reason_code(), ReasonCode::PermissionMissing.as_str());
    }

    async fn what_is_not_comparable_says_until_when_and_which_permission_and_whether_it_still_is_so(test: TestDatabase) {
        let world = quiet(test).await;
        let selection = World::some(&BELOW);
        world.sync(&selection).await;
        let throttled = FaultKind::Throttled { retry_after: Some("86400".to_owned()) };
        let forbidden = FaultKind::Status {
            status: 403,
            code: "Forbidden".to_owned(),
            message: "Application must have one of the following scopes: DeviceManagementScripts.Read.All".to_owned(),
        };
        let faults = vec![
            Fault::always("deviceManagement/deviceConfigurations", throttled),
            Fault::always("deviceManagement/deviceManagementScripts", forbidden),
        ];
        world.simulator.control().set_faults(faults);
        world.sync(&selection).await;
        let record = world.compare().await.record;
        let gaps = findings::gaps_now(&world.database.db, &record).await.unwrap();
        let of = |key: &str| gaps.iter().find(|one| one.gap.policy_type == key).unwrap();
        let (until, lacking) = (of("deviceConfiguration"), of("deviceManagementScript"));
        assert!(until.gap.because().contains("20"), "it says until when: {}", until.gap.because());
        assert!(lacking.gap.because().contains("DeviceManagementScripts.Read.All"), "{}", lacking.gap.because());
        assert!(gaps.iter().all(GapNow::is_still_so), "{gaps:?}");
        world.simulator.control().set_faults(Vec::new());
        world.sync(&World::some(&BELOW)).await;
        let since = findings::gaps_now(&world.database.db, &record).await.unwrap();
        let lacking = since.iter().find(|one| one.gap.policy_type == "deviceManagementScript").unwrap();
        assert!(!lacking.is_still_so() && lacking.now().contains("compare again"), "{}", lacking.now());
    }

    async fn assignments_that_were_removed_are_told_and_nothing_else_of_their_object(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let with = |assignments: Value| json!({"id": "a", "displayName": "A", "assignments": assignments});
        let key = "deviceConfiguration";
        world.reads(&[(key, Whole(vec![with(assigned("groupAssignmentTarget", "g"))]))]).await;
        world.reads(&[(key, Whole(vec![with(json!([]))]))]).await;
        assert_eq!(world.compare().await.told(), [(ChangeKind::Reassigned, "a")]);
    }

    async fn an_exclusion_is_not_taken_for_the_inclusion_that_it_was(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let with = |target: &str| json!({"id": "a", "displayName": "A", "assignments": assigned(target, "g")});
        let key = "deviceConfiguration";
        world.reads(&[(key, Whole(vec![with("groupAssignmentTarget")]))]).await;
        world.reads(&[(key, Whole(vec![with("exclusionGroupAssignmentTarget")]))]).await;
        assert_eq!(world.compare().await.told(), [(ChangeKind::Reassigned, "a")]);
    }

    async fn a_policy_that_moved_from_intents_to_the_catalogue_is_neither_removed_nor_added(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let intent = json!({"id": "old", "displayName": "Disk encryption", "templateId": "t"});
        let moved = json!({"id": "new", "name": "Disk encryption", "settings": []});
        let (intents, catalogue) = ("endpointSecurityIntent", "settingsCatalogPolicy");
        world.reads(&[(intents, Whole(vec![intent])), (catalogue, Whole(Vec::new()))]).await;
        world.reads(&[(intents, Whole(Vec::new())), (catalogue, Whole(vec![moved]))]).await;
        let compared = world.compare().await;
        assert_eq!(compared.told(), [(ChangeKind::Migrated, "new")]);
        assert_eq!(compared.open[0].evidence.from_external_id.as_deref(), Some("old"));
    }

    async fn objects_without_a_name_are_not_taken_for_one_that_moved(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let (intents, catalogue) = ("endpointSecurityIntent", "settingsCatalogPolicy");
        let nameless = |id: &str| json!({"id": id, "displayName": null, "name": null, "description": id});
        world.reads(&[(intents, Whole(vec![nameless("old")])), (catalogue, Whole(Vec::new()))]).await;
        world.reads(&[(intents, Whole(Vec::new())), (catalogue, Whole(vec![nameless("new")]))]).await;
        let compared = world.compare().await;
        assert_eq!(compared.told(), [(ChangeKind::Added, "new"), (ChangeKind::Removed, "old")]);
    }

    async fn ids_of_one_tenant_in_values_of_administrative_templates_are_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        // Each change of a template makes its rows anew, under other ids.
        let template = |row: &str| json!({"displayName": "a", "definitionValues": [{
            "id": format!("value-{row}"), "createdDateTime": format!("2026-01-0{row}T00:00:00Z"), "enabled": true,
            "configurationType": "policy",
            "definition": {"id": "d", "displayName": "Require a PIN", "classType": "machine", "version": row},
            "presentationValues": [{
                "@odata.type": "#microsoft.graph.groupPolicyPresentationValueText", "id": format!("field-{row}"),
                "lastModifiedDateTime": format!("2026-01-0{row}T00:00:00Z"), "value": "6",
                "presentation": {"id": "p", "label": "Length"},
                "presentation@odata.bind": format!("https://graph.microsoft.com/beta/x('{row}')"),
            }],
        }]});
        no_drift(&world, TEMPLATES, &[(template("1"), template("2"))]).await;
    }

    async fn heartbeats_and_counters_of_partners_connectors_and_tokens_are_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let of = |key, name: &str, value: &str| {
            (key, Whole(vec![json!({"id": key, "displayName": "a", "organizationName": "a", name: value})]))
        };
        for day in ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] {
            world.reads(&[
                of("complianceManagementPartner", "lastHeartbeatDateTime", day),
                of("deviceManagementPartner", "lastHeartbeatDateTime", day),
                of("mobileThreatDefenseConnector", "lastHeartbeatDateTime", day),
                of("ndesConnector", "lastConnectionDateTime", day),
                of("androidManagedStore", "lastAppSyncDateTime", day),
                of("vppToken", "lastSyncDateTime", day),
                of("appleEnrollmentToken", "lastSyncTriggeredDateTime", day),
            ]).await;
        }
        let compared = world.compare().await;
        assert_eq!((compared.told(), compared.gaps()), (vec![], vec![]));
    }

    async fn an_expiry_that_comes_or_moves_is_no_drift(test: TestDatabase) {
        let world = World::new(test, 20).await;
        let at = |year: u32| json!({"organizationName": "a", "expirationDateTime": format!("{year}-05-01T00:00:00Z")});
        no_drift(&world, "vppToken", &[(at(2026), at(2027))]).await;
    }
}
