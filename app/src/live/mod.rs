//! What moves by itself: the event stream, parts of pages that are fetched anew, times that are told from now.

pub mod clock;
pub mod parts;
mod patch;
pub mod stream;
pub mod times;
