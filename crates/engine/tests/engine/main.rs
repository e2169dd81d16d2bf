//! The engine against the simulated cloud over real HTTP, on SQLite and on PostgreSQL.

mod inventory;
mod support;
