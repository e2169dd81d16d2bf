//! timing
#![allow(clippy::print_stdout)]
use serde_json::json;
use tenantatlas_domain::{normalise::Normaliser, references, registry::registry, sanitise};
fn main() {
    let n = Normaliser::new(&[1; 32]);
    let t = registry().get("settingsCatalogPolicy").unwrap();
    let s: Vec<_> = (0..8).map(|i| json!({"id": i.to_string(), "settingInstance": {"@odata.type":"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance","settingDefinitionId": format!("device_vendor_msft_policy_config_x{}", 9-i), "settingInstanceTemplateReference": null, "choiceSettingValue": {"value":"device_vendor_1","children":[], "settingValueTemplateReference": null}}})).collect();
    let o = json!({"@odata.type":"#microsoft.graph.deviceManagementConfigurationPolicy","id":"3f2a0b1c-7c00-7000-8000-00000000abcd","name":"A policy of some length","description":"text text text","platforms":"windows10","technologies":"mdm","createdDateTime":"2026-01-01T00:00:00Z","lastModifiedDateTime":"2026-01-01T00:00:00Z","settingCount":8,"roleScopeTagIds":["0","1"],"isAssigned":true,"templateReference":{"templateId":"","templateFamily":"none"},"settings":s,"assignments":[{"id":"x","target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"11111111-1111-4111-8111-111111111111","deviceAndAppManagementAssignmentFilterId":null,"deviceAndAppManagementAssignmentFilterType":"none"}}]});
    let text = o.to_string();
    println!("{} bytes", text.len());
    let time = |name: &str, f: &mut dyn FnMut()| {
        let a = std::time::Instant::now();
        for _ in 0..100_000 {
            f();
        }
        println!("{name}: {:?}", a.elapsed() / 100_000);
    };
    time("parse", &mut || {
        std::hint::black_box(serde_json::from_str::<serde_json::Value>(&text).unwrap());
    });
    time("hash", &mut || {
        std::hint::black_box(n.content_hash(t, &o));
    });
    time("meta", &mut || {
        std::hint::black_box(sanitise::meta_for(t, &o));
    });
    time("refs", &mut || {
        std::hint::black_box(references::extract(t, &o));
    });
}
