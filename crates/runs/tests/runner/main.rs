//! The runner with operations of its own: none of them is known anywhere else.

mod counting;
mod lost_answers;
mod processes;
mod runs;
mod support;
