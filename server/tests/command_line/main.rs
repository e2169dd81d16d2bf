//! The built binary as people and programs use it: what it prints, how it ends, and what is left after it was killed.

mod bad_input;
mod crash;
mod inventory;
mod sandbox;
mod together;
