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

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
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
