//! What the database itself finds wrong with its files.

use super::Finding;
use crate::database::Run as _;
use crate::{Db, StoreError};

/// Faults that are told one by one.
const TOLD: usize = 20;
const ADVICE: &str = "do not start the program on it: restore another backup, and look at the disk";

pub(super) async fn damage(db: &Db) -> Result<Vec<Finding>, StoreError> {
    let looked = match db {
        Db::Sqlite { .. } => sqlite(db).await,
        Db::Postgres { .. } => postgres(db).await,
    };
    match looked {
        // SQLITE_CORRUPT and SQLITE_NOTADB; "data_corrupted" and "index_corrupted" of PostgreSQL.
        Err(StoreError::Database { code: Some(code), .. })
            if ["11", "26", "267", "779", "XX001", "XX002"].contains(&code.as_str()) =>
        {
            Ok(vec![Finding::new("database_damaged", format!("the database is damaged (code {code})"), ADVICE)])
        }
        other => other,
    }
}

async fn sqlite(db: &Db) -> Result<Vec<Finding>, StoreError> {
    let mut on = db;
    let lines: Vec<String> = on.values("SELECT integrity_check FROM pragma_integrity_check", &[]).await?;
    let damaged = lines.iter().filter(|line| *line != "ok").take(TOLD);
    let mut findings: Vec<Finding> = damaged
        .map(|line| Finding::new("database_damaged", format!("SQLite finds the file damaged: {line}"), ADVICE))
        .collect();
    let text = "SELECT \"table\", parent, COUNT(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2";
    for (table, parent, count) in on.rows::<(String, String, i64)>(text, &[]).await? {
        let problem = format!("{count} rows of {table} name rows of {parent} that do not exist");
        findings.push(Finding::new("reference_broken", problem, ADVICE));
    }
    Ok(findings)
}

/// Constraints that were never validated, as after a restore that was cut off, and indexes that are not valid. Pages and indexes
/// themselves are read by `pg_amcheck`.
async fn postgres(db: &Db) -> Result<Vec<Finding>, StoreError> {
    let mut on = db;
    let text = "SELECT conrelid::regclass::text, conname::text FROM pg_constraint \
                WHERE NOT convalidated AND connamespace = current_schema()::regnamespace ORDER BY 1, 2";
    let advice = "restore the whole backup into an empty database, with pg_restore --exit-on-error";
    let mut findings = Vec::new();
    for (table, name) in on.rows::<(String, String)>(text, &[]).await? {
        let problem = format!("the constraint {name} of {table} was never validated");
        findings.push(Finding::new("constraint_not_validated", problem, advice));
    }
    let text = "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                WHERE NOT (i.indisvalid AND i.indisready) AND c.relnamespace = current_schema()::regnamespace ORDER BY 1";
    for name in on.values::<String>(text, &[]).await? {
        let advice = "run REINDEX on it, or restore the backup again";
        findings.push(Finding::new("index_not_valid", format!("the index {name} is not valid"), advice));
    }
    let text = "SELECT conrelid::regclass::text, conname::text, \
                (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(conkey) WITH ORDINALITY k (att, n) \
                 JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.att)::text, confrelid::regclass::text, \
                (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(confkey) WITH ORDINALITY k (att, n) \
                 JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.att)::text \
                FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2";
    for key in on.rows::<(String, String, String, String, String)>(text, &[]).await? {
        let count = orphans(db, &key).await?;
        if count > 0 {
            let problem = format!("{count} rows of {} name rows of {} that do not exist", key.0, key.3);
            findings.push(Finding::new("reference_broken", problem, advice));
        }
    }
    Ok(findings)
}

/// Rows whose foreign key leads nowhere: a restore with triggers off lets them in.
async fn orphans(
    db: &Db,
    (table, _, columns, parent, parent_columns): &(String, String, String, String, String),
) -> Result<i64, StoreError> {
    let pairs: Vec<(&str, &str)> = columns.split(',').zip(parent_columns.split(',')).collect();
    let same: Vec<String> = pairs.iter().map(|(own, other)| format!("p.{other} = c.{own}")).collect();
    let set: Vec<String> = pairs.iter().map(|(own, _)| format!("c.{own} IS NOT NULL")).collect();
    let text = format!(
        "SELECT COUNT(*) FROM {table} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {})",
        set.join(" AND "),
        same.join(" AND ")
    );
    let mut on = db;
    Ok(on.value::<i64>(sqlx::AssertSqlSafe(text), &[]).await?.unwrap_or_default())
}
