//! Notifications of a person.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::NotificationId;
use tenantatlas_domain::live::RunWords;
use tenantatlas_domain::news::News;
use tenantatlas_domain::operation::{Counters, MissingPermission, OperationBucket};
use tenantatlas_domain::reason::ReasonCode;

use crate::run::bucket::{is_cancelled, word};
use crate::run::model::{failed_words, missing_words, news_words, reached};

/// One notification. Its words are made from these facts, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// The operation run it is about.
    pub run_id: String,
    /// The tenant it is about.
    pub tenant_id: String,
    /// The name of the tenant at that time.
    pub tenant_name: String,
    /// The words for what the run does; `None` when it is about the account and no run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<RunWords>,
    /// The state it tells of.
    pub bucket: OperationBucket,
    /// The counters then.
    pub counters: Counters,
    /// Objects seen then.
    pub items: u64,
    /// Why it failed, when that is one reason.
    pub reason: Option<ReasonCode>,
    /// The permissions without which units of the run could not be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<MissingPermission>,
    /// What the run found that was not known before.
    pub news: Option<News>,
    /// Who cancelled the run: `you`, or a name.
    pub cancelled_by: Option<String>,
    /// What it says when it is about no run: title and detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<(String, String)>,
    /// The page that it leads to when it is about a tenant and no run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What a comparison of runs found, in counts and names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// When it was written.
    pub created_at: i64,
    /// Whether it was read.
    pub read: bool,
}

/// The newest notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationPage {
    /// Newest first.
    pub entries: Vec<Notification>,
    /// How many are unread in all.
    pub unread: u64,
    /// Whether there are older ones.
    pub more: bool,
}

impl NotificationPage {
    /// Those that are unread.
    pub fn unread_ids(&self) -> impl Iterator<Item = NotificationId> {
        self.entries.iter().filter(|entry| !entry.read).filter_map(|entry| entry.id.parse().ok())
    }
}

impl Notification {
    /// `Everything: succeeded`.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some((title, _)) = &self.account {
            return title.clone();
        }
        let name = self.words.as_ref().map(|words| words.name.as_str()).unwrap_or_default();
        format!("{name}: {}", word(self.bucket, self.reason, self.cancelled_by.as_deref()))
    }

    /// What it says below its title: of a run that failed also why, with the permissions to be granted.
    #[must_use]
    pub fn told(&self) -> String {
        let failed = self.bucket == OperationBucket::Failed && !is_cancelled(self.bucket, self.reason);
        let Some(reason) = self.reason.filter(|_| failed) else { return self.detail() };
        let mut parts = Vec::new();
        if self.news.is_some() {
            parts.push(format!("{}.", self.detail()));
        }
        parts.push(reason.sentence().to_owned());
        let missing = self.words.as_ref().and_then(|words| missing_words(&self.lacking, words));
        parts.extend(missing.map(|missing| format!("Missing: {missing}.")));
        parts.join(" ")
    }

    /// The facts in one line.
    #[must_use]
    pub fn detail(&self) -> String {
        if let Some((_, detail)) = &self.account {
            return detail.clone();
        }
        if let Some(drift) = &self.drift {
            return drift.clone();
        }
        let Some(words) = &self.words else { return String::new() };
        let total = crate::format::counted(u64::from(self.counters.total), &words.units.0, &words.units.1);
        match self.bucket {
            bucket if is_cancelled(bucket, self.reason) => reached(words, &self.counters),
            OperationBucket::Queued => format!("{total} to do"),
            OperationBucket::Running => format!("{} of {total}", self.counters.processed),
            _ if self.news.is_some() => {
                let news = self.news.iter().map(|news| news_words(news, words, &self.counters));
                news.chain(failed_words(words, &self.counters)).collect::<Vec<_>>().join(" \u{b7} ")
            }
            _ => {
                let mut text = format!("{} of {total} {}", self.counters.succeeded, words.done);
                if self.counters.failed > 0 {
                    text.push_str(&format!(", {} failed", self.counters.failed));
                }
                if self.counters.skipped > 0 {
                    text.push_str(&format!(", {} skipped", self.counters.skipped));
                }
                if self.items > 0 {
                    text.push_str(" · ");
                    text.push_str(&crate::format::counted(self.items, &words.things.0, &words.things.1));
                }
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_run_names_every_permission_that_is_missing_and_not_that_nothing_changed() {
        let missing = |permission: &str, count| MissingPermission { permission: permission.to_owned(), count };
        let words = RunWords::of("Inventory sync", ("type", "types"), ("reading", "read"), ("item", "items"));
        let failed = Notification {
            id: String::new(),
            run_id: String::new(),
            tenant_id: String::new(),
            tenant_name: String::new(),
            words: Some(words),
            bucket: OperationBucket::Failed,
            counters: Counters { total: 3, processed: 3, succeeded: 0, failed: 3, skipped: 0 },
            items: 0,
            reason: Some(ReasonCode::PermissionMissing),
            lacking: vec![missing("A.Read.All", 2), missing("B.Read.All", 1)],
            news: Some(News::default()),
            cancelled_by: None,
            account: None,
            page: None,
            drift: None,
            created_at: 0,
            read: false,
        };
        let told = failed.told();
        assert!(told.starts_with("nothing was read · 3 types failed. The app lacks a permission"), "{told}");
        assert!(told.ends_with("Missing: A.Read.All (2 types), B.Read.All (1 type)."), "{told}");
        let succeeded = Notification { bucket: OperationBucket::Succeeded, ..failed };
        assert!(!succeeded.told().contains("Missing"));
    }
}
