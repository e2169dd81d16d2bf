//! The built binary as people and programs use it: what it prints, how it ends, and what is left after it was killed.

mod assigned;
mod audit_events;
mod audit_log;
mod bad_input;
mod capture;
mod certificates;
mod crash;
mod drift;
mod foreign_files;
mod full_disk;
mod inventory;
mod keys;
mod outgoing;
#[path = "../program/mod.rs"]
mod program;
mod relations;
mod sandbox;
mod schedules;
mod setting_search;
mod shapes;
mod start;
mod terminal;
mod together;
mod tokens;
mod traces;
mod webhook;
mod worker;
