//! The inventory: the last observed state of every object, what it was before, what it points to, and which runs saw
//! it (`docs/rules.md`, sections Records and Missing).

mod absences;
mod assignment;
mod assignments;
mod by_target;
mod columns;
mod coverage;
mod dependants;
mod export;
mod history;
mod item;
mod known_names;
mod links;
mod list;
mod objects;
mod order;
mod overview;
mod query;
mod relations;
mod rows;
mod search;
mod search_conditions;
mod search_words;
mod stored;
mod total;
mod untold;
mod view;
mod writer;

pub(crate) use absences::note_absences;
pub use assignment::Assignment;
pub use assignments::{
    AssignedPage, AssignedQuery, AssignedType, AssignedTypes, Group, assigned_groups, assigned_items, assigned_types,
    group, groups_called, groups_named,
};
pub use by_target::{Heading, Place, TargetPage, list_by_target};
pub use coverage::{Coverage, InventoryCounts, NotRead};
pub use dependants::{Dependant, Dependants, Dependence, MAX_DEPENDANTS, MAX_DISTANCE, dependants};
pub use export::export;
pub use history::{
    ItemVersion, RunReading, RunSighting, UnknownRunReading, history, runs_that_saw, state_as_of, was_seen,
};
pub use item::{Item, ItemRow, ObservedItem, ObservedLink};
pub use known_names::{KnownNames, known_names, object_names, object_names_in, scope_tags_in};
pub use links::{
    DirectoryName, IncomingLink, IncomingPage, MOST_REFERRING, OutgoingLink, incoming, outgoing, record_names,
    targets_without_name,
};
pub use list::{ItemPage, list, list_with_total};
pub use objects::{ObjectOf, find_objects};
pub use overview::counts_of;
pub use query::{Cursor, ItemFilter, ItemQuery, Sort, StateFilter, UnknownSort, UnknownStateFilter};
pub use relations::{Incoming, Outgoing, Relations, Standing, UnknownStanding, relations};
pub(crate) use rows::absences as absences_of;
pub use rows::{find, find_external, find_many, has_items, named};
pub(crate) use search_words::patterns as search_patterns;
pub use stored::stored;
pub use total::{MAX_COUNTED, Total, total, total_by_type};
pub use untold::not_read;
pub(crate) use view::Stretch;
pub use view::{FirstRead, KnownType, ScopeView, TypeState, first_read_after, known_types};
pub use writer::{BatchResult, lock_types, refresh_statistics, write_batch};
