//! The cloud over real HTTP, with TLS on request.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::uri::Authority as HostAndPort;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Sending};
use crate::authority::{Authority, AuthorityError};
use crate::cloud::{Asked, Cloud};
use crate::config::SimulatorConfig;
use crate::host::{self, Service};
use crate::{connection, control, control_page, hostile};

/// The largest request body, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A cloud that listens; it stops when dropped.
pub struct Simulator {
    cloud: Arc<Cloud>,
    address: SocketAddr,
    certificate_authority: Option<String>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What every connection needs.
pub(crate) struct Door {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) stop: CancellationToken,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulated connection was reset")]
pub(crate) struct ConnectionReset;

/// Why a cloud cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] io::Error),
    /// There is no certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Simulator {
    /// Starts a cloud over plain HTTP; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(config: SimulatorConfig, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Self::serve(config, listener, None)
    }

    /// Starts a cloud over TLS, with a certificate authority of its own. On the same port it is a proxy that leads to
    /// itself whoever asks for a host of Microsoft's sign-in or Graph.
    ///
    /// # Errors
    /// When the address cannot be listened on, or no certificate can be made.
    pub async fn start_tls(config: SimulatorConfig, address: SocketAddr) -> Result<Self, StartError> {
        let listener = TcpListener::bind(address).await?;
        let authority = Authority::new(listener.local_addr()?.ip())?;
        Ok(Self::serve(config, listener, Some(authority))?)
    }

    fn serve(config: SimulatorConfig, listener: TcpListener, authority: Option<Authority>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let scheme = if authority.is_some() { "https" } else { "http" };
        let cloud = Arc::new(Cloud::new(config, format!("{scheme}://{address}")));
        let stop = CancellationToken::new();
        let (certificate_authority, tls) =
            authority.map(|authority| (authority.certificate, authority.acceptor)).unzip();
        let door = Door { cloud: Arc::clone(&cloud), stop: stop.clone(), tls };
        let task = tokio::spawn(connection::accept(listener, Arc::new(door)));
        Ok(Self { cloud, address, certificate_authority, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate that clients are to trust, as PEM; `None` over plain HTTP.
    #[must_use]
    pub fn certificate_authority(&self) -> Option<&str> {
        self.certificate_authority.as_deref()
    }

    /// The address of the login service, for a custom cloud.
    #[must_use]
    pub fn login_url(&self) -> String {
        self.cloud.login_url()
    }

    /// The address of Graph, for a custom cloud.
    #[must_use]
    pub fn graph_url(&self) -> String {
        self.cloud.graph_url()
    }

    /// Faults, time, counts and expectations.
    #[must_use]
    pub fn control(&self) -> &Arc<Cloud> {
        &self.cloud
    }

    /// Waits until the cloud is stopped from elsewhere.
    pub async fn run(mut self) {
        let _ = (&mut self.task).await;
    }

    /// Stops it.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a request is for, by its host and the beginning of its path.
enum Room<'a> {
    /// The login service at this address, and the path below it.
    Login(String, &'a str),
    /// Graph at this address, and version, path and query below it.
    Graph(String, &'a str),
    /// The control over HTTP.
    Control(&'a str),
    /// The page for people.
    Page,
    /// Nothing.
    Nowhere,
}

/// A host of Microsoft is what it is there; at every other host the first segment of the path decides.
fn room<'a>(cloud: &Cloud, host: &str, address: &'a str) -> Room<'a> {
    let host = host::without_port(host);
    match host::service_of(host) {
        Some(Service::Login) => return Room::Login(format!("https://{host}"), address.trim_start_matches('/')),
        Some(Service::Graph) => return Room::Graph(format!("https://{host}"), address.trim_start_matches('/')),
        None => {}
    }
    if let Some(rest) = address.strip_prefix("/login/") {
        return Room::Login(cloud.login_url(), rest);
    }
    if let Some(rest) = address.strip_prefix("/graph/") {
        return Room::Graph(cloud.graph_url(), rest);
    }
    let path = address.split('?').next().unwrap_or_default();
    match path.strip_prefix("/_sim/") {
        Some(rest) => Room::Control(rest),
        None if path == "/" => Room::Page,
        None => Room::Nowhere,
    }
}

/// The host that a request names.
fn host_of(parts: &Parts) -> &str {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| parts.uri.authority().map(HostAndPort::as_str)).unwrap_or_default()
}

pub(crate) async fn serve(
    door: Arc<Door>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, ConnectionReset> {
    let cloud = &door.cloud;
    let (parts, body) = request.into_parts();
    let address = parts.uri.path_and_query().map_or("/", |all| all.as_str());
    let body = axum::body::to_bytes(Body::new(body), BODY_LIMIT).await.unwrap_or_default();
    match room(cloud, host_of(&parts), address) {
        Room::Login(root, rest) => send(login(cloud, &root, rest, &body), "", None),
        Room::Graph(root, rest) => {
            let token = parts
                .headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.strip_prefix("Bearer "));
            let method = parts.method.as_str();
            let asked = Asked { method, address: rest, token, body: &body, root: &root, in_batch: false };
            let (answer, request_id) = cloud.graph(&asked).await;
            send(answer, &request_id, parts.headers.get("client-request-id").cloned())
        }
        Room::Control(path) => Ok(match control::refused(cloud, peer, &parts, host_of(&parts)) {
            Some(refused) => refused,
            None if path.starts_with("page/") => control_page::act(cloud, path, &parts, &body),
            None => control::answer(cloud, path, &body),
        }),
        Room::Page => {
            let refused = control::refused(cloud, peer, &parts, host_of(&parts));
            Ok(refused.unwrap_or_else(|| control_page::show(cloud)))
        }
        Room::Nowhere => Ok(json_response(404, &json!({"error": "not_found"}))),
    }
}

/// The login service: tokens, and what clients ask before they ask for one.
fn login(cloud: &Cloud, root: &str, rest: &str, body: &[u8]) -> Answer {
    let path = rest.split('?').next().unwrap_or_default();
    let (directory, path) = path.split_once('/').unwrap_or((path, ""));
    match path {
        "oauth2/v2.0/token" => cloud.token(root, directory, body),
        "v2.0/.well-known/openid-configuration" => cloud.openid_configuration(root, directory),
        "discovery/instance" => {
            let host = root.strip_prefix("https://").unwrap_or(root);
            let known = json!({"preferred_network": host, "preferred_cache": host, "aliases": [host]});
            let endpoint = format!("{root}/{{tenant}}/v2.0/.well-known/openid-configuration");
            let answer = json!({"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": [known]});
            Answer::raw(200, "application/json", answer.to_string())
        }
        _ => Answer::raw(404, "application/json", json!({"error": "not_found"}).to_string()),
    }
}

pub(crate) fn json_response(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn send(
    answer: Answer,
    request_id: &str,
    client_request_id: Option<HeaderValue>,
) -> Result<Response<Body>, ConnectionReset> {
    let mut encoding = None;
    let body = match answer.sending {
        Sending::Reset => return Err(ConnectionReset),
        Sending::Whole => Body::from(answer.body),
        Sending::Cut => cut(answer.body),
        Sending::PackedTwice => {
            encoding = Some("gzip, gzip");
            Body::from(hostile::packed(&answer.body, 2))
        }
        Sending::Hostile(hostile) => {
            let (body, encoded) = hostile.send();
            encoding = encoded;
            body
        }
        Sending::Slowly(pause) => slowly(answer.body, Duration::from_millis(pause)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    if answer.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"\", error=\"invalid_token\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    let headers = response.headers_mut();
    let content_type = answer.content_type.and_then(|content_type| HeaderValue::from_str(&content_type).ok());
    let graphs = HeaderValue::from_static("application/json;odata.metadata=minimal;charset=utf-8");
    headers.insert(header::CONTENT_TYPE, content_type.unwrap_or(graphs));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Some(value) = HeaderValue::from_str(request_id).ok().filter(|value| !value.is_empty()) {
        headers.insert("request-id", value);
    }
    if let Some(value) = client_request_id {
        headers.insert("client-request-id", value);
    }
    for wait in answer.retry_after.iter().flat_map(|waits| waits.lines()) {
        if let Ok(wait) = HeaderValue::from_str(wait) {
            headers.append(header::RETRY_AFTER, wait);
        }
    }
    Ok(response)
}

/// The first half of a body, and then the end of the connection.
fn cut(mut body: Bytes) -> Body {
    let half = body.split_to(body.len() / 2);
    Body::from_stream(futures::stream::iter([Ok(half), Err(ConnectionReset)]))
}

fn slowly(body: Bytes, pause: Duration) -> Body {
    let piece = (body.len() / 8).max(1);
    Body::from_stream(futures::stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(piece.min(rest.len()));
        Some((Ok::<_, Infallible>(next), rest))
    }))
}
