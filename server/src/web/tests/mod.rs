//! The whole router in the process of the test: who may reach what, and what goes over the wire of the live stream.

mod access;
mod answers;
mod api;
mod api_document;
mod confirm;
mod connections;
mod credentials;
mod findings;
mod groups;
mod invitations;
mod limits;
mod list;
mod markup;
mod onboarding;
mod poison;
mod raw;
mod relations;
mod runs;
mod schedules;
mod scopes;
mod settings;
mod site;
mod stream;
mod versions;
