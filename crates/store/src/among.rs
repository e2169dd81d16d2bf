//! Fragments of statements that take a list as one value, as each database reads it.

use uuid::Uuid;

use crate::Backend;
use crate::sql::{Statement, Value, json};

impl Statement {
    /// Appends a query of these ids, one a row. Name its column where it is used: `WITH wanted (id) AS (` … `)`.
    pub(crate) fn push_ids(&mut self, backend: Backend, ids: impl IntoIterator<Item = Uuid>) -> &mut Self {
        let ids = Value::Ids(ids.into_iter().collect());
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
                self.push(text, [json(&places)])
            }
            Backend::Postgres => {
                let (ids, numbers): (Vec<Uuid>, Vec<i64>) = places.iter().copied().unzip();
                let (ids, numbers) =
                    (Value::Ids(ids.into_iter().collect()), Value::Numbers(numbers.into_iter().collect()));
                self.push("SELECT * FROM unnest($1, $2)", [ids, numbers])
            }
        }
    }

    /// Appends `{what} IN (…)` over any number of numbers. An empty list matches nothing.
    pub(crate) fn push_among(&mut self, backend: Backend, what: &str, numbers: &[i64]) -> &mut Self {
        let numbers = Value::Numbers(numbers.iter().copied().collect());
        match backend {
            Backend::Sqlite => self.push(&format!("{what} IN (SELECT value FROM json_each($1))"), [numbers]),
            Backend::Postgres => self.push(&format!("{what} = ANY ($1)"), [numbers]),
        }
    }
}
