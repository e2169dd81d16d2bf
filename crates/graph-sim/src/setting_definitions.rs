//! What Microsoft publishes of settings: definitions and categories, the same in every tenant (Microsoft Graph,
//! `deviceManagementConfigurationSettingDefinition`, `deviceManagementConfigurationCategory`).

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::RESOURCES;
use crate::graph::GraphRequest;
use crate::identity::guid_of;
use crate::query::Query;
use crate::settings::{APPLE, LINUX, REUSABLE, WINDOWS};

/// Larger pages answer with faults (IntuneCommander, setting definitions).
const LARGEST_PAGE: u64 = 200;
/// Rounds in which a long policy goes through the definitions: each has ids of its own.
const ROUNDS: usize = 8;
/// The topmost categories name this one above them.
const NONE: &str = "00000000-0000-0000-0000-000000000000";

/// The category that definitions name and the list leaves out; read singly it is there (IntuneCommander, orphan categories).
const UNLISTED: &str = "LAPS";

/// Beginnings of ids with the category that they lie in, below another one where there is one.
const CATEGORIES: [(&str, &str, Option<&str>); 16] = [
    ("device_vendor_msft_policy_config_defender_", "Defender", None),
    ("device_vendor_msft_policy_config_devicelock_", "Device Lock", None),
    ("device_vendor_msft_policy_config_browser_", "Browser", None),
    ("device_vendor_msft_policy_config_update_", "Windows Update For Business", None),
    ("device_vendor_msft_policy_config_privacy_", "Privacy", None),
    ("device_vendor_msft_policy_config_experience_", "Experience", None),
    ("device_vendor_msft_bitlocker_", "BitLocker", Some("Encryption")),
    ("vendor_msft_firewall_", "Firewall", None),
    ("device_vendor_msft_policy_config_localpolicies", "Local Policies Security Options", None),
    ("device_vendor_msft_laps_", "LAPS", None),
    ("com.apple.applicationaccess_", "Restrictions", None),
    ("com.apple.mcx.filevault2_", "FileVault", Some("Encryption")),
    ("com.apple.mobiledevice.passwordpolicy_", "Passcode", None),
    ("com.apple.systempolicy.", "System Policy Control", None),
    ("com.apple.softwareupdate_", "Software Update", None),
    ("linux_", "Linux", None),
];

/// Names of definitions in the words of the portal, by the end of their ids.
const NAMES: [(&str, &str); 39] = [
    ("_allowarchivescanning", "Allow Archive Scanning"),
    ("_allowbehaviormonitoring", "Allow Behavior Monitoring"),
    ("_cloudblocklevel", "Cloud Block Level"),
    ("_puaprotection", "PUA Protection"),
    ("_submitsamplesconsent", "Submit Samples Consent"),
    ("_devicepasswordenabled", "Device Password Enabled"),
    ("_mindevicepasswordlength", "Min Device Password Length"),
    ("_allowpasswordmanager", "Allow Password Manager"),
    ("_allowautoupdate", "Allow Auto Update"),
    ("_deferqualityupdatesperiodindays", "Defer Quality Updates Period In Days"),
    ("_letappsaccesslocation", "Let Apps Access Location"),
    ("_allowcortana", "Allow Cortana"),
    ("_requiredeviceencryption", "Require Device Encryption"),
    ("_systemdrivesrecoveryoptions", "Choose how BitLocker-protected operating system drives can be recovered"),
    ("_allowwarningforotherdiskencryption", "Allow Warning For Other Disk Encryption"),
    ("_domainprofile_enablefirewall", "Enable Domain Network Firewall"),
    ("_publicprofile_enablefirewall", "Enable Public Network Firewall"),
    ("_accounts_enableguestaccountstatus", "Accounts: Enable Guest Account Status"),
    ("_passwordcomplexity", "Password Complexity"),
    ("_backupdirectory", "Backup Directory"),
    ("_allowcamera", "Allow Camera"),
    ("_allowairdrop", "Allow AirDrop"),
    ("_allowcloudbackup", "Allow Cloud Backup"),
    ("_forceencryptedbackup", "Force Encrypted Backup"),
    ("filevault2_enable", "Enable"),
    ("filevault2_defer", "Defer"),
    ("_minlength", "Minimum Length"),
    ("_forcepin", "Require Passcode on Device"),
    ("_enableassessment", "Enable Assessment"),
    ("_automaticdownload", "Automatic Download"),
    ("_executioncontext", "Execution Context"),
    ("_executionfrequency", "Execution Frequency"),
    ("_executionretries", "Execution Retries"),
    ("_alloweddistros", "Allowed Distros"),
    ("_deviceencryptionrequired", "Require Device Encryption"),
    ("_minimumlength", "Minimum Length"),
    ("_remoteaddressdynamickeywords", "Remote Address Dynamic Keywords"),
    ("_customcompliance_required", "Require Custom Compliance"),
    ("_customcompliance_discoveryscript", "Discovery Script"),
];

fn category_id(name: &str) -> String {
    guid_of(&["setting category", name])
}

fn categories() -> Vec<Value> {
    let entry = |name: &str, above: Option<&str>| {
        json!({
            "id": category_id(name), "displayName": name, "name": name, "description": null, "helpText": null,
            "platforms": "windows10", "technologies": "mdm", "settingUsage": "configuration",
            "parentCategoryId": above.map_or_else(|| NONE.to_owned(), category_id),
            "rootCategoryId": category_id(above.unwrap_or(name)), "childCategoryIds": [],
        })
    };
    let above = std::iter::once(entry("Encryption", None));
    above.chain(CATEGORIES.iter().map(|(_, name, above)| entry(name, *above))).collect()
}

fn definitions() -> Vec<Value> {
    let plain = WINDOWS.iter().chain(APPLE).chain(LINUX).flat_map(|id| {
        (0..ROUNDS).map(move |round| if round == 0 { (*id).to_owned() } else { format!("{id}_{round}") })
    });
    let other = [REUSABLE, "linux_customcompliance_required", "linux_customcompliance_discoveryscript"];
    let whole = plain.chain(other.map(str::to_owned));
    whole
        .flat_map(|id| {
            let name = name_of(&id);
            [
                definition(&id, &id, &name, &["Not configured", "Enabled", "Audit mode", "Warn"]),
                definition(&format!("{id}_enabled"), &id, &format!("{name}: state"), &["Disabled", "Enabled"]),
                definition(&format!("{id}_value"), &id, &format!("{name}: value"), &[]),
            ]
        })
        .collect()
}

fn name_of(id: &str) -> String {
    let known = NAMES.iter().find_map(|(end, name)| {
        let at = id.rfind(end)?;
        let rest = id[at + end.len()..].trim_start_matches('_');
        Some(if rest.is_empty() { (*name).to_owned() } else { format!("{name} ({rest})") })
    });
    known.unwrap_or_else(|| id.to_owned())
}

fn definition(id: &str, of: &str, name: &str, options: &[&str]) -> Value {
    let category = CATEGORIES.iter().find(|(begin, ..)| of.starts_with(begin)).map(|(_, name, _)| category_id(name));
    let kind = if options.is_empty() { "Simple" } else { "Choice" };
    let mut definition = json!({
        "@odata.type": format!("#microsoft.graph.deviceManagementConfiguration{kind}SettingDefinition"),
        "id": id, "name": id, "displayName": name, "description": null, "helpText": null,
        "categoryId": category, "rootDefinitionId": of, "settingUsage": "configuration", "version": "1",
    });
    if !options.is_empty() {
        let options = options.iter().enumerate().map(|(at, name)| {
            json!({"itemId": format!("{id}_{at}"), "name": name, "displayName": name, "description": null})
        });
        definition["options"] = options.collect();
    }
    definition
}

impl GraphRequest<'_> {
    /// Answers for definitions and categories: the whole collection page by page, or one entry.
    #[must_use]
    pub fn setting_definitions(&self, name: &str, below: &[&str], query: &Query) -> Answer {
        let policies = RESOURCES.iter().find(|resource| resource.path == "deviceManagement/configurationPolicies");
        if let Some(refused) = policies.and_then(|policies| self.refuse(policies)) {
            return refused;
        }
        if query.top.is_some_and(|top| top > LARGEST_PAGE) {
            return Answer::error(500, "InternalServerError", "An internal error has occurred.", self.request_id);
        }
        let mut all = if name == "configurationCategories" { categories() } else { definitions() };
        let context = format!("{}/$metadata#deviceManagement/{name}", self.base);
        match below {
            [] => {}
            [id] => {
                let found = all.into_iter().find(|entry| entry["id"] == *id);
                return found.map_or_else(|| self.not_found(), |entry| Answer::ok(entry.to_string().into_bytes()));
            }
            [.., last] => return self.unknown_segment(last),
        }
        let asked = query.skip_token.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let from = if self.bent.endless { 0 } else { asked };
        let most = query.top.unwrap_or(LARGEST_PAGE) as usize;
        all.retain(|entry| name != "configurationCategories" || entry["displayName"] != UNLISTED);
        let rows: Vec<&Value> = all.iter().skip(from).take(most).collect();
        let next = if self.bent.endless { asked + 1 } else { from + rows.len() };
        let mut body = json!({"@odata.context": context, "value": rows});
        let cut = self.bent.cut_at_top && query.top.is_some();
        if (next < all.len() && !cut) || self.bent.endless {
            let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
            body["@odata.nextLink"] = json!(format!("{}/deviceManagement/{name}?{rest}$skiptoken={next}", self.base));
        }
        Answer::ok(body.to_string().into_bytes())
    }
}
