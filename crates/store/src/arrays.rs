//! Rows bound as an array per column, which only PostgreSQL takes.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Postgres, SqlStr};

use crate::sql::{JsonText, Value};
use crate::{StoreError, Tx};

impl Tx {
    /// Runs a statement of this many values, each of which is a column of the rows that `values` holds one after the other.
    /// Tells how many rows it affected.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when a column holds values of several types; on SQLite always.
    pub(crate) async fn execute_on_arrays(
        &mut self,
        text: SqlStr,
        columns: usize,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let connection = self.as_postgres().ok_or_else(|| StoreError::corrupt("an array"))?;
        let mut query = sqlx::query::<Postgres>(text);
        for column in 0..columns {
            query = bind_column(query, || values.iter().skip(column).step_by(columns))
                .ok_or_else(|| StoreError::corrupt("an array"))?;
        }
        Ok(query.execute(connection).await?.rows_affected())
    }
}

/// Binds the values as one array; `None` when they are not all of one type.
fn bind_column<'q, 'v: 'q, I: Iterator<Item = &'q Value<'v>>>(
    query: Query<'q, Postgres, PgArguments>,
    values: impl Fn() -> I,
) -> Option<Query<'q, Postgres, PgArguments>> {
    macro_rules! array {
        ($variant:ident, |$value:ident| $item:expr) => {
            values()
                .map(|one| if let Value::$variant($value) = one { Some($item) } else { None })
                .collect::<Option<Vec<_>>>()?
        };
    }
    Some(match values().next()? {
        Value::Number(_) => query.bind(array!(Number, |value| *value)),
        Value::Bool(_) => query.bind(array!(Bool, |value| *value)),
        Value::Text(_) => query.bind(array!(Text, |value| value.as_deref())),
        Value::Uuid(_) => query.bind(array!(Uuid, |value| *value)),
        Value::Bytes(_) => query.bind(array!(Bytes, |value| value.as_deref())),
        Value::Json(_) => query.bind(array!(Json, |value| value.as_ref().map(JsonText::raw))),
        // No column holds a list.
        Value::Ids(_) | Value::Numbers(_) => return None,
    })
}
