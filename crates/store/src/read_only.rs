//! A database that is only looked at.

use std::path::Path;

use crate::postgres_server::connect_postgres;
use crate::sqlite_file::connect_sqlite_to_read;
use crate::{Db, StoreError, files};

impl Db {
    /// Connects so that nothing can be written. Nothing is made: the database must exist.
    ///
    /// # Errors
    /// As [`Db::connect`]; [`StoreError::Unreadable`] when there is no such file.
    pub async fn connect_to_read(address: &str) -> Result<Self, StoreError> {
        let Some(path) = address.strip_prefix("sqlite:") else {
            return connect_postgres(address, Some(("default_transaction_read_only", "on"))).await;
        };
        let path = Path::new(path.strip_prefix("//").unwrap_or(path));
        match files::open_regular(path) {
            Ok(Some(_)) => connect_sqlite_to_read(path).await,
            Ok(None) => Err(unreadable(path, "does not exist: name the database that was restored".to_owned())),
            Err(problem) => Err(unreadable(path, problem)),
        }
    }
}

fn unreadable(path: &Path, problem: String) -> StoreError {
    StoreError::Unreadable { path: path.to_owned(), problem }
}
