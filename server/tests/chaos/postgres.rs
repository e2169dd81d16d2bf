//! A PostgreSQL server that can be restarted and whose connections can be dropped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

/// The database of the round.
const DATABASE: &str = "chaos";

/// Notes who writes for which lease, and writes that must not be. Appended only, so that nobody waits for it.
const NOTES: &str = "
    CREATE TABLE chaos_writes (owner TEXT NOT NULL, process TEXT NOT NULL);
    CREATE TABLE chaos_wrong (run UUID NOT NULL, what TEXT NOT NULL);
    CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        process TEXT := current_setting('chaos.process', true);
        now_at BIGINT := floor(extract(epoch FROM clock_timestamp()) * 1000);
    BEGIN
        IF OLD.status NOT IN ('pending', 'running') AND (NEW.status, NEW.processed_items, NEW.finished_at)
            IS DISTINCT FROM (OLD.status, OLD.processed_items, OLD.finished_at) THEN
            INSERT INTO chaos_wrong VALUES (NEW.id, 'an end changed');
        END IF;
        IF OLD.lease_owner IS NULL THEN
            IF NEW.lease_owner IS NOT NULL THEN
                INSERT INTO chaos_writes VALUES (NEW.lease_owner, process);
                IF NEW.attempt <> OLD.attempt + 1 THEN
                    INSERT INTO chaos_wrong VALUES (NEW.id, 'a claim without a new attempt');
                END IF;
            ELSIF NEW.processed_items <> OLD.processed_items AND NEW.status IN ('pending', 'running') THEN
                INSERT INTO chaos_wrong VALUES (NEW.id, 'counted without a lease');
            END IF;
        ELSIF NEW.lost_leases > OLD.lost_leases THEN
            IF OLD.lease_until >= now_at AND OLD.lease_until < now_at + 300000 THEN
                INSERT INTO chaos_wrong VALUES (NEW.id, 'a lease was taken that had not ended');
            END IF;
        ELSIF NEW.cancel_requested_at IS NOT DISTINCT FROM OLD.cancel_requested_at THEN
            INSERT INTO chaos_writes VALUES (OLD.lease_owner, process);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_note AFTER UPDATE ON bulk_operation_runs FOR EACH ROW EXECUTE FUNCTION chaos_note();";

/// The server; it ends with this.
pub struct Postgres {
    address: String,
    restart: String,
    _process: Child,
}

impl Postgres {
    /// Starts one, whatever server the environment names, with an empty database.
    pub async fn start(given: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/with-postgres");
        let tell =
            "echo \"$TENANTATLAS_TEST_POSTGRES_URL\"; echo \"$TENANTATLAS_TEST_POSTGRES_RESTART\"; cat >/dev/null";
        let mut process = Command::new(script)
            .args(["sh", "-c", tell])
            .env_remove(given)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/with-postgres starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("a line").expect("UTF-8");
        let (address, restart) = (line(), line());
        let this = Self { address, restart, _process: process };
        this.execute("postgres", &format!("CREATE DATABASE {DATABASE}")).await.expect("a database");
        this
    }

    /// The address of the database, for a process that is called so.
    pub fn address(&self, process: &str) -> String {
        format!("{}?options[chaos.process]={process}", self.of(DATABASE))
    }

    fn of(&self, database: &str) -> String {
        let (server, _) = self.address.rsplit_once('/').expect("a path");
        format!("{server}/{database}")
    }

    async fn connect(&self, database: &str) -> Result<PgConnection, sqlx::Error> {
        self.of(database).parse::<PgConnectOptions>()?.application_name("chaos").connect().await
    }

    async fn execute(&self, database: &str, text: &str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut self.connect(database).await?).await.map(drop)
    }

    async fn rows(&self, text: &str) -> Result<Vec<PgRow>, sqlx::Error> {
        sqlx::query(AssertSqlSafe(text.to_owned())).fetch_all(&mut self.connect(DATABASE).await?).await
    }

    /// Begins to note writes. The database must be migrated.
    pub async fn note_writes(&self) {
        self.execute(DATABASE, NOTES).await.expect("the notes are taken");
    }

    /// Drops so many connections to the database, whatever goes on in them. Answers how many there were.
    pub async fn drop_connections(&self, count: u64) -> Result<u64, sqlx::Error> {
        let text = format!(
            "SELECT pg_terminate_backend(pid)
             FROM (SELECT pid
                 FROM pg_stat_activity
                 WHERE datname = '{DATABASE}' AND application_name = 'tenantatlas'
                 ORDER BY random()
                 LIMIT {count}) connections"
        );
        Ok(self.rows(&text).await?.len() as u64)
    }

    /// Restarts the server: in order, or as after a crash.
    pub async fn restart(&self, as_after_a_crash: bool) {
        let mode = if as_after_a_crash { "immediate" } else { "fast" };
        let ended = tokio::process::Command::new(&self.restart).arg(mode).stdin(Stdio::null()).status().await;
        assert!(ended.expect("the restart begins").success(), "the server restarts");
    }

    /// What must not have been written, in words.
    pub async fn wrong_writes(&self) -> Vec<String> {
        let wrong = "SELECT what || ', run ' || run AS told FROM chaos_wrong
             UNION ALL
             SELECT 'the leases of ' || owner || ' were written for by ' || string_agg(DISTINCT process, ' and ')
             FROM chaos_writes
             GROUP BY owner
             HAVING COUNT(DISTINCT process) > 1";
        let rows = self.rows(wrong).await.expect("the notes are read");
        rows.iter().map(|row| row.get("told")).collect()
    }

    /// How many writes were looked at.
    pub async fn noted(&self) -> i64 {
        self.rows("SELECT COUNT(*) AS noted FROM chaos_writes").await.expect("the notes are read")[0].get("noted")
    }
}
