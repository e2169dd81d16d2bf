//! The runner with operations of its own: none of them is known anywhere else.

mod counting;
mod runs;
mod support;
