//! On PostgreSQL the catalogue tells what a trigger does, whether it is switched on, and the source of its function,
//! which is compared with the text of the migrations.

use sqlx::FromRow;

use super::{Guard, Problem, TABLES, compare, normal};
use crate::database::Run as _;
use crate::sql::args;
use crate::{Db, StoreError, migrations};

/// When a trigger acts, as the bits of `pg_trigger.tgtype` (`catalog/pg_trigger.h` of PostgreSQL).
const ROW: i64 = 1;
const BEFORE: i64 = 2;
const DELETE: i64 = 8;
const UPDATE: i64 = 16;
const TRUNCATE: i64 = 32;

/// Table, trigger, when it acts, function.
const TRIGGERS: [(&str, &str, i64, &str); 5] = [
    ("audit_logs", "audit_logs_refuse_change", ROW | BEFORE | UPDATE | DELETE, "refuse_change"),
    ("audit_logs", "audit_logs_refuse_truncate", BEFORE | TRUNCATE, "refuse_change"),
    ("audit_chain", "audit_chain_refuse_delete", ROW | BEFORE | DELETE, "refuse_change"),
    ("audit_chain", "audit_chain_refuse_truncate", BEFORE | TRUNCATE, "refuse_change"),
    ("audit_chain", "audit_chain_only_forward", ROW | BEFORE | UPDATE, "refuse_step_back"),
];

/// Table, constraint, definition as `pg_get_constraintdef` tells it.
const CONSTRAINTS: [(&str, &str, &str); 5] = [
    ("audit_logs", "audit_logs_pkey", "PRIMARY KEY (seq)"),
    ("audit_logs", "audit_logs_id_key", "UNIQUE (id)"),
    (
        "audit_logs",
        "audit_logs_outcome_check",
        "CHECK ((outcome = ANY (ARRAY['success'::text, 'failure'::text, 'denied'::text])))",
    ),
    ("audit_chain", "audit_chain_pkey", "PRIMARY KEY (one)"),
    ("audit_chain", "audit_chain_one_check", "CHECK ((one = 1))"),
];

/// Everything on the two tables that can refuse, change or swallow what is written: triggers, constraints, rules, and
/// row security. Constraints that only say NOT NULL are told by newer servers alone.
const OBJECTS: &str = "
    WITH log AS (SELECT c.oid, c.relname::text AS relname, c.relrowsecurity FROM pg_class c
        WHERE c.oid IN (to_regclass($1), to_regclass($2)))
    SELECT 'trigger' AS type, log.relname, t.tgname::text AS name,
        t.tgtype::bigint AS acts,
        CASE WHEN t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr::text = '' AND l.lanname = 'plpgsql'
            THEN p.proname::text ELSE 'switched off or narrowed' END AS does, p.prosrc::text AS source
        FROM log JOIN pg_trigger t ON t.tgrelid = log.oid JOIN pg_proc p ON p.oid = t.tgfoid
        JOIN pg_language l ON l.oid = p.prolang WHERE NOT t.tgisinternal
    UNION ALL SELECT 'constraint', log.relname, n.conname::text, 0, pg_get_constraintdef(n.oid), ''
        FROM log JOIN pg_constraint n ON n.conrelid = log.oid WHERE n.contype IN ('p', 'u', 'c', 'x', 'f')
    UNION ALL SELECT 'rule', log.relname, r.rulename::text, 0, '', ''
        FROM log JOIN pg_rewrite r ON r.ev_class = log.oid
    UNION ALL SELECT 'row security', log.relname, log.relname, 0, '', '' FROM log WHERE log.relrowsecurity";

#[derive(FromRow)]
struct Found {
    #[sqlx(rename = "type")]
    kind: String,
    relname: String,
    name: String,
    acts: i64,
    does: String,
    source: String,
}

fn guard(kind: &str, table: &str, name: &str, acts: i64, does: &str, source: &str) -> Guard {
    Guard { name: format!("the {kind} {name}"), definition: normal(&format!("{table} {acts} {does} {source}")) }
}

pub(super) async fn missing(db: &Db) -> Result<Vec<Problem>, StoreError> {
    let mut on = db;
    let found: Vec<Found> = on.rows(OBJECTS, &args![TABLES[0], TABLES[1]]).await?;
    let found = found.iter().map(|one| guard(&one.kind, &one.relname, &one.name, one.acts, &one.does, &one.source));
    Ok(compare(&expected(), &found.collect::<Vec<_>>()))
}

fn expected() -> Vec<Guard> {
    let triggers = TRIGGERS.iter().map(|(table, name, acts, function)| {
        let source = migrations::postgres_function(function).unwrap_or_default();
        guard("trigger", table, name, *acts, function, source)
    });
    let constraints =
        CONSTRAINTS.iter().map(|(table, name, definition)| guard("constraint", table, name, 0, definition, ""));
    triggers.chain(constraints).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_each_function_is_found_in_the_migrations() {
        for (_, _, _, function) in TRIGGERS {
            let source = migrations::postgres_function(function).expect("a migration makes it");
            assert!(source.contains("RAISE EXCEPTION") && source.trim_end().ends_with("END;"), "{source}");
        }
    }
}
