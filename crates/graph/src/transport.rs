//! The way out: one [`Connector`] for sign-in and Graph of all clouds. Redirects are never followed: a token must not
//! travel to where an answer points.

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_net::{ConnectError, Connector, ConnectorOptions, Destination, Networks};
use url::Url;

use crate::endpoints::CloudEndpoints;
use crate::error::GraphError;
use crate::options::GraphClientOptions;

#[derive(Debug)]
pub(crate) struct Transport {
    connector: Connector,
}

impl Transport {
    pub(crate) fn new(options: &GraphClientOptions) -> Self {
        let connector = Connector::new(ConnectorOptions {
            user_agent: options.user_agent.clone(),
            connect_timeout: options.timeouts.connect,
            read_timeout: options.timeouts.idle,
            networks: Networks::new(&options.allowed_networks),
            proxies: options.proxies.clone(),
            authorities: options.authorities.clone(),
        });
        Self { connector }
    }

    /// The connections for a request to an address of a cloud: Microsoft's are constants, those of a custom cloud were
    /// entered by a person.
    pub(crate) async fn pool(&self, url: &Url, cloud: &CloudEndpoints) -> Result<&reqwest::Client, GraphError> {
        let destination = if cloud.is_custom() { Destination::Entered } else { Destination::Fixed };
        self.connector.client(url, destination).await.map_err(|error| match error {
            ConnectError::Refused(_) => GraphError::new(ReasonCode::GraphUnavailable, &error.to_string()),
            ConnectError::Unprepared(_) => GraphError::new(ReasonCode::Internal, &error.to_string()),
        })
    }
}
