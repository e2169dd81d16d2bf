//! Answers that look like success and are none, and what must not follow from them.

use std::collections::BTreeMap;

use tenantatlas_domain::presence::{Confidence, Presence};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::references::{TargetKind, Unnamed};
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_graph_sim::{Fault, FaultKind, Within};
use tenantatlas_store::inventory::{ItemFilter, ScopeView, StateFilter, outgoing};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};

use crate::support::{HELD_LISTING, Synced, World};

const CATALOG: &str = "deviceManagement/configurationPolicies";

async fn world(objects: u64) -> World {
    World::new(TestDatabase::sqlite().await, objects).await
}

fn status(status: u16, code: &str, message: &str) -> FaultKind {
    FaultKind::Status { status, code: code.to_owned(), message: message.to_owned() }
}

fn short(property: &str) -> FaultKind {
    FaultKind::ShortProperty { property: property.to_owned() }
}

fn end(synced: &Synced, key: &str) -> (Option<TypeOutcome>, Option<ReasonCode>) {
    let one = &synced.types[key];
    (one.outcome, one.reason_code)
}

/// Syncs, then once more with these faults, and expects that nothing is new, changed or missing then.
async fn changes_nothing(types: &[&str], faults: Vec<Fault>) -> (World, Synced) {
    let world = world(400).await;
    let selection = World::some(types);
    world.sync(&selection).await;
    world.simulator.control().set_faults(faults);
    // What is wrong with an address that nobody has heard of is told as soon as it has answered as Graph does: where there is
    // another list, it comes first.
    let after_another = types.len() > 1 && types.contains(&"settingsCatalogPolicy");
    if after_another {
        world.simulator.control().hold(HELD_LISTING);
    }
    let run = world.dispatch(&selection).await;
    if after_another {
        world.in_the_middle(run).await;
        world.release();
    }
    world.ended(run).await;
    let synced = world.result(run).await;
    assert_eq!(synced.run.items_upserted_count, 0, "{:?}", synced.troubles());
    assert!(world.items(Some(StateFilter::Missing)).await.is_empty(), "{:?}", synced.troubles());
    (world, synced)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_breaks_off_at_its_third_page_in_a_first_run_is_named_as_not_read() {
    let world = world(6_000).await;
    let broken = Fault::always(CATALOG, status(403, "Forbidden", "no")).after(2).only_within(Within::Requests);
    world.simulator.control().set_faults(vec![broken]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "namedLocation"])).await;
    assert_eq!(synced.types["settingsCatalogPolicy"].pages, 2, "{:?}", synced.troubles());
    let view = ScopeView::load(&world.database.db, world.tenant, None).await.unwrap();
    let filter = ItemFilter { policy_types: vec!["settingsCatalogPolicy".to_owned()], ..ItemFilter::default() };
    let not_read = view.not_read(&filter);
    assert_eq!(not_read.len(), 1);
    assert_eq!(not_read[0].outcome, Some(TypeOutcome::Failed));
    assert!(not_read[0].known > 0 && not_read[0].reason_code.is_some(), "{not_read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_does_not_exist_never_makes_an_object_missing() {
    let unknown = || vec![Fault::always("applePushNotificationCertificate", FaultKind::UnknownSegment)];
    let (world, synced) = changes_nothing(&["applePushCertificate", "namedLocation"], unknown()).await;
    let ended = (Some(TypeOutcome::Skipped), Some(ReasonCode::NotFoundInCloud));
    assert_eq!(end(&synced, "applePushCertificate"), ended);
    assert_eq!(world.items(Some(StateFilter::NotRead)).await.len(), 1);
    // Below a parent as well.
    let unknown = || vec![Fault::always("enrollmentProfiles", FaultKind::UnknownSegment)];
    let (_, synced) = changes_nothing(&["appleEnrollmentProfile", "namedLocation"], unknown()).await;
    assert_eq!(end(&synced, "appleEnrollmentProfile").0, Some(TypeOutcome::Failed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_batch_without_a_body_takes_no_assignment_from_an_object() {
    let once = Fault::times("/assignments", 2, FaultKind::NoBody).only_within(Within::BatchItems);
    let (_, synced) = changes_nothing(&["termsAndConditions"], vec![once]).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    for kind in [FaultKind::NoBody, FaultKind::ErrorWithin, FaultKind::NullProperty { property: "value".to_owned() }] {
        let always = Fault::always("/assignments", kind).only_within(Within::BatchItems);
        let (_, synced) = changes_nothing(&["termsAndConditions"], vec![always]).await;
        assert_eq!(end(&synced, "termsAndConditions"), (Some(TypeOutcome::Failed), Some(ReasonCode::ContractInvalid)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_whose_body_did_not_come_is_not_kept_under_its_revision() {
    let world = world(400).await;
    let selection = World::some(&["deviceManagementScript"]);
    world.simulator.control().set_faults(vec![Fault::always("deviceManagementScripts/", FaultKind::NoBody)]);
    let faulty = world.sync(&selection).await;
    assert_eq!(faulty.types["deviceManagementScript"].outcome, Some(TypeOutcome::Failed));
    assert_eq!(faulty.types["deviceManagementScript"].items, 0);
    world.simulator.control().set_faults(Vec::new());
    let healed = world.sync(&selection).await;
    assert_eq!(healed.run.status, SyncRunStatus::Success);
    assert_eq!(
        healed.types["deviceManagementScript"].inserted,
        world.expected()["deviceManagementScript"].len() as u64
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_whose_body_came_as_null_is_asked_for_again_and_else_not_read() {
    let null = |property: &str| FaultKind::NullProperty { property: property.to_owned() };
    for (key, path, property) in [
        ("deviceManagementScript", "deviceManagementScripts/", "scriptContent"),
        ("deviceHealthScript", "deviceHealthScripts/", "detectionScriptContent"),
        ("deviceComplianceScript", "deviceComplianceScripts/", "detectionScriptContent"),
    ] {
        let world = world(400).await;
        let selection = World::some(&[key]);
        let all = world.expected()[key].len() as u64;
        let single = |count| Fault { count, ..Fault::always(path, null(property)).only_within(Within::BatchItems) };
        world.simulator.control().set_faults(vec![single(None)]);
        let faulty = world.sync(&selection).await;
        assert_eq!(end(&faulty, key), (Some(TypeOutcome::Failed), Some(ReasonCode::ContractInvalid)), "{key}");
        assert_eq!((faulty.types[key].items, faulty.run.items_upserted_count), (0, 0), "{key}: nothing is concluded");
        // The first answer of one of them comes without, the second with its body.
        world.simulator.control().set_faults(vec![single(Some(1))]);
        let healed = world.sync(&selection).await;
        assert_eq!((healed.troubles(), healed.types[key].inserted), (Vec::new(), all), "{key}");
        // What may have no body has none.
        world.simulator.control().set_faults(vec![Fault::always(path, null("remediationScriptContent"))]);
        assert_eq!(world.sync(&selection).await.troubles(), Vec::<String>::new(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expansion_that_came_as_null_is_read_below_the_object() {
    let null = |property: &str| FaultKind::NullProperty { property: property.to_owned() };
    let faults = vec![
        Fault::always("deviceManagement/deviceConfigurations?", null("assignments")),
        Fault::always("deviceManagement/configurationPolicies?", null("settings")),
    ];
    let (_, synced) = changes_nothing(&["deviceConfiguration", "settingsCatalogPolicy"], faults).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_says_success_and_holds_an_error_or_nothing_is_no_empty_list() {
    for kind in [FaultKind::NoBody, FaultKind::ErrorWithin, FaultKind::NullProperty { property: "value".to_owned() }] {
        let (world, synced) =
            changes_nothing(&["settingsCatalogPolicy", "namedLocation"], vec![Fault::always(CATALOG, kind)]).await;
        let ended = (Some(TypeOutcome::Failed), Some(ReasonCode::ContractInvalid));
        assert_eq!(end(&synced, "settingsCatalogPolicy"), ended);
        assert!(!world.items(Some(StateFilter::NotRead)).await.is_empty());
    }
    let single = Fault::always("policies/authorizationPolicy", FaultKind::NoBody);
    let (_, synced) = changes_nothing(&["authorizationPolicy"], vec![single]).await;
    assert_eq!(end(&synced, "authorizationPolicy").0, Some(TypeOutcome::Failed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_list_that_refuses_a_token_that_others_accept_is_no_lost_sign_in() {
    let world = world(300).await;
    let refused = status(401, "Unauthorized", "OrganizationFromTenantGuidNotFound: the tenant was not found.");
    world.simulator.control().set_faults(vec![Fault::always("deviceManagement/intents", refused)]);
    let synced = world.sync(&World::everything()).await;
    let troubles = synced.troubles();
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    let intents = (Some(TypeOutcome::Failed), Some(ReasonCode::ContractInvalid));
    assert_eq!(end(&synced, "endpointSecurityIntent"), intents);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_nothing_accepts_is_not_tried_on_every_list() {
    let world = world(300).await;
    let refused = status(401, "InvalidAuthenticationToken", "Access token validation failure.");
    world.simulator.control().set_faults(vec![Fault::always("", refused)]);
    let synced = world.sync(&World::everything()).await;
    let lost = (Some(TypeOutcome::Failed), Some(ReasonCode::AuthFailed));
    assert!(synced.types.keys().all(|key| end(&synced, key) == lost), "{:?}", synced.troubles());
    // Each listing that was under way when it was found out asked twice, and twice at two other addresses.
    let most = 6 * tenantatlas_engine::EngineConfig::default().sync.concurrent_listings as u64;
    let counts = world.simulator.control().counts();
    assert!(counts.requests <= most, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_object_below_which_nothing_can_be_read_costs_no_other_object() {
    for refusal in [status(404, "ResourceNotFound", "Not there."), FaultKind::ServerError, FaultKind::UnknownSegment] {
        let world = world(400).await;
        let selection = World::some(&["termsAndConditions"]);
        let whole = world.sync(&selection).await;
        let all = whole.types["termsAndConditions"].items;
        let id = world.expected()["termsAndConditions"].first().unwrap().clone();
        world.simulator.control().set_faults(vec![Fault::always(&format!("{id}/assignments"), refusal)]);
        let synced = world.sync(&selection).await;
        let terms = &synced.types["termsAndConditions"];
        assert_eq!((terms.outcome, terms.items), (Some(TypeOutcome::Failed), all - 1), "{:?}", terms.message);
        assert!(terms.message.as_ref().unwrap().contains("not be read whole: 1."), "{:?}", terms.message);
        assert_eq!(synced.run.items_upserted_count, 0, "nothing changed");
        let not_read = world.items(Some(StateFilter::NotRead)).await;
        assert_eq!(not_read.iter().map(|row| &row.item.external_id).collect::<Vec<_>>(), [&id]);
        world.simulator.control().set_faults(Vec::new());
        let healed = world.sync(&selection).await;
        assert_eq!((healed.troubles(), healed.types["termsAndConditions"].items), (Vec::new(), all));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_with_fewer_settings_than_it_states_is_completed_below_or_not_read() {
    let types = ["settingsCatalogPolicy", "linuxCompliancePolicy"];
    let list = || Fault::always("configurationPolicies?", short("settings"));
    let (_, synced) = changes_nothing(&types, vec![list()]).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    let (_, synced) = changes_nothing(&types, vec![list(), Fault::always("/settings", short("value"))]).await;
    assert_eq!(end(&synced, "settingsCatalogPolicy"), (Some(TypeOutcome::Failed), Some(ReasonCode::ContractInvalid)));
    // What is below an unchanged revision was not asked for; in a first run it is.
    let world = world(400).await;
    world.simulator.control().set_faults(vec![Fault::always("/settings", short("value"))]);
    let synced = world.sync(&World::some(&types)).await;
    assert_eq!(end(&synced, "linuxCompliancePolicy").0, Some(TypeOutcome::Failed));
    assert_eq!(synced.types["linuxCompliancePolicy"].items, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_cut_at_the_page_size_is_read_to_its_end() {
    let world = world(3_000).await;
    world.simulator.control().set_faults(vec![Fault::always(CATALOG, FaultKind::CutAtTop)]);
    let synced = world.sync(&World::some(&["settingsCatalogPolicy", "conditionalAccessPolicy"])).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    let (stored, expected) = (world.stored().await, world.expected());
    for key in ["settingsCatalogPolicy", "conditionalAccessPolicy"] {
        assert_eq!(stored[key], expected[key], "{key}");
    }
    let asked = world.simulator.control().log();
    assert!(asked.iter().all(|one| !one.path.contains("conditionalAccess/policies") || !one.path.contains("top=")));
}

on_both_engines! {
    async fn what_a_walk_that_repeats_an_object_did_not_show_is_missing_with_low_confidence(test: TestDatabase) {
        let world = World::new(test, 400).await;
        let selection = World::some(&["mobileApp", "conditionalAccessPolicy"]);
        world.sync(&selection).await;
        world.simulator.control().set_faults(vec![Fault::always("mobileApps?", FaultKind::RepeatedRow)]);
        let synced = world.sync(&selection).await;
        assert_eq!(synced.run.status, SyncRunStatus::Success, "{:?}", synced.troubles());
        assert!(synced.types["mobileApp"].unsteady && !synced.types["conditionalAccessPolicy"].unsteady);
        let missing = world.items(Some(StateFilter::Missing)).await;
        assert!(!missing.is_empty());
        for row in missing {
            assert_eq!(row.presence, Presence::Missing { confidence: Confidence::Low });
        }
    }
}

on_both_engines! {
    async fn an_object_that_is_deleted_while_its_list_is_read_fails_nothing_and_is_missing_without_certainty(
        test: TestDatabase
    ) {
        let world = World::new(test, 400).await;
        let selection = World::some(&["termsAndConditions"]);
        world.sync(&selection).await;
        let id = |key: &str| world.expected()[key].first().unwrap().clone();
        let gone = [id("termsAndConditions"), id("deviceManagementScript")];
        let not_there = || status(404, "ResourceNotFound", "Not there.");
        let left_out = |path: &str, id: &str| {
            Fault::always(path, FaultKind::WithoutObject { id: id.to_owned() }).only_within(Within::Requests).after(1)
        };
        // The first list still shows them; below them they are gone, and the second list shows them no more.
        world.simulator.control().set_faults(vec![
            Fault::always(&format!("{}/assignments", gone[0]), not_there()),
            left_out("termsAndConditions", &gone[0]),
            Fault::always(&format!("deviceManagementScripts/{}", gone[1]), not_there()),
            left_out("deviceManagementScripts?", &gone[1]),
        ]);
        let synced = world.sync(&selection).await;
        assert_eq!((synced.run.status, synced.troubles()), (SyncRunStatus::Success, Vec::new()));
        let missing = world.items(Some(StateFilter::Missing)).await;
        assert_eq!(missing.iter().map(|row| &row.item.external_id).collect::<Vec<_>>(), [&gone[0]]);
        assert_eq!(missing[0].presence, Presence::Missing { confidence: Confidence::Low });
        // One that was never read is not heard of at all.
        let scripts = world.sync(&World::some(&["deviceManagementScript"])).await;
        let all = world.expected()["deviceManagementScript"].len() as u64;
        assert_eq!((scripts.troubles(), scripts.types["deviceManagementScript"].items), (Vec::new(), all - 1));
        world.simulator.control().set_faults(Vec::new());
        world.sync(&selection).await;
        assert!(world.items(Some(StateFilter::Missing)).await.is_empty(), "and it may be there again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_is_deleted_while_its_list_is_read_fails_nothing_and_one_that_is_there_does() {
    let world = world(2_000).await;
    let selection = World::some(&["appleEnrollmentProfile"]);
    let parent = world.expected()["appleEnrollmentToken"].first().unwrap().clone();
    let not_there = || status(404, "ResourceNotFound", "Not there.");
    let below = Fault::always(&format!("depOnboardingSettings/{parent}/enrollmentProfiles"), not_there());
    let left_out = Fault::always("depOnboardingSettings?", FaultKind::WithoutObject { id: parent.clone() });
    world.simulator.control().set_faults(vec![below.clone(), left_out.only_within(Within::Requests).after(1)]);
    let synced = world.sync(&selection).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
    assert!(synced.types["appleEnrollmentProfile"].unsteady);
    // The list still shows it, so what is below it was not read.
    world.simulator.control().set_faults(vec![below]);
    let synced = world.sync(&selection).await;
    assert_eq!(end(&synced, "appleEnrollmentProfile").0, Some(TypeOutcome::Failed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_bring_nothing_new_end_their_list_soon() {
    let endless = Fault::always("namedLocations", FaultKind::EndlessPages);
    let (_, synced) = changes_nothing(&["namedLocation", "conditionalAccessPolicy"], vec![endless]).await;
    assert_eq!(end(&synced, "namedLocation"), (Some(TypeOutcome::Failed), Some(ReasonCode::NextlinkLoop)));
    assert!(synced.types["namedLocation"].requests <= 8, "{:?}", synced.types["namedLocation"]);
    assert_eq!(synced.types["conditionalAccessPolicy"].outcome, Some(TypeOutcome::Succeeded));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_are_to_be_asked_again_tomorrow_hold_up_no_other_and_say_until_when() {
    let world = world(400).await;
    let later = FaultKind::Throttled { retry_after: Some("86400".to_owned()) };
    let refused = ["deviceConfigurations", "deviceCompliancePolicies", "namedLocations"];
    world.simulator.control().set_faults(refused.map(|path| Fault::always(path, later.clone())).to_vec());
    let keys = ["deviceConfiguration", "deviceCompliancePolicy", "namedLocation"];
    let began = std::time::Instant::now();
    let synced = world.sync(&World::everything()).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
    for key in keys {
        assert_eq!(end(&synced, key), (Some(TypeOutcome::Failed), Some(ReasonCode::GraphThrottled)), "{key}");
        let message = synced.types[key].message.as_deref().unwrap_or_default();
        assert!(message.contains("not to be asked again before "), "{key}: {message}");
    }
    // Types that share one of these lists suffer with it, and nothing else does.
    let others = synced.types.values().filter(|one| one.outcome == Some(TypeOutcome::Failed));
    assert!(others.clone().all(|one| one.reason_code == Some(ReasonCode::GraphThrottled)), "{:?}", synced.troubles());
    assert_eq!(end(&synced, "settingsCatalogPolicy").0, Some(TypeOutcome::Succeeded));
    assert!(others.count() < synced.types.len() / 3, "{:?}", synced.troubles());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_order_mark_ends_no_type() {
    let world = world(200).await;
    world.simulator.control().set_faults(vec![Fault::always("", FaultKind::ByteOrderMark)]);
    let synced = world.sync(&World::some(&["namedLocation", "applePushCertificate", "termsAndConditions"])).await;
    assert_eq!(synced.troubles(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_group_whose_name_may_not_be_read_costs_no_other_its_name() {
    let world = world(400).await;
    let selection = Selection { include_dependencies: true, ..World::some(&["deviceConfiguration"]) };
    world.simulator.control().set_faults(vec![Fault::always("getByIds", FaultKind::Forbidden)]);
    world.sync(&selection).await;
    let named = group_names(&world).await;
    let (first, second) = (named.keys().next().unwrap().clone(), named.keys().nth(1).unwrap().clone());
    assert!(named.values().all(|(name, unnamed)| name.is_some() && unnamed.is_none()), "{named:?}");
    world.simulator.control().set_faults(vec![
        Fault::always("getByIds", FaultKind::Forbidden),
        Fault::always(&format!("groups/{first}"), FaultKind::Forbidden),
        Fault::always(&format!("groups/{second}"), status(404, "Request_ResourceNotFound", "It does not exist.")),
    ]);
    world.sync(&selection).await;
    let later = group_names(&world).await;
    assert_eq!(later[&first], (named[&first].0.clone(), Some(Unnamed::Refused)));
    assert_eq!(later[&second], (named[&second].0.clone(), Some(Unnamed::Gone)));
    let others = later.iter().filter(|(id, _)| **id != first && **id != second);
    assert!(others.clone().count() > 0);
    assert!(others.clone().all(|(id, found)| *found == named[id]), "{later:?}");
}

/// The groups that items point to, by id: the name, and why there is none any more.
async fn group_names(world: &World) -> BTreeMap<String, (Option<String>, Option<Unnamed>)> {
    let mut names = BTreeMap::new();
    for row in world.items(None).await {
        for link in outgoing(&world.database.db, world.tenant, row.item.id).await.unwrap() {
            if link.target_kind == TargetKind::Group {
                names.insert(link.target_external_id, (link.name, link.unnamed));
            }
        }
    }
    names
}
