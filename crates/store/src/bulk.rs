//! Statements over many rows.
//!
//! Each statement exists in a few lengths only, so that the engines prepare it once and meet the same text again. The
//! texts are built once per process.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use crate::record::Record;
use crate::sql::Value;
use crate::{StoreError, Tx};

/// Rows per statement, longest first. The longest must stay below the 32,766 values SQLite takes.
const ROWS: [usize; 4] = [512, 64, 8, 1];
/// Lengths of a list of values, longest first; a list is filled up to the next one.
const LISTS: [usize; 5] = [1_024, 256, 64, 8, 1];

static TEXTS: LazyLock<Mutex<HashMap<(&'static str, usize), Arc<str>>>> = LazyLock::new(Mutex::default);

fn text(head: &'static str, length: usize, build: impl FnOnce() -> String) -> SqlStr {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = texts.entry((head, length)).or_insert_with(|| build().into());
    AssertSqlSafe(Arc::clone(text)).into_sql_str()
}

/// `INSERT … VALUES (…), (…)` with a fixed number of columns.
pub(crate) struct InsertRows {
    /// The text up to `VALUES`; must be unique among all statements.
    pub head: &'static str,
    /// Values per row.
    pub columns: usize,
    /// The text after the rows.
    pub tail: &'static str,
}

impl InsertRows {
    fn text(&self, rows: usize) -> SqlStr {
        text(self.head, rows, || {
            let mut text = String::with_capacity(self.head.len() + rows * self.columns * 8);
            text.push_str(self.head);
            text.push_str(" VALUES ");
            let mut number = 0;
            for row in 0..rows {
                text.push_str(if row == 0 { "(" } else { ", (" });
                for column in 0..self.columns {
                    number += 1;
                    let _ = write!(text, "{}${number}", if column == 0 { "" } else { ", " });
                }
                text.push(')');
            }
            text.push(' ');
            text.push_str(self.tail);
            text
        })
    }

    /// Inserts rows; `values` holds them one after the other. Answers how many rows were affected.
    pub(crate) async fn run(&self, tx: &mut Tx, values: &[Value<'_>]) -> Result<u64, StoreError> {
        debug_assert_eq!(values.len() % self.columns, 0);
        let mut affected = 0;
        let mut rest = values;
        for rows in ROWS {
            while rest.len() >= rows * self.columns {
                let (chunk, left) = rest.split_at(rows * self.columns);
                affected += tx.execute(self.text(rows), chunk).await?;
                rest = left;
            }
        }
        Ok(affected)
    }
}

/// A statement that ends in `IN (…)`, after fixed values `$1 …`.
pub(crate) struct WithList {
    /// The text up to the list; must be unique among all statements.
    pub head: &'static str,
    /// The text after the list.
    pub tail: &'static str,
}

impl WithList {
    fn text(&self, fixed: usize, length: usize) -> SqlStr {
        text(self.head, length, || {
            let mut text = String::with_capacity(self.head.len() + length * 7);
            text.push_str(self.head);
            text.push_str(" IN (");
            for index in 0..length {
                let _ = write!(text, "{}${}", if index == 0 { "" } else { ", " }, fixed + index + 1);
            }
            text.push(')');
            text.push_str(self.tail);
            text
        })
    }

    fn chunk<'v>(fixed: &[Value<'v>], list: &[Value<'v>]) -> (usize, Vec<Value<'v>>) {
        let length = LISTS.iter().rev().copied().find(|length| *length >= list.len()).unwrap_or(LISTS[0]);
        let mut values = Vec::with_capacity(fixed.len() + length);
        values.extend_from_slice(fixed);
        values.extend_from_slice(list);
        if let Some(last) = list.last() {
            values.resize(fixed.len() + length, last.clone());
        }
        (length, values)
    }

    /// Runs it over all values of the list. Answers how many rows were affected.
    pub(crate) async fn run(&self, tx: &mut Tx, fixed: &[Value<'_>], list: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut affected = 0;
        for part in list.chunks(LISTS[0]) {
            let (length, values) = Self::chunk(fixed, part);
            affected += tx.execute(self.text(fixed.len(), length), &values).await?;
        }
        Ok(affected)
    }

    /// Reads the rows for all values of the list.
    pub(crate) async fn rows<T: Record>(
        &self,
        tx: &mut Tx,
        fixed: &[Value<'_>],
        list: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::with_capacity(list.len());
        for part in list.chunks(LISTS[0]) {
            let (length, values) = Self::chunk(fixed, part);
            rows.extend(tx.rows::<T>(self.text(fixed.len(), length), &values).await?);
        }
        Ok(rows)
    }
}
