//! A search of settings.

use tenantatlas_domain::setting_query::LONGEST_QUERY;
use tenantatlas_store::setting_search::Place;

use super::{ListFilter, set};

/// The key of a setting, in characters, at most.
const LONGEST_KEY: usize = 600;

/// Which settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingFilter {
    /// The query.
    pub search: String,
    /// The key of the one setting whose values are shown by tenant; empty where policies are shown.
    pub setting: String,
    /// The setting after which the page begins.
    pub after: Option<Place>,
}

impl ListFilter for SettingFilter {
    const WORDS: &'static [&'static str] = &["setting"];
    const TYPED: &'static [&'static str] = &["q"];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str, longest: usize| -> String {
            query(name).unwrap_or_default().trim().chars().take(longest).collect()
        };
        Self {
            search: text("q", LONGEST_QUERY + 1),
            setting: text("setting", LONGEST_KEY),
            after: query("after").as_deref().and_then(place),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("q", Some(self.search.clone())),
            ("setting", Some(self.setting.clone())),
            ("after", self.after.map(|place| format!("{}.{}", place.tenant, place.line))),
        ])
    }

    fn first_page(&self) -> Self {
        Self { after: None, ..self.clone() }
    }
}

fn place(text: &str) -> Option<Place> {
    let (tenant, line) = text.split_once('.')?;
    Some(Place { tenant: tenant.parse().ok()?, line: line.parse().ok().filter(|line| *line >= 0)? })
}
