//! What was found, as a document for programs.

use serde_json::{Value, json};
use tenantatlas_domain::setting_query::SoughtIn;
use tenantatlas_store::inventory::{Assignment, ItemRow};

use super::{FoundPolicy, FoundSetting, SearchAnswer};

impl SearchAnswer {
    /// `{query, policies, searched, not_searched…}`, and `more` where the page is not the last one.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "query": {
                "sought": self.query.sought.iter().map(|sought| json!({
                    "in": match sought.within {
                        SoughtIn::Anything => "anything",
                        SoughtIn::Name => "setting",
                        SoughtIn::Value => "value",
                    },
                    "text": sought.text,
                })).collect::<Vec<_>>(),
                "types": self.query.types,
                "tenants": self.query.tenants,
            },
            "coverage": self.coverage,
            "policies": self.policies.iter().map(FoundPolicy::document).collect::<Vec<_>>(),
            "more": self.next.is_some(),
        })
    }
}

impl FoundPolicy {
    /// The policy with its settings, and whom it is assigned to: included and excluded apart, or null where that is not known.
    #[must_use]
    pub fn document(&self) -> Value {
        let item = self.item.as_ref();
        json!({
            "tenant_id": self.tenant_id, "tenant": self.tenant,
            "policy_type": self.policy_type, "external_id": self.external_id, "display_name": self.display_name,
            "version": self.number, "read_at": self.read_at.to_rfc3339(), "whole": self.is_whole,
            "item_id": item.map(|row| row.item.id), "state": item.map(ItemRow::state),
            "assigned": item.and_then(|row| row.item.assigned),
            "included": self.targets(true), "excluded": self.targets(false),
            "settings": self.settings.iter().map(FoundSetting::document).collect::<Vec<_>>(),
        })
    }

    fn targets(&self, included: bool) -> Option<Vec<Value>> {
        let item = self.item.as_ref()?;
        let wanted = |one: &&Assignment| one.is_included() == included;
        Some(item.assignments.iter().filter(wanted).map(target).collect())
    }
}

fn target(one: &Assignment) -> Value {
    json!({
        "target": one.target_kind, "id": one.target_id, "name": one.name,
        "filter_id": one.filter_id, "filter": one.filter_name, "filter_mode": one.filter_mode,
    })
}

impl FoundSetting {
    /// What it is called: its name, or where no name is known what it stands for.
    #[must_use]
    pub fn title(&self) -> String {
        self.entry.title(&self.setting)
    }

    /// Its value in one line.
    #[must_use]
    pub fn value_words(&self) -> String {
        self.entry.value_words(&self.setting)
    }

    /// The setting with its value and since when it has that.
    #[must_use]
    pub fn document(&self) -> Value {
        let value = match (&self.setting.value, self.entry.content) {
            (Some(value), _) => value.to_json(false),
            (None, Some(bytes)) => json!({"withheld": "content", "bytes": bytes}),
            (None, None) => Value::Null,
        };
        json!({
            "key": self.key, "definition_id": self.entry.definition_id, "name": self.title(),
            "category": self.setting.category, "path": self.entry.path, "value": value, "words": self.value_words(),
            "since": self.since_at.to_rfc3339(), "since_version": self.since_number, "or_before": self.since_or_before,
        })
    }
}
