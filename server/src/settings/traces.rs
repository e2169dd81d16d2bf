//! Where traces are sent.

use secrecy::SecretString;
use tenantatlas_traces::{Given, Settings};

use crate::exit::{Exit, ExitCode};

/// Options for traces, under the names of OpenTelemetry. Without an endpoint none are sent.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct TraceOptions {
    /// The collector that takes traces of serve and worker over OTLP, as http/protobuf, such as http://127.0.0.1:4318; /v1/traces is
    /// put behind it [default: none, and no traces]
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", help_heading = "Settings")]
    pub otlp_endpoint: Option<String>,
    /// The same with its whole path; it comes before the other
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Settings"
    )]
    pub otlp_traces_endpoint: Option<String>,
    /// What the collector wants as headers: name=value, with commas between them, blanks and commas in values as %20 and %2C. Better
    /// by the environment, since other people of the machine see command lines
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        hide_env_values = true,
        value_name = "HEADERS",
        help_heading = "Settings"
    )]
    pub otlp_headers: Option<SecretString>,
}

impl TraceOptions {
    /// These, and where they say nothing those.
    pub(super) fn or(self, file: Self) -> Self {
        Self {
            otlp_endpoint: self.otlp_endpoint.or(file.otlp_endpoint),
            otlp_traces_endpoint: self.otlp_traces_endpoint.or(file.otlp_traces_endpoint),
            otlp_headers: self.otlp_headers.or(file.otlp_headers),
        }
    }

    /// What they mean, with the variables of OpenTelemetry that have no option; nothing without an endpoint.
    ///
    /// # Errors
    /// One sentence that names the setting, and says what was expected.
    pub(crate) fn read(self) -> Result<Option<Settings>, Exit> {
        let given = Given {
            endpoint: self.otlp_endpoint,
            traces_endpoint: self.otlp_traces_endpoint,
            headers: self.otlp_headers,
        };
        Settings::read(&given, |name| std::env::var(name).ok())
            .map_err(|error| Exit::new(ExitCode::Configuration, error.to_string()))
    }
}
