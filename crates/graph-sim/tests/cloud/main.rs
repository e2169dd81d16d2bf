//! The simulated cloud as a client meets it: over HTTP, knowing nothing but addresses and a secret.

mod audit;
mod catalogue;
mod faults;
mod odata;
mod page;
mod reading;
mod sign_in;
mod tls;
mod visitor;
