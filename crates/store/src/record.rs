//! Rows become records: one reader for both engines.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{Error, Row};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

/// Something that is read from a row.
pub(crate) trait Record: Sized + Send {
    fn read(row: &impl Columns) -> Result<Self, Error>;
}

/// The columns of a row by name. What cannot be understood is an error that names the column.
pub(crate) trait Columns {
    fn number_or_null(&self, column: &'static str) -> Result<Option<i64>, Error>;
    fn bool(&self, column: &'static str) -> Result<bool, Error>;
    fn string_or_null(&self, column: &'static str) -> Result<Option<String>, Error>;
    fn uuid_or_null(&self, column: &'static str) -> Result<Option<Uuid>, Error>;
    fn bytes_or_null(&self, column: &'static str) -> Result<Option<Vec<u8>>, Error>;
    fn json_or_null<T: DeserializeOwned + 'static>(&self, column: &'static str) -> Result<Option<T>, Error>;

    fn number(&self, column: &'static str) -> Result<i64, Error> {
        required(column, self.number_or_null(column)?)
    }

    /// A number in the range of another integer type.
    fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, Error> {
        T::try_from(self.number(column)?).map_err(|_| undecodable(column))
    }

    fn time(&self, column: &'static str) -> Result<Timestamp, Error> {
        self.number(column).map(Timestamp::from_millis)
    }

    fn time_or_null(&self, column: &'static str) -> Result<Option<Timestamp>, Error> {
        Ok(self.number_or_null(column)?.map(Timestamp::from_millis))
    }

    fn string(&self, column: &'static str) -> Result<String, Error> {
        required(column, self.string_or_null(column)?)
    }

    /// An enumeration stored by name.
    fn name<T: FromStr>(&self, column: &'static str) -> Result<T, Error> {
        self.string(column)?.parse().map_err(|_| undecodable(column))
    }

    fn name_or_null<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, Error> {
        self.string_or_null(column)?.map(|text| text.parse().map_err(|_| undecodable(column))).transpose()
    }

    fn id<T: From<Uuid>>(&self, column: &'static str) -> Result<T, Error> {
        required(column, self.uuid_or_null(column)?).map(T::from)
    }

    fn id_or_null<T: From<Uuid>>(&self, column: &'static str) -> Result<Option<T>, Error> {
        Ok(self.uuid_or_null(column)?.map(T::from))
    }

    fn hash(&self, column: &'static str) -> Result<ContentHash, Error> {
        required(column, self.hash_or_null(column)?)
    }

    fn hash_or_null(&self, column: &'static str) -> Result<Option<ContentHash>, Error> {
        let Some(bytes) = self.bytes_or_null(column)? else { return Ok(None) };
        bytes.try_into().map(|bytes| Some(ContentHash(bytes))).map_err(|_| undecodable(column))
    }

    fn json<T: DeserializeOwned + 'static>(&self, column: &'static str) -> Result<T, Error> {
        required(column, self.json_or_null(column)?)
    }
}

fn required<T>(column: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| undecodable(column))
}

fn undecodable(column: &'static str) -> Error {
    Error::ColumnDecode { index: column.to_owned(), source: "not understood".into() }
}

macro_rules! columns_of {
    ($row:ty) => {
        impl Columns for $row {
            fn number_or_null(&self, column: &'static str) -> Result<Option<i64>, Error> {
                self.try_get(column)
            }

            fn bool(&self, column: &'static str) -> Result<bool, Error> {
                self.try_get(column)
            }

            fn string_or_null(&self, column: &'static str) -> Result<Option<String>, Error> {
                self.try_get(column)
            }

            fn uuid_or_null(&self, column: &'static str) -> Result<Option<Uuid>, Error> {
                self.try_get(column)
            }

            fn bytes_or_null(&self, column: &'static str) -> Result<Option<Vec<u8>>, Error> {
                self.try_get(column)
            }

            fn json_or_null<T: DeserializeOwned + 'static>(&self, column: &'static str) -> Result<Option<T>, Error> {
                let value: Option<Json<T>> = self.try_get(column)?;
                Ok(value.map(|Json(value)| value))
            }
        }
    };
}

columns_of!(SqliteRow);
columns_of!(PgRow);

/// A single number, named `value` in the query.
pub(crate) struct Number(pub i64);

impl Record for Number {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self(row.number("value")?))
    }
}

/// A single text, named `value` in the query.
pub(crate) struct Text(pub String);

impl Record for Text {
    fn read(row: &impl Columns) -> Result<Self, Error> {
        Ok(Self(row.string("value")?))
    }
}
