//! The migrations of both databases make the same schema.

use std::collections::BTreeSet;

use sqlx::FromRow;
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Backend, Db};

/// A column of a table, with its type as SQLite names it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, FromRow)]
struct Column {
    table_name: String,
    column_name: String,
    type_name: String,
    nullable: bool,
}

/// A column of an index that a migration made; constraints make others, which each database names in its own way.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, FromRow)]
struct IndexColumn {
    table_name: String,
    index_name: String,
    is_unique: bool,
    is_partial: bool,
    position: i64,
    column_name: String,
}

const SQLITE_COLUMNS: &str = "
    SELECT t.name AS table_name, c.name AS column_name, REPLACE(c.type, 'INTEGER', 'BIGINT') AS type_name,
        c.\"notnull\" = 0 AND c.pk = 0 AS nullable
    FROM sqlite_master t
    JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '_sqlx_migrations'";

const POSTGRES_COLUMNS: &str = "
    SELECT table_name::text, column_name::text,
        CASE data_type
            WHEN 'bigint' THEN 'BIGINT' WHEN 'boolean' THEN 'BOOLEAN'
            WHEN 'text' THEN 'TEXT' WHEN 'jsonb' THEN 'TEXT'
            WHEN 'bytea' THEN 'BLOB' WHEN 'uuid' THEN 'BLOB'
            ELSE data_type::text
        END AS type_name,
        is_nullable = 'YES' AS nullable
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";

const SQLITE_INDEXES: &str = "
    SELECT t.name AS table_name, i.name AS index_name, i.\"unique\" = 1 AS is_unique, i.partial = 1 AS is_partial,
        c.seqno + 1 AS position, c.name AS column_name
    FROM sqlite_master t
    JOIN pragma_index_list(t.name) i
    JOIN pragma_index_info(i.name) c
    WHERE t.type = 'table' AND t.name <> '_sqlx_migrations' AND i.origin = 'c'";

const POSTGRES_INDEXES: &str = "
    SELECT t.relname::text AS table_name, i.relname::text AS index_name, x.indisunique AS is_unique,
        x.indpred IS NOT NULL AS is_partial, position::bigint AS position,
        pg_get_indexdef(i.oid, position::integer, TRUE) AS column_name
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
    CROSS JOIN LATERAL generate_series(1, x.indnatts) AS position
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)";

async fn rows<T>(db: &Db, sqlite: &'static str, postgres: &'static str) -> BTreeSet<T>
where
    T: Ord + Send + Unpin,
    T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> FromRow<'r, sqlx::postgres::PgRow>,
{
    let rows: Vec<T> = match db {
        Db::Sqlite { readers, .. } => sqlx::query_as(sqlite).fetch_all(readers).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(postgres).fetch_all(pool).await.unwrap(),
    };
    assert!(!rows.is_empty());
    rows.into_iter().collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_and_indexes() {
    let (sqlite, postgres) = (TestDatabase::new(Backend::Sqlite).await, TestDatabase::new(Backend::Postgres).await);
    let columns: BTreeSet<Column> = rows(&sqlite.db, SQLITE_COLUMNS, POSTGRES_COLUMNS).await;
    let others: BTreeSet<Column> = rows(&postgres.db, SQLITE_COLUMNS, POSTGRES_COLUMNS).await;
    assert!(columns.iter().any(|column| column.table_name == "inventory_items" && column.nullable));
    assert_eq!(columns.symmetric_difference(&others).collect::<Vec<_>>(), Vec::<&Column>::new());
    let indexes: BTreeSet<IndexColumn> = rows(&sqlite.db, SQLITE_INDEXES, POSTGRES_INDEXES).await;
    let others: BTreeSet<IndexColumn> = rows(&postgres.db, SQLITE_INDEXES, POSTGRES_INDEXES).await;
    assert_eq!(indexes.symmetric_difference(&others).collect::<Vec<_>>(), Vec::<&IndexColumn>::new());
}
