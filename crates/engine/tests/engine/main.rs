//! The engine against the simulated cloud over real HTTP, on SQLite and on PostgreSQL.

mod access;
mod api_tokens;
mod audit_events;
mod captures;
mod captures_spared;
mod drift;
mod drift_explained;
mod drift_random;
mod drift_stories;
mod endpoint_mail;
mod endpoints;
mod faults;
mod half_answers;
mod hostile;
mod inventory;
mod inviting;
mod preferences;
mod retention;
mod rights;
mod runs;
mod schedules;
mod setting_search;
mod sign_in_abuse;
mod signing_in;
mod support;
mod versions;
