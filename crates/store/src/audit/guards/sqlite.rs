//! On SQLite the schema keeps the text that made an object: it is compared with that of a database in memory, made by
//! the same migrations.

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::OnceCell;

use super::{Guard, Problem, TABLES, compare, normal};
use crate::database::Run as _;
use crate::sql::args;
use crate::{Db, StoreError, migrations};

/// Tables with their constraints, and triggers. Indexes only make it fast.
const OBJECTS: &str = "SELECT type, name, sql
                       FROM sqlite_master
                       WHERE tbl_name IN ($1, $2) AND type IN ('table', 'trigger')
                       ORDER BY name";

/// An object as `sqlite_master` holds it: type, name, and the text that made it.
type Object = (String, String, String);

fn guard((kind, name, sql): Object) -> Guard {
    Guard { name: format!("the {kind} {name}"), definition: normal(&sql) }
}

pub(super) async fn missing(db: &Db) -> Result<Vec<Problem>, StoreError> {
    static EXPECTED: OnceCell<Vec<Guard>> = OnceCell::const_new();
    let expected = EXPECTED.get_or_try_init(expected).await?;
    let mut on = db;
    let found: Vec<Object> = on.rows(OBJECTS, &args![TABLES[0], TABLES[1]]).await?;
    Ok(compare(expected, &found.into_iter().map(guard).collect::<Vec<_>>()))
}

async fn expected() -> Result<Vec<Guard>, StoreError> {
    let mut fresh: SqliteConnection = SqliteConnectOptions::new().in_memory(true).connect().await?;
    migrations::run_on_sqlite(&mut fresh).await?;
    let made: Vec<Object> = sqlx::query_as(OBJECTS).bind(TABLES[0]).bind(TABLES[1]).fetch_all(&mut fresh).await?;
    Ok(made.into_iter().map(guard).collect())
}
