//! What clients of others rely on: contexts, batches, query options, collections and refusals as Graph has them.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantatlas_graph_sim::{Fault, FaultKind, SECRET_MARK};

use crate::visitor::Visitor;

/// A text in JSON.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn every_answer_says_in_the_metadata_what_it_holds() {
    let visitor = Visitor::new(800, |_| {}).await;
    let metadata = format!("{}/beta/$metadata#", visitor.cloud.graph_url());
    let intents = visitor.get("beta/deviceManagement/intents").await.1;
    let id = text(&intents["value"][0]["id"]).to_owned();
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    let administrative = &expected["groupPolicyConfiguration"][0];
    let script = &expected["deviceShellScript"][0];
    for (path, context) in [
        ("deviceManagement/intents".to_owned(), "deviceManagement/intents".to_owned()),
        (format!("deviceManagement/intents/{id}"), "deviceManagement/intents/$entity".to_owned()),
        (
            format!("deviceManagement/assignmentFilters/{}?$select=displayName", expected["assignmentFilter"][0]),
            "deviceManagement/assignmentFilters(displayName)/$entity".to_owned(),
        ),
        (
            "deviceManagement/intents?$expand=assignments&$top=1".to_owned(),
            "deviceManagement/intents(assignments())".to_owned(),
        ),
        (format!("deviceManagement/intents/{id}/assignments"), format!("deviceManagement/intents('{id}')/assignments")),
        (
            format!(
                "deviceManagement/groupPolicyConfigurations/{administrative}/definitionValues/d0/presentationValues"
            ),
            format!(
                "deviceManagement/groupPolicyConfigurations('{administrative}')/definitionValues('d0')/presentationValues"
            ),
        ),
        ("deviceManagement/settings".to_owned(), "deviceManagement/settings/$entity".to_owned()),
        ("groups?$top=1&$select=id".to_owned(), "groups(id)".to_owned()),
        ("organization".to_owned(), "organization".to_owned()),
    ] {
        let answer = visitor.get(&format!("beta/{path}")).await.1;
        assert_eq!(answer["@odata.context"], json!(format!("{metadata}{context}")), "{path}: {answer}");
    }
    let shell = format!("beta/deviceManagement/deviceShellScripts/{script}?$expand=assignments");
    let wanted = format!("{metadata}deviceManagement/deviceShellScripts('{script}')/assignments");
    assert_eq!(visitor.get(&shell).await.1["assignments@odata.context"], json!(wanted));
    let path = "beta/deviceManagement/deviceCompliancePolicies?$top=1&$expand=scheduledActionsForRule($expand=scheduledActionConfigurations)";
    let policy = visitor.get(path).await.1["value"][0].clone();
    assert!(text(&policy["scheduledActionsForRule@odata.context"]).contains(text(&policy["id"])), "{policy}");
}

#[tokio::test]
async fn a_batch_takes_numbers_as_ids_and_answers_with_text() {
    let visitor = Visitor::new(300, |_| {}).await;
    let item = |id: Value| json!({"id": id, "method": "GET", "url": "deviceManagement/intents?$top=1"});
    let (status, body) = visitor.post("beta/$batch", &json!({"requests": [item(json!(1)), item(json!("b"))]})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let ids: BTreeSet<&str> =
        body["responses"].as_array().expect("responses").iter().map(|one| text(&one["id"])).collect();
    assert_eq!(ids, BTreeSet::from(["1", "b"]));

    let many: Vec<Value> = (0..21).map(|id| item(json!(id))).collect();
    for (requests, code, message) in [
        (json!([]), "BadRequest", "Invalid batch payload format."),
        (json!([{"method": "GET", "url": "/organization"}]), "BadRequest", "Invalid batch payload format."),
        (json!([item(json!("a")), item(json!("A"))]), "BadRequest", "Request Id A has to be unique in a batch."),
        (json!(many), "MaximumValueExceeded", "Number of batch request steps exceeds the maximum value of 20."),
    ] {
        let (status, body) = visitor.post("beta/$batch", &json!({ "requests": requests })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!((text(&body["error"]["code"]), text(&body["error"]["message"])), (code, message));
    }
}

#[tokio::test]
async fn an_item_whose_dependency_failed_is_not_asked() {
    let visitor = Visitor::new(300, |_| {}).await;
    let requests = json!([
        {"id": "1", "method": "GET", "url": "/deviceManagement/nothing"},
        {"id": "2", "method": "GET", "url": "/organization", "dependsOn": ["1"]},
        {"id": "3", "method": "GET", "url": "/organization"},
    ]);
    let body = visitor.post("beta/$batch", &json!({ "requests": requests })).await.1;
    let status = |id: &str| {
        let all = body["responses"].as_array().expect("responses");
        all.iter().find(|one| one["id"] == json!(id)).expect("answered")["status"].clone()
    };
    assert_eq!((status("1"), status("2"), status("3")), (json!(400), json!(424), json!(200)));
}

#[tokio::test]
async fn a_query_may_write_blanks_as_a_form_does_and_leave_the_dollar_out_in_beta() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    let roles = visitor.all("beta/deviceManagement/roleDefinitions?%24filter=isBuiltIn+eq+false").await;
    let all = visitor.all("beta/deviceManagement/roleDefinitions").await;
    let own = all.iter().filter(|role| role["isBuiltIn"] == json!(false)).count();
    assert!(own > 0 && own < all.len() && roles.len() == own, "{own} of {}", all.len());
    let count = async |path: &str| visitor.get(path).await.1["value"].as_array().map(Vec::len);
    assert_eq!(count("beta/deviceManagement/intents?&top=2").await, Some(2));
    assert_ne!(count("v1.0/deviceManagement/deviceConfigurations?top=2").await, Some(2), "passed over");
    let templates = visitor
        .get("beta/deviceManagement/notificationMessageTemplates??$expand=localizedNotificationMessages")
        .await
        .1;
    assert!(templates["value"][0]["localizedNotificationMessages"].is_array());
}

#[tokio::test]
async fn paths_have_no_case_and_keys_may_stand_in_brackets() {
    let visitor = Visitor::new(300, |_| {}).await;
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    let id = &expected["endpointSecurityIntent"][0];
    let (status, intent) = visitor.get(&format!("beta/devicemanagement/Intents('{id}')")).await;
    assert_eq!((status, &intent["id"]), (StatusCode::OK, &json!(id)));
    assert_eq!(visitor.get(&format!("beta/deviceManagement/intents('{id}')/settings")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_categories_of_a_template_divide_the_settings_of_its_intents() {
    let visitor = Visitor::new(800, |_| {}).await;
    let templates = visitor.all("beta/deviceManagement/templates").await;
    let known: BTreeSet<&str> = templates.iter().map(|template| text(&template["id"])).collect();
    let intents = visitor.all("beta/deviceManagement/intents").await;
    assert!(intents.iter().all(|intent| known.contains(text(&intent["templateId"]))));
    let intent = &intents[0];
    let template = text(&intent["templateId"]);
    let categories = visitor.get(&format!("beta/deviceManagement/templates/{template}/categories")).await.1;
    assert!(text(&categories["@odata.context"]).contains(template), "{categories}");
    let path = format!("beta/deviceManagement/intents/{}", text(&intent["id"]));
    let mut divided = Vec::new();
    for category in categories["value"].as_array().expect("categories") {
        let below = visitor.get(&format!("{path}/categories/{}/settings", text(&category["id"]))).await.1;
        divided.extend(below["value"].as_array().expect("settings").clone());
    }
    assert!(divided.iter().all(|setting| text(&setting["definitionId"]).starts_with("deviceConfiguration--")));
    assert_eq!(divided, visitor.all(&format!("{path}/settings")).await);
    assert_eq!(visitor.get("beta/deviceManagement/templates/unknown").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn templates_define_every_setting_of_the_intents_that_were_made_of_them() {
    let visitor = Visitor::new(800, |_| {}).await;
    let intents = visitor.all("beta/deviceManagement/intents").await;
    let mut met = BTreeSet::new();
    for intent in &intents {
        let template = format!("beta/deviceManagement/templates/{}/categories", text(&intent["templateId"]));
        let categories = visitor.all(&format!("{template}?$expand=settingDefinitions")).await;
        let path = format!("beta/deviceManagement/intents/{}/categories", text(&intent["id"]));
        for category in &categories {
            let id = text(&category["id"]);
            let definitions = category["settingDefinitions"].as_array().expect("definitions");
            assert_eq!(definitions, &visitor.all(&format!("{template}/{id}/settingDefinitions")).await);
            for setting in visitor.all(&format!("{path}/{id}/settings")).await {
                let definition =
                    definitions.iter().find(|one| one["id"] == setting["definitionId"]).expect("its definition");
                let value: Value = serde_json::from_str(text(&setting["valueJson"])).expect("JSON");
                let values = definition["constraints"][0]["values"].as_array();
                let is_known = |values: &Vec<Value>| values.iter().any(|one| one["value"] == value);
                assert!(values.is_none_or(is_known), "{setting} of {definition}");
                for property in definition["propertyDefinitionIds"].as_array().into_iter().flatten() {
                    let name = text(property).rsplit('_').next().unwrap_or_default();
                    assert!(definitions.iter().any(|one| one["id"] == *property), "{property}");
                    assert!(value.get(name).is_some(), "{name} of {value}");
                }
                met.insert(text(&definition["valueType"]).to_owned());
            }
        }
    }
    assert!(met.contains("complex") && met.contains("string"), "{met:?}");
    let whole = visitor.all("beta/deviceManagement/templates").await;
    let template = format!("beta/deviceManagement/templates/{}/categories", text(&whole[0]["id"]));
    visitor
        .cloud
        .control()
        .set_faults(vec![Fault::always("$expand=settingDefinitions", FaultKind::PartialCollections)]);
    let cut = visitor.get(&format!("{template}?$expand=settingDefinitions")).await.1;
    let category = &cut["value"][0];
    let next = text(&category["settingDefinitions@odata.nextLink"]);
    let rest = next.rsplit_once("/beta/").map(|(_, path)| format!("beta/{path}")).expect("a link");
    let rest = visitor.get(&rest).await.1["value"].as_array().map_or(0, Vec::len);
    let all = visitor.all(&format!("{template}/{}/settingDefinitions", text(&category["id"]))).await;
    assert_eq!((category["settingDefinitions"].as_array().map(Vec::len), rest + 1), (Some(1), all.len()));
}

#[tokio::test]
async fn linux_compliance_comes_with_settings_that_name_their_script() {
    let visitor = Visitor::new(12_000, |_| {}).await;
    let policies = visitor.all("beta/deviceManagement/compliancePolicies?$expand=settings&$top=5").await;
    assert!(policies.iter().all(|policy| policy["settings"].as_array().is_some_and(|settings| !settings.is_empty())));
    let find = |policy: &Value| {
        let child = policy["settings"][1]["settingInstance"]["choiceSettingValue"]["children"][0].clone();
        let is_script = child["settingDefinitionId"] == json!("linux_customcompliance_discoveryscript");
        is_script.then(|| text(&child["simpleSettingValue"]["value"]).to_owned())
    };
    let script = policies.iter().find_map(find).expect("custom compliance");
    // The names of properties have no case in `$select`.
    let path =
        format!("beta/deviceManagement/reusablePolicySettings?$filter=id eq '{script}'&$select=id,settinginstance");
    let found = visitor.all(&path).await;
    assert_eq!(
        found[0]["settingInstance"]["settingDefinitionId"],
        json!("linux_customcompliance_discoveryscript_reusablesetting")
    );
    let page = visitor.get("beta/deviceManagement/compliancePolicies").await.1;
    assert_eq!(page["value"].as_array().map(Vec::len), Some(25), "as in the settings catalogue");
}

#[tokio::test]
async fn apps_are_chosen_by_the_filter_that_leaves_out_what_nobody_was_given() {
    let visitor = Visitor::new(2_000, |_| {}).await;
    let path = "beta/deviceAppManagement/mobileApps";
    let all = visitor.all(path).await;
    let filter = "(microsoft.graph.managedApp/appAvailability)+eq+null+or+(microsoft.graph.managedApp/appAvailability)\
                  +eq+'lineOfBusiness'+or+isAssigned+eq+true";
    let chosen = visitor.all(&format!("{path}?$filter={filter}&$top=7")).await;
    let wanted: Vec<&Value> = all
        .iter()
        .filter(|app| app["appAvailability"] != json!("global") || app["isAssigned"] == json!(true))
        .collect();
    assert!(wanted.len() < all.len());
    assert_eq!(
        chosen.iter().map(|app| &app["id"]).collect::<Vec<_>>(),
        wanted.iter().map(|app| &app["id"]).collect::<Vec<_>>()
    );
    let of = |kind: &str| all.iter().find(|app| text(&app["@odata.type"]).ends_with(kind)).expect(kind);
    assert!(text(&of("iosVppApp")["vppTokenAppleId"]).contains('@') && of("win32LobApp")["displayVersion"].is_string());
    let selected = visitor.get(&format!("{path}/{}?$select=roleScopeTagIds,id", text(&all[0]["id"]))).await.1;
    assert!(selected["roleScopeTagIds"].is_array(), "{selected}");
}

#[tokio::test]
async fn the_assignments_of_all_roles_are_all_role_assignments() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    let roles = visitor.all("beta/deviceManagement/roleDefinitions").await;
    let assignments = visitor.all("beta/deviceManagement/roleAssignments?$top=50").await;
    let mut found = Vec::new();
    for role in &roles {
        let path = format!("beta/deviceManagement/roleDefinitions/{}/roleAssignments", text(&role["id"]));
        for assignment in visitor.all(&path).await {
            let path =
                format!("beta/deviceManagement/roleAssignments/{}?$expand=roleDefinition", text(&assignment["id"]));
            let whole = visitor.get(&path).await.1;
            assert_eq!(whole["roleDefinition"]["id"], role["id"]);
            assert!(whole["scopeMembers"].is_array());
            found.push(text(&assignment["id"]).to_owned());
        }
    }
    found.sort();
    let mut wanted: Vec<String> = assignments.iter().map(|one| text(&one["id"]).to_owned()).collect();
    wanted.sort();
    assert!(!wanted.is_empty());
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn an_encrypted_oma_setting_is_read_in_plain_by_who_may_write() {
    let configuration = |objects: &[Value]| {
        let custom = |thing: &&Value| text(&thing["@odata.type"]).ends_with("windows10CustomConfiguration");
        let found = objects.iter().find(custom).expect("a custom configuration");
        (text(&found["id"]).to_owned(), text(&found["omaSettings"][1]["secretReferenceValueId"]).to_owned())
    };
    let path = "beta/deviceManagement/deviceConfigurations";
    let visitor = Visitor::new(800, |_| {}).await;
    let (id, secret) = configuration(&visitor.all(path).await);
    let call = format!("{path}/{id}/getOmaSettingPlainTextValue(secretReferenceValueId='{secret}')");
    let (status, body) = visitor.get(&call).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(text(&body["value"]).starts_with(SECRET_MARK) && text(&body["@odata.context"]).ends_with("#Edm.String"));
    let other = format!("{path}/{id}/getOmaSettingPlainTextValue(secretReferenceValueId='another')");
    assert_eq!(visitor.get(&other).await.0, StatusCode::NOT_FOUND);

    let reader = Visitor::new(800, |config| {
        config.tenants[0].roles = Some(vec!["DeviceManagementConfiguration.Read.All".to_owned()]);
    })
    .await;
    assert_eq!(reader.get(path).await.0, StatusCode::OK);
    assert_eq!(reader.get(&call).await.0, StatusCode::FORBIDDEN, "a permission to read is not enough");
    let writer = Visitor::new(800, |config| {
        config.tenants[0].roles = Some(vec!["DeviceManagementConfiguration.ReadWrite.All".to_owned()]);
    })
    .await;
    assert_eq!(writer.get(path).await.0, StatusCode::OK, "who may write may read");
}

#[tokio::test]
async fn objects_have_the_names_by_which_clients_call_them() {
    let visitor = Visitor::new(800, |_| {}).await;
    let tokens = visitor.all("beta/deviceAppManagement/vppTokens").await;
    assert!(!tokens.is_empty() && tokens.iter().all(|token| token["displayName"] == token["organizationName"]));
    let settings = visitor.all("beta/deviceManagement/reusablePolicySettings?$select=displayName").await;
    assert!(!settings.is_empty() && settings.iter().all(|setting| setting["displayName"].is_string()));
    let group = &visitor.all("beta/groups?$filter=startsWith(displayName,'ring 00')&$top=3").await[0];
    let name = text(&group["displayName"]).replace(' ', "+");
    let found = visitor.all(&format!("beta/groups?$filter=displayName+eq+'{name}'&$select=groupTypes")).await;
    assert_eq!(found.len(), 1);
    assert!(found[0]["groupTypes"].is_array() && found[0].get("displayName").is_none());
    let tokens = visitor.all("beta/deviceManagement/depOnboardingSettings").await;
    let path = format!("beta/deviceManagement/depOnboardingSettings/{}/enrollmentProfiles", text(&tokens[0]["id"]));
    let profile = &visitor.all(&path).await[1];
    let (status, alone) = visitor.get(&format!("{path}/{}", text(&profile["id"]))).await;
    assert_eq!((status, &alone["displayName"]), (StatusCode::OK, &profile["displayName"]));
}

#[tokio::test]
async fn the_root_of_a_version_tells_what_is_below_it_without_a_token() {
    let visitor = Visitor::new(100, |_| {}).await;
    let ask = async |path: &str| {
        visitor.http.get(format!("{}/{path}", visitor.cloud.graph_url())).send().await.expect("an answer")
    };
    let root: Value = ask("v1.0/").await.json().await.expect("JSON");
    let names: BTreeSet<&str> =
        root["value"].as_array().expect("a list").iter().map(|one| text(&one["name"])).collect();
    assert!(["deviceManagement", "deviceAppManagement", "groups", "policies"].iter().all(|name| names.contains(name)));
    let metadata = ask("beta/$metadata").await;
    assert_eq!(metadata.headers()["content-type"], "application/xml");
    let metadata = metadata.text().await.expect("text");
    for part in [
        r#"<Singleton Name="deviceManagement" Type="microsoft.graph.deviceManagement"/>"#,
        r#"<NavigationProperty Name="configurationPolicies" Type="Collection(graph.entity)" ContainsTarget="true"/>"#,
        r#"<EntitySet Name="groups""#,
    ] {
        assert!(metadata.contains(part), "{part}");
    }
    let v1 = ask("v1.0/$metadata").await.text().await.expect("text");
    assert!(!v1.contains("configurationPolicies"), "v1.0 has none");
    let service = visitor.get("beta/deviceManagement").await.1;
    assert_eq!(service["id"], json!(visitor.tenant.tenant_id));
}

#[tokio::test]
async fn what_graph_refuses_is_refused_in_its_words() {
    let visitor = Visitor::new(300, |_| {}).await;
    for (path, status, code, message) in [
        ("v2.0/groups", 400, "BadRequest", "Invalid version: v2.0"),
        ("beta/deviceManagement/nothing/at/all", 400, "BadRequest", "Resource not found for the segment 'nothing'."),
        ("beta/nothing", 400, "BadRequest", "Resource not found for the segment 'nothing'."),
        (
            "v1.0/deviceManagement/configurationPolicies",
            400,
            "BadRequest",
            "Resource not found for the segment 'configurationPolicies'.",
        ),
        (
            "beta/groups/00000000-0000-0000-0000-000000000001",
            404,
            "Request_ResourceNotFound",
            "Resource '00000000-0000-0000-0000-000000000001' does not exist or one of its queried reference-property objects are not present.",
        ),
    ] {
        let (found, body) = visitor.get(path).await;
        assert_eq!(found.as_u16(), status, "{path}");
        assert_eq!((text(&body["error"]["code"]), text(&body["error"]["message"])), (code, message));
    }
    let url = format!("{}/beta/deviceManagement/intents", visitor.cloud.graph_url());
    let mut changed = visitor.token.clone();
    changed.replace_range(changed.len() - 4.., "AAAA");
    for (token, message) in [
        ("", "Access token is empty."),
        ("opaque", "IDX14100: JWT is not well formed"),
        (changed.as_str(), "Signing key is invalid."),
    ] {
        let answer = visitor.http.get(&url).bearer_auth(token).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["error"]["code"], json!("InvalidAuthenticationToken"));
        assert!(text(&body["error"]["message"]).starts_with(message), "{body}");
    }
}

#[tokio::test]
async fn a_token_is_issued_for_the_graph_of_its_own_cloud_alone() {
    let visitor = Visitor::new(100, |_| {}).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &visitor.tenant.client_id),
        ("client_secret", &visitor.tenant.client_secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", visitor.cloud.login_url(), visitor.tenant.tenant_id);
    let answer = visitor.http.post(url).form(&form).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"], json!("invalid_scope"));
}
