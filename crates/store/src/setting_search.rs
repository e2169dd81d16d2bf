//! Settings of the latest versions of policies, so that they can be searched (`docs/rules.md`, section Search of settings).
//!
//! Which setting a line is, is told by Microsoft's names ([`keys`]); what stands there is sealed under the key of the tenant, and
//! found by keyed hashes of its words. A policy is found as long as its latest version is the one whose settings are here.

mod counts;
mod documents;
mod find;
mod keys;
mod pivot;
mod statement;

pub use counts::{CountedType, InventoryCount, LastReading, counts, last_readings};
pub(crate) use documents::purge_piece;
pub use documents::{
    Document, NamesOfOptions, NewLine, Since, due, due_of, held, mark_renamed, names_of_options, pending, postpone,
    record_keys, replace,
};
pub use find::{Found, Hit, Place, find};
pub use keys::{KeyId, forget_keys, key_id, unused_keys};
pub use pivot::{Pivot, PivotCell, pivot};
pub use statement::{Search, SearchedTenant};

/// What the mark of a word of a value is for.
pub const VALUE_WORD: &str = "value";
/// What the mark of a word of a name is for.
pub const NAME_WORD: &str = "name";
/// What the mark of a whole value is for.
pub const WHOLE_VALUE: &str = "whole";
/// What the mark of a setting with its value is for.
pub const HELD: &str = "held";

/// Lines of one document, at most: the place of a line in its document takes so many bits.
const PLACE_BITS: u32 = 16;

/// The number of the document of a line.
const fn document_of(line: i64) -> i64 {
    line >> PLACE_BITS
}
