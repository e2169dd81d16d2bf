//! Versions of policies: captures, the sealed bodies, and what retention may remove (`docs/rules.md`, section Versions).
//!
//! A body is kept in slots. The content of a slot is a blob under a keyed hash of it ([`TenantKey`]), once per tenant however
//! many versions have it. Versions, slots and blobs are never changed; the databases themselves refuse it.

mod at_content;
mod captures;
mod key;
mod listing;
mod recording;
mod retention;

pub use at_content::{VersionAt, versions_at};
pub use captures::{
    Capture, CaptureTypeEnd, CaptureTypeRun, CountedItems, NewCapture, abandon, begin, begin_type, count_items, finish,
    finish_type, get_by_operation, list_types, reading_ends,
};
pub(crate) use key::SealedBlob;
pub(crate) use key::destroy;
pub use key::{Mark, Sealed, TenantKey};
pub use listing::{
    Head, Known, OpenSlot, Version, find_version, heads, items_by_id, items_of_type, known_of, latest_of, open_slots,
    versions_of,
};
pub use recording::{Checked, NewVersion, SealedSlot, record};
pub(crate) use retention::purge_piece;
pub use retention::{remove_versions, sweep_blobs};
