//! What a message says to people: a title, some facts, and where more is to be seen.

use serde_json::Value;
use tenantatlas_domain::endpoint::EventKind;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::reason::ReasonCode;

/// Facts of one message, at most.
const MOST_FACTS: usize = 12;
/// The longest fact, characters.
const LONGEST: usize = 300;

/// Why a schedule stopped by itself, as messages say it: a stable code, and its words.
pub(super) const STOPPED: [(&str, &str); 5] = [
    ("owner_removed", "Whoever answered for it is no user any more. Resume it to let it run with your rights."),
    ("not_allowed", "Whoever answers for it may not start this any more. Resume it to let it run with your rights."),
    ("not_understood", "This version of the program does not understand what it is to do. Remove it, and add it anew."),
    ("no_time", "Its pattern names no time any more. Change it."),
    ("refused", "It could not be started. The page of the schedule tells why."),
];

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// One line.
    pub title: String,
    /// What is known, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// The page that tells more, where the address of this site is known.
    pub url: Option<String>,
}

/// Makes words of what a message holds. All that comes from a tenant is made visible and cut.
pub(super) fn told(event: EventKind, data: &Value) -> Told {
    let mut facts = vec![("Tenant", text(&data["tenant"]["name"]))];
    let title = match event {
        EventKind::RunEnded => {
            let run = &data["run"];
            let state = run["state"].as_str().and_then(bucket).map_or("ended", OperationBucket::label);
            let count = |name: &str| run["counters"][name].as_u64().unwrap_or_default();
            let mut done = format!("{} of {}", count("succeeded"), count("total"));
            for (name, words) in [("failed", "failed"), ("skipped", "skipped")] {
                if count(name) > 0 {
                    done.push_str(&format!(", {} {words}", count(name)));
                }
            }
            facts.push(("Done", done));
            facts.extend(news(&data["news"]).map(|news| ("News", news)));
            let reasons = run["reasons"].as_array().into_iter().flatten().map(|reason| &reason["reason_code"]);
            let codes = std::iter::once(&run["reason_code"]).chain(reasons).filter_map(code);
            let mut seen: Vec<ReasonCode> = Vec::new();
            for code in codes {
                if !seen.contains(&code) && seen.len() < 3 {
                    seen.push(code);
                    facts.push(("Why", code.sentence().to_owned()));
                }
            }
            format!("{}: {}", text(&run["name"]), state.to_lowercase())
        }
        EventKind::FindingsNew => {
            let count = |name: &str| data["findings"][name].as_u64().unwrap_or_default();
            facts.extend((count("new_again") > 0).then(|| ("New again", count("new_again").to_string())));
            match count("new") {
                1 => "1 new finding".to_owned(),
                many => format!("{many} new findings"),
            }
        }
        EventKind::PermissionLost => {
            let lost = data["permissions"].as_array().map_or(&[][..], Vec::as_slice);
            facts.extend(lost.iter().map(|name| ("Permission", text(name))));
            "The application lost a permission".to_owned()
        }
        EventKind::ScheduleOverdue => {
            let since = data["schedule"]["last_succeeded_at"].as_str().map_or("never", |at| at);
            facts.push(("Last success", since.to_owned()));
            format!("Schedule {} is overdue", text(&data["schedule"]["name"]))
        }
        EventKind::ScheduleStopped => {
            let reason = data["schedule"]["reason"].as_str().unwrap_or_default();
            let words = STOPPED.iter().find(|(code, _)| *code == reason).map(|(_, words)| (*words).to_owned());
            facts.extend(words.map(|words| ("Why", words)));
            format!("Schedule {} stopped", text(&data["schedule"]["name"]))
        }
        EventKind::Test => "This is a test: messages of TenantAtlas arrive here".to_owned(),
    };
    facts.truncate(MOST_FACTS);
    Told { title, facts, url: data["url"].as_str().map(ToOwned::to_owned) }
}

fn bucket(name: &str) -> Option<OperationBucket> {
    serde_json::from_value(Value::from(name)).ok()
}

fn code(value: &Value) -> Option<ReasonCode> {
    serde_json::from_value(value.clone()).ok()
}

fn news(news: &Value) -> Option<String> {
    let kinds = [("new", "new"), ("changed", "changed"), ("newly_missing", "newly missing")];
    let counts = kinds.into_iter().filter_map(|(name, words)| {
        let count = news[name].as_u64().filter(|count| *count > 0)?;
        Some(format!("{count} {words}"))
    });
    let of_others = [("new findings", &news["findings"]["new"]), ("new versions", &news["versions"])];
    let of_others = of_others.into_iter().filter_map(|(words, count)| {
        let count = count.as_u64().filter(|count| *count > 0)?;
        Some(format!("{count} {words}"))
    });
    Some(counts.chain(of_others).collect::<Vec<_>>().join(", ")).filter(|words| !words.is_empty())
}

fn text(value: &Value) -> String {
    let visible = visible_on_page(value.as_str().unwrap_or_default());
    if visible.chars().count() <= LONGEST {
        return visible.into_owned();
    }
    visible.chars().take(LONGEST - 1).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_of_a_run_is_told_with_what_was_done_what_is_new_and_why_not_all() {
        let data = json!({
            "tenant": { "name": "Contoso" },
            "run": {
                "name": "Everything", "state": "partially_succeeded", "reason_code": null,
                "counters": { "total": 90, "succeeded": 88, "failed": 2, "skipped": 0 },
                "reasons": [{ "reason_code": "permission_missing", "count": 2 }],
            },
            "news": { "new": 3, "changed": 0, "newly_missing": 1 },
            "url": "https://atlas.example.com/t/1/runs/2",
        });
        let told = told(EventKind::RunEnded, &data);
        assert_eq!(told.title, "Everything: partially succeeded");
        assert_eq!(
            told.facts[..3],
            [
                ("Tenant", "Contoso".to_owned()),
                ("Done", "88 of 90, 2 failed".to_owned()),
                ("News", "3 new, 1 newly missing".to_owned()),
            ]
        );
        assert_eq!(told.facts[3], ("Why", ReasonCode::PermissionMissing.sentence().to_owned()));
        assert_eq!(told.url.as_deref(), Some("https://atlas.example.com/t/1/runs/2"));
    }

    #[test]
    fn a_schedule_that_stopped_is_told_with_why_and_what_to_do() {
        for (code, words) in STOPPED {
            let data = json!({ "tenant": { "name": "Contoso" }, "schedule": { "name": "Nightly", "reason": code } });
            let told = told(EventKind::ScheduleStopped, &data);
            assert_eq!(
                (told.title.as_str(), told.facts[1].clone()),
                ("Schedule Nightly stopped", ("Why", words.to_owned()))
            );
        }
    }

    #[test]
    fn what_came_from_a_tenant_is_cut_and_hides_nothing() {
        let data = json!({ "tenant": { "name": format!("a\u{202e}b{}", "x".repeat(5_000)) } });
        let told = told(EventKind::FindingsNew, &data);
        assert!(told.facts[0].1.chars().count() <= LONGEST && !told.facts[0].1.contains('\u{202e}'), "{told:?}");
        assert_eq!(told.title, "0 new findings");
    }
}
