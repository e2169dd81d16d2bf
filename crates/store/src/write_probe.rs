//! Whether a SQLite file takes what is written, found out by one attempt at a time and told to all who ask.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::StoreError;

/// Writing is tried at most so often, whoever asks and however often.
const INTERVAL: Duration = Duration::from_secs(5);

/// What the last attempt to write a SQLite file found, shared by all who ask.
#[derive(Debug, Default)]
pub struct WriteProbe(Mutex<LastAttempt>);

#[derive(Debug, Default)]
struct LastAttempt {
    under_way: bool,
    at: Option<Instant>,
    fault: Option<Fault>,
}

/// Why writing failed, in a form that can be told again and again.
#[derive(Clone, Debug)]
enum Fault {
    DiskFull,
    ReadOnly,
    Disk(String),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::DiskFull => Self::DiskFull,
            Fault::ReadOnly => Self::ReadOnly,
            Fault::Disk(code) => Self::Disk { code },
        }
    }
}

impl WriteProbe {
    fn with<T>(&self, act: impl FnOnce(&mut LastAttempt) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is time for another attempt; whoever is told so makes it.
    pub(crate) fn takes_turn(&self) -> bool {
        self.with(|last| {
            let due = !last.under_way && last.at.is_none_or(|at| at.elapsed() >= INTERVAL);
            last.under_way |= due;
            due
        })
    }

    /// Keeps what the attempt found, for all who ask until the next one.
    pub(crate) fn found(&self, result: Result<(), StoreError>) {
        self.with(|last| {
            last.under_way = false;
            last.at = Some(Instant::now());
            match result {
                Ok(()) => last.fault = None,
                Err(StoreError::DiskFull) => last.fault = Some(Fault::DiskFull),
                Err(StoreError::ReadOnly | StoreError::Unwritable { .. }) => last.fault = Some(Fault::ReadOnly),
                Err(StoreError::Disk { code }) => last.fault = Some(Fault::Disk(code)),
                // Others hold the file, so that it is written: this says nothing new.
                Err(error) => tracing::debug!(%error, "whether the database can be written was not found out"),
            }
        });
    }

    /// What the last attempt found.
    pub(crate) fn verdict(&self) -> Result<(), StoreError> {
        self.with(|last| last.fault.clone()).map_or(Ok(()), |fault| Err(fault.into()))
    }
}
