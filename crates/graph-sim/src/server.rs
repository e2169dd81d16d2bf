//! The cloud over real HTTP.

use crate::{
    answer::{Answer, Sending},
    cloud::Cloud,
    config::{SimulatorConfig, Throttle},
    fault::Fault,
    hostile,
};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The largest request body, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A cloud that listens; it stops when dropped.
pub struct Simulator {
    cloud: Arc<Cloud>,
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulated connection was reset")]
struct ConnectionReset;

impl Simulator {
    /// Starts a cloud; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(config: SimulatorConfig, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let cloud = Arc::new(Cloud::new(config, format!("http://{address}")));
        let stop = CancellationToken::new();
        let task = tokio::spawn(accept(listener, Arc::clone(&cloud), stop.clone()));
        Ok(Self { cloud, address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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

async fn accept(listener: TcpListener, cloud: Arc<Cloud>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let cloud = Arc::clone(&cloud);
        let stop = stop.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&cloud), request));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // A reset is wished for, and a client that goes away is no fault of ours.
                _ = connection => {}
            }
        });
    }
}

async fn serve(cloud: Arc<Cloud>, request: Request<Incoming>) -> Result<Response<Body>, ConnectionReset> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let address = parts.uri.path_and_query().map_or_else(|| path.clone(), |all| all.as_str().to_owned());
    let body = axum::body::to_bytes(Body::new(body), BODY_LIMIT).await.unwrap_or_default();
    if let Some(rest) = path.strip_prefix("/login/") {
        let directory = rest.split('/').next().unwrap_or_default();
        if !rest.ends_with("/oauth2/v2.0/token") {
            return Ok(json_response(404, &json!({"error": "not_found"})));
        }
        return send(cloud.token(directory, &body), "", None);
    }
    if let Some(rest) = address.strip_prefix("/graph/") {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let (answer, request_id) = cloud.graph(parts.method.as_str(), rest, token, &body).await;
        let client_request_id = parts.headers.get("client-request-id").cloned();
        return send(answer, &request_id, client_request_id);
    }
    if let Some(rest) = path.strip_prefix("/_sim/") {
        return Ok(control(&cloud, rest, &body));
    }
    Ok(json_response(404, &json!({"error": "not_found"})))
}

fn json_response(status: u16, body: &Value) -> Response<Body> {
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

/// The control over HTTP: what tests in other languages and the bench use.
fn control(cloud: &Cloud, path: &str, body: &[u8]) -> Response<Body> {
    let sent: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let tenant = sent["tenant_id"].as_str().map(str::to_owned);
    let first = cloud.config().tenants.first().map(|tenant| tenant.tenant_id.clone()).unwrap_or_default();
    let tenant = tenant.unwrap_or(first);
    let answer = match path {
        "counts" => json!(cloud.counts()),
        "counts/reset" => {
            cloud.reset_counts();
            json!({})
        }
        "log" => json!(cloud.log()),
        "expected" => json!(cloud.expected(&tenant)),
        "secrets" => {
            let most = usize::try_from(sent["most"].as_u64().unwrap_or(10_000)).unwrap_or(usize::MAX);
            json!(cloud.planted_secrets(&tenant, most))
        }
        "evolve" => json!(cloud.evolve(&tenant, sent["steps"].as_u64().unwrap_or(1))),
        "faults" => match serde_json::from_value::<Vec<Fault>>(sent["faults"].clone()) {
            Ok(faults) => {
                cloud.set_faults(faults);
                json!({})
            }
            Err(error) => return json_response(400, &json!({"error": error.to_string()})),
        },
        "throttle" => {
            cloud.set_throttle(serde_json::from_value::<Throttle>(sent["throttle"].clone()).ok());
            json!({})
        }
        "latency" => {
            cloud.set_latency(Duration::from_millis(sent["latency_ms"].as_u64().unwrap_or(0)));
            json!({})
        }
        "hold" => {
            cloud.hold(sent["path"].as_str().unwrap_or_default());
            json!({})
        }
        "release" => {
            cloud.release();
            json!({})
        }
        "tokens/revoke" => {
            cloud.revoke_tokens();
            json!({})
        }
        _ => return json_response(404, &json!({"error": "unknown control"})),
    };
    json_response(200, &answer)
}
