//! The one way out to the network. Whatever this program asks for somebody goes through a [`Connector`]: Microsoft
//! Graph, the sign-in, and every receiver whose address a person enters.
//!
//! It guards against server-side request forgery (OWASP, "Server Side Request Forgery Prevention Cheat Sheet"):
//! - **an address is judged when it is connected to**, not before: the resolver that finds the addresses of a name also
//!   judges them, and only what it answers is connected to, so that a name which changes its mind (DNS rebinding) gains
//!   nothing;
//! - one bad address among those of a name refuses the name;
//! - an address that stands in the URL itself never reaches a resolver, so [`Connector::client`] judges it;
//! - redirects are not followed;
//! - **a proxy that whoever runs the machine chose** ([`Proxies`]) resolves names by itself, so an address that a person
//!   entered is judged before it is handed on: a literal one always, a name by what it resolves to here, and a name that
//!   nobody resolves here unless it is reserved for networks within. What the proxy then finds is the proxy's to judge;
//! - plain HTTP goes to this machine alone, except to what whoever runs it chose ([`Destination::Chosen`]), which may be
//!   anywhere.
//!
//! Names are only names here: `localhost` is whatever it resolves to, and allowed where the loopback network is.
//!
//! The crate knows nothing about Graph, tenants or settings.

mod authorities;
mod connector;
mod networks;
mod proxy;

pub use authorities::{Authorities, AuthorityError, LARGEST_FILE};
pub use connector::{ConnectError, Connector, ConnectorOptions, Destination, is_refusal};
pub use networks::{AddressRefused, Networks, is_loopback_host, is_public};
pub use proxy::{Proxies, ProxyError};
