//! The list of runs: of one tenant, or of all tenants of a person.

mod filters;
mod initiators;
mod load;
pub mod outcome;
pub mod page;
mod rows;
mod selection;

pub use load::{Deed, Place, located, matching};
