//! The way of the exporter to the collector: by the connector of this program, on its runtime.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use tenantatlas_net::{Connector, Destination};
use tokio::runtime::Handle;
use url::Url;

/// How long one export may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// What is read of an answer, bytes.
const READ_AT_MOST: usize = 65_536;

/// Sends what the exporter has made.
pub(crate) struct Client {
    way: Arc<Way>,
    runtime: Handle,
}

struct Way {
    connector: Connector,
    endpoint: Url,
    headers: HeaderMap,
}

impl Client {
    pub(crate) fn new(connector: Connector, endpoint: Url, headers: HeaderMap, runtime: Handle) -> Self {
        Self { way: Arc::new(Way { connector, endpoint, headers }), runtime }
    }
}

/// Tells neither address nor headers.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client")
    }
}

#[async_trait]
impl HttpClient for Client {
    /// The exporter asks on a thread that has no runtime, so the request is sent on that of the program.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let way = Arc::clone(&self.way);
        let sending = async move {
            tokio::time::timeout(TIMEOUT, way.send(request)).await.unwrap_or_else(|_| Err("no answer in time".into()))
        };
        self.runtime.spawn(sending).await?
    }
}

impl Way {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.connector.client(&self.endpoint, Destination::Chosen).await?;
        // The exporter reads variables of the environment by itself; what counts was read by the settings.
        let (parts, body) = request.into_parts();
        let mut headers = self.headers.clone();
        for name in [CONTENT_TYPE, CONTENT_ENCODING] {
            if let Some(value) = parts.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let sent = client.post(self.endpoint.clone()).headers(headers).body(body).send().await;
        let mut answer = sent.map_err(|error| told(&error.without_url()))?;
        let mut response = Response::builder().status(answer.status());
        if let Some(after) = answer.headers().get(http::header::RETRY_AFTER) {
            response = response.header(http::header::RETRY_AFTER, after);
        }
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| told(&error.without_url()))? {
            text.extend_from_slice(&chunk);
            if text.len() > READ_AT_MOST {
                return Err("the answer is too long".into());
            }
        }
        Ok(response.body(text.into())?)
    }
}

/// The error without its sources, which may name addresses.
fn told(error: &dyn Error) -> HttpError {
    error.to_string().into()
}
