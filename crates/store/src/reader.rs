//! The reading side of a database.

use crate::database::{Access, Backend, Connection, Db};
use crate::error::StoreError;

/// A database that can only be read. Pages, exports and the command line get this of it: what they change, they change by
/// commands. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(Db);

impl Reader {
    /// The kind of database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.0.backend()
    }

    /// Whether the database answers and takes writes: see [`Db::ready`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.0.ready().await
    }
}

impl From<Db> for Reader {
    fn from(db: Db) -> Self {
        Self(db)
    }
}

impl Access for &Reader {
    async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
        self.0.connection().await
    }
}

/// What can be read with several connections at a time: [`Reader`], or [`Db`] itself.
pub trait Readable: sealed::Database {}

impl Readable for Db {}
impl Readable for Reader {}

pub(crate) mod sealed {
    use super::{Db, Reader};

    /// Where the statements of this crate get the database from. Not to be named outside.
    pub trait Database: Sync {
        /// The database that is read.
        fn database(&self) -> &Db;
    }

    impl Database for Db {
        fn database(&self) -> &Db {
            self
        }
    }

    impl Database for Reader {
        fn database(&self) -> &Db {
            &self.0
        }
    }
}
