//! The client against a server that says exactly what a test wants, down to the byte.

mod batches;
mod cloud;
mod faults;
mod hostile;
mod limits;
mod memory;
mod reading;
mod secrecy;
mod signing_in;
mod strangers;
