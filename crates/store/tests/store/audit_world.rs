//! A log with its key, and what somebody can do to it who owns the database.

use serde_json::json;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_store::audit::{self, Entry, NewEntry, Outcome, Problem, Verification};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Db, Vault};
use uuid::Uuid;

use crate::world::at;

/// A database with the vault that keys its log.
pub struct Log {
    pub db: Db,
    pub vault: Vault,
    pub keys: tempfile::TempDir,
}

impl Log {
    pub async fn new(test: &TestDatabase) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&test.db, &keys.path().join("tenantatlas.key")).await.unwrap();
        Self { db: test.db.clone(), vault, keys }
    }

    /// What a start does.
    pub async fn start_again(&mut self) {
        self.vault = Vault::open(&self.db, &self.keys.path().join("tenantatlas.key")).await.unwrap();
    }

    pub async fn append(&self, new: &NewEntry, time: i64) -> Entry {
        let mut tx = self.db.write().await.unwrap();
        let entry = audit::append(&mut tx, &self.vault, new, at(time)).await.unwrap();
        tx.commit().await.unwrap();
        entry
    }

    /// Appends so many entries.
    pub async fn grow(&self, count: i64) {
        for time in 0..count {
            self.append(&entry(None, None, "x.y"), time).await;
        }
    }

    pub async fn verify(&self) -> Verification {
        audit::verify(&self.db, &self.vault).await.unwrap()
    }

    pub async fn assert_intact(&self, count: i64) {
        let found = self.verify().await;
        assert!(matches!(found, Verification::Intact { entries, .. } if entries == count), "{found:?}");
    }

    /// The problems found: at least one, and one of them with these words.
    pub async fn assert_broken(&self, words: &str) -> Vec<Problem> {
        let Verification::Broken { problems } = self.verify().await else { panic!("taken for intact: {words}") };
        assert!(problems.iter().any(|problem| problem.sentence().contains(words)), "{words} in {problems:?}");
        problems
    }

    pub async fn remember(&self) -> audit::Witnessed {
        audit::remember(&self.db, &self.vault, at(9)).await.unwrap()
    }

    /// Does something to the log with all triggers away, and puts them back so that they tell nothing.
    pub async fn tamper(&self, texts: &[&'static str]) {
        let guards = disarm(&self.db).await;
        for text in texts {
            execute(&self.db, text).await.unwrap();
        }
        rearm(&self.db, guards).await;
    }
}

pub fn entry(tenant: Option<TenantId>, actor: Option<UserId>, action: &str) -> NewEntry {
    NewEntry {
        id: Uuid::now_v7(),
        tenant_id: tenant,
        actor_id: actor,
        actor_kind: "person".to_owned(),
        actor_name: "Ada \u{0}\"quoted\" \u{1F600}".to_owned(),
        actor_email: "ada@example.com".to_owned(),
        action: action.to_owned(),
        resource_type: "sync_run".to_owned(),
        resource_id: "1".to_owned(),
        outcome: Outcome::Success,
        context: json!({"zeta": [1, 2.5, true, null, "x\u{0}y"], "alpha": {"ü": "\n", "big": 9_007_199_254_740_993_i64}}),
    }
}

pub async fn execute(db: &Db, text: impl AsRef<str>) -> Result<u64, sqlx::Error> {
    let text = sqlx::AssertSqlSafe(text.as_ref().to_owned());
    match db {
        Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.map(|result| result.rows_affected()),
        Db::Postgres { pool, .. } => sqlx::query(text).execute(pool).await.map(|result| result.rows_affected()),
    }
}

/// Takes the triggers away; answers what puts them back.
pub async fn disarm(db: &Db) -> Vec<String> {
    match db {
        Db::Sqlite { writer, .. } => {
            let triggers: Vec<(String, String)> =
                sqlx::query_as("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
                    .fetch_all(writer)
                    .await
                    .unwrap();
            for (name, _) in &triggers {
                execute(db, format!("DROP TRIGGER {name}")).await.unwrap();
            }
            triggers.into_iter().map(|(_, text)| text).collect()
        }
        Db::Postgres { .. } => {
            let mut back = Vec::new();
            for table in ["audit_logs", "audit_chain"] {
                execute(db, format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).await.unwrap();
                back.push(format!("ALTER TABLE {table} ENABLE TRIGGER ALL"));
            }
            back
        }
    }
}

pub async fn rearm(db: &Db, guards: Vec<String>) {
    for text in guards {
        execute(db, text).await.unwrap();
    }
}
