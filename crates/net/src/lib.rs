//! The one way out to the network. Whatever this program asks for somebody goes through a [`Connector`]: Microsoft
//! Graph, the sign-in, and every receiver whose address a person enters.
//!
//! It guards against server-side request forgery (OWASP, "Server Side Request Forgery Prevention Cheat Sheet"):
//! - **an address is judged when it is connected to**, not before: the resolver that finds the addresses of a name also
//!   judges them, and only what it answers is connected to, so that a name which changes its mind (DNS rebinding) gains
//!   nothing;
//! - one bad address among those of a name refuses the name;
//! - an address that stands in the URL itself never reaches a resolver, so [`Connector::client`] judges it;
//! - redirects are not followed, and no proxy is asked for an address that a person entered, since a proxy resolves
//!   names by itself;
//! - plain HTTP goes to this machine alone.
//!
//! Names are only names here: `localhost` is whatever it resolves to, and allowed where the loopback network is.
//!
//! The crate knows nothing about Graph, tenants or settings.

mod connector;
mod networks;

pub use connector::{ConnectError, Connector, ConnectorOptions, Destination, is_refusal};
pub use networks::{AddressRefused, Networks, is_loopback_host, is_public};
