//! The engine against the simulated cloud over real HTTP, on SQLite and on PostgreSQL.

mod access;
mod faults;
mod hostile;
mod inventory;
mod rights;
mod runs;
mod signing_in;
mod support;
