//! Lists that a statement takes as one value, however long they are: an array on PostgreSQL (PostgreSQL, "Array Functions", `unnest`),
//! JSON text on SQLite (SQLite, "JSON Functions And Operators", `json_each`). The text of the statement is the same for any length, and
//! no placeholder has to be found among thousands.

use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo};
use sqlx::{Postgres, Sqlite, Type};
use uuid::Uuid;

use crate::Backend;
use crate::sql::{Statement, Value};

/// A list that is bound as one value.
#[derive(Clone, Debug)]
pub(crate) struct List<T>(Arc<[T]>);

/// What a list may hold.
pub(crate) trait Listed: Copy {
    /// Room that one takes as JSON.
    const LENGTH: usize;
    /// Appends it as JSON.
    fn write(self, json: &mut String);
}

impl Listed for i64 {
    const LENGTH: usize = 20;

    fn write(self, json: &mut String) {
        let _ = write!(json, "{self}");
    }
}

impl Listed for Uuid {
    const LENGTH: usize = 35;

    fn write(self, json: &mut String) {
        let _ = write!(json, "\"{}\"", self.as_simple());
    }
}

impl<T: Listed> List<T> {
    fn json(&self) -> String {
        let mut json = String::with_capacity(self.0.len() * T::LENGTH + 2);
        json.push('[');
        for (index, one) in self.0.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            one.write(&mut json);
        }
        json.push(']');
        json
    }
}

impl<T> Type<Sqlite> for List<T> {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl<T: Listed> Encode<'_, Sqlite> for List<T> {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.json(), buffer)
    }
}

impl<T> Type<Postgres> for List<T>
where
    [T]: Type<Postgres>,
{
    fn type_info() -> PgTypeInfo {
        <[T] as Type<Postgres>>::type_info()
    }
}

impl<'q, T> Encode<'q, Postgres> for List<T>
where
    for<'a> &'a [T]: Encode<'q, Postgres>,
{
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(&self.0[..], buffer)
    }
}

impl Statement {
    /// Appends a query of these ids, one a row. Name its column where it is used: `WITH wanted (id) AS (` … `)`.
    pub(crate) fn push_ids(&mut self, backend: Backend, ids: impl IntoIterator<Item = Uuid>) -> &mut Self {
        let ids = Value::Ids(List(ids.into_iter().collect()));
        match backend {
            Backend::Sqlite => self.push("SELECT unhex(value) FROM json_each($1)", [ids]),
            Backend::Postgres => self.push("SELECT unnest($1)", [ids]),
        }
    }

    /// Appends a query of ids, each with a number, as rows of two columns.
    pub(crate) fn push_places(&mut self, backend: Backend, places: &[(Uuid, i64)]) -> &mut Self {
        match backend {
            Backend::Sqlite => {
                let places: Vec<_> = places.iter().map(|(id, number)| (id.as_simple().to_string(), number)).collect();
                let text = "SELECT unhex(value ->> 0), value ->> 1 FROM json_each($1)";
                self.push(text, [crate::sql::json(&places)])
            }
            Backend::Postgres => {
                let (ids, numbers): (Vec<Uuid>, Vec<i64>) = places.iter().copied().unzip();
                let (ids, numbers) = (List(ids.into()), List(numbers.into()));
                self.push("SELECT * FROM unnest($1, $2)", [Value::Ids(ids), Value::Numbers(numbers)])
            }
        }
    }

    /// Appends `{what} IN (…)` over any number of numbers. An empty list matches nothing.
    pub(crate) fn push_among(&mut self, backend: Backend, what: &str, numbers: &[i64]) -> &mut Self {
        let numbers = Value::Numbers(List(numbers.into()));
        match backend {
            Backend::Sqlite => self.push(&format!("{what} IN (SELECT value FROM json_each($1))"), [numbers]),
            Backend::Postgres => self.push(&format!("{what} = ANY ($1)"), [numbers]),
        }
    }
}
