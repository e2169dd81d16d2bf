//! Every repository on both engines.

mod assignments;
mod audit;
mod audit_events;
mod audit_proof;
mod audit_renewal;
mod audit_world;
mod by_target;
mod connection;
mod history;
mod inventory;
mod links;
mod notifications;
mod operation_runs;
mod overview;
mod people;
mod policies;
mod presence;
mod schema;
mod second_factor;
mod sign_in;
mod speed;
mod sync_runs;
mod tenants;
mod upgrade;
mod vault;
mod world;
