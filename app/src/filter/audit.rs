//! The audit log of a tenant.

use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::audit::{self, Entry};

use super::{ListFilter, day_end, day_start, first_day, last_day, set};
use crate::scope::Inside;

/// Which entries. Days are whole UTC days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only by this actor, by name or e-mail as it was then.
    pub actor: String,
    /// Only this action.
    pub action: String,
    /// Only about this kind of thing.
    pub resource: String,
    /// Only from this day on.
    pub from: Option<Timestamp>,
    /// Only before this day.
    pub until: Option<Timestamp>,
    /// Only older than this entry.
    pub before: Option<i64>,
}

impl ListFilter for AuditFilter {
    const WORDS: &'static [&'static str] = &[];
    const TYPED: &'static [&'static str] = &["actor", "action", "resource", "from", "until"];

    fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| query(name).map(|text| text.trim().chars().take(100).collect()).unwrap_or_default();
        Self {
            actor: text("actor"),
            action: text("action"),
            resource: text("resource"),
            from: day_start(query("from")),
            until: day_end(query("until")),
            before: query("before").and_then(|text| text.parse().ok()),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        set([
            ("actor", Some(self.actor.clone())),
            ("action", Some(self.action.clone())),
            ("resource", Some(self.resource.clone())),
            ("from", Some(self.first_day())),
            ("until", Some(self.last_day())),
            ("before", self.before.map(|seq| seq.to_string())),
        ])
    }

    fn first_page(&self) -> Self {
        Self { before: None, ..self.clone() }
    }
}

impl AuditFilter {
    /// The question to the store. The actor is not part of it: see [`AuditFilter::keeps`].
    #[must_use]
    pub fn query(&self, inside: &Inside, limit: u32) -> audit::Filter {
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        audit::Filter {
            tenant_id: Some(inside.id()),
            actor_id: None,
            action: filled(&self.action),
            resource_type: filled(&self.resource),
            resource_id: None,
            from: self.from,
            until: self.until,
            before_seq: self.before,
            limit,
        }
    }

    /// Whether an entry is by the actor that is looked for.
    #[must_use]
    pub fn keeps(&self, entry: &Entry) -> bool {
        let wanted = self.actor.trim().to_lowercase();
        wanted.is_empty()
            || entry.actor_name.to_lowercase().contains(&wanted)
            || entry.actor_email.to_lowercase().contains(&wanted)
    }

    /// The first day, as a form shows it; empty without one.
    #[must_use]
    pub fn first_day(&self) -> String {
        first_day(self.from)
    }

    /// The last day, as a form shows it; empty without one.
    #[must_use]
    pub fn last_day(&self) -> String {
        last_day(self.until)
    }
}
