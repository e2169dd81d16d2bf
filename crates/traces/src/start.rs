//! Traces of one process, from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tenantatlas_domain::traces::TARGET;
use tenantatlas_net::{Authorities, Connector, ConnectorOptions, Networks, Proxies};
use tokio::runtime::Handle;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};
use uuid::Uuid;

use crate::client::{Client, TIMEOUT};
use crate::export::{Export, REQUEST, RUN};
use crate::queue::{Account, QUEUE, Queue};
use crate::settings::Settings;

/// How long the collector may take at the end of the process.
const LAST_SPANS: Duration = Duration::from_secs(3);
/// To open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The name of the service, where `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say none.
const SERVICE: &str = "tenantatlas";

/// What makes spans of this program into spans for the collector.
pub type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Spans that are sent to a collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    account: Arc<Account>,
}

impl Traces {
    /// Begins to send. The layer belongs into the one subscriber of the process. Nothing is asked of the collector yet:
    /// whether it is there shows with the first spans.
    ///
    /// # Errors
    /// What the exporter cannot do that the environment asks of it, such as a compression that it does not know.
    pub fn start(
        settings: Settings,
        proxies: Proxies,
        authorities: Authorities,
        runtime: Handle,
    ) -> Result<(Self, TraceLayer), String> {
        let connector = Connector::new(ConnectorOptions {
            user_agent: concat!("TenantAtlas/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            read_timeout: TIMEOUT,
            networks: Networks::default(),
            proxies,
            authorities,
        });
        let client = Client::new(connector, settings.endpoint, settings.headers, runtime);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            // The client knows the address; it is told to nobody else, not even to the exporter and its errors.
            .with_endpoint("http://collector.invalid/v1/traces")
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| error.to_string())?;
        let account = Arc::new(Account::default());
        let batches = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
        let inner = BatchSpanProcessor::builder(Export { inner: exporter, account: Arc::clone(&account) })
            .with_batch_config(batches)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_sampler(settings.sampler)
            .with_resource(resource())
            .with_span_processor(Queue { inner, account: Arc::clone(&account) })
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(is_meant).with_max_level_hint(LevelFilter::INFO));
        Ok((Self { provider, account }, Box::new(layer)))
    }

    /// Sends what still waits, for at most three seconds. Blocks: not to be called on a thread of the runtime, which must
    /// still be there.
    pub fn stop(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_SPANS) {
            tracing::warn!(%error, spans = self.account.waiting(), "the last traces were not sent");
        }
    }
}

/// Whether it is meant for a collector: spans alone, since events say in words what happened. Those of requests and runs are
/// those of the log, which whatever is started below them carries on.
fn is_meant(metadata: &Metadata<'_>) -> bool {
    let shared = || [REQUEST, RUN].contains(&metadata.name()) && metadata.target().starts_with(SERVICE);
    metadata.is_span() && (metadata.target() == TARGET || shared())
}

/// What is said of this process. The environment has the last word.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name(SERVICE)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", Uuid::new_v4().to_string()))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty()) {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}
