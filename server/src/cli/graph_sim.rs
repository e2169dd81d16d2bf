//! `tenantatlas graph-sim`

use super::{arguments::GraphSimArguments, output::Output};
use crate::exit::{Exit, ExitCode};
use serde_json::json;
use std::{io, time::Duration};
use tenantatlas_app::format::counted;
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig, Throttle};

/// Starts the simulated cloud with one tenant and serves until it is stopped.
///
/// # Errors
/// When the address cannot be listened on (exit code 69).
pub async fn run(arguments: &GraphSimArguments, output: Output) -> Result<(), Exit> {
    let tenant = SimTenant::new("Simulated", arguments.seed, arguments.objects);
    let config = SimulatorConfig {
        tenants: vec![tenant.clone()],
        latency: Duration::from_millis(arguments.latency),
        throttle: arguments.throttle.then_some(Throttle::DOCUMENTED),
        ..SimulatorConfig::default()
    };
    let cloud =
        Simulator::start(config, arguments.address).await.map_err(|error| cannot_listen(&arguments.address, &error))?;
    if output.json {
        // One line, so that a program can read it and go on while the cloud runs.
        let facts = json!({
            "login_url": cloud.login_url(), "graph_url": cloud.graph_url(),
            "tenants": [{"name": tenant.name, "tenant_id": tenant.tenant_id, "client_id": tenant.client_id, "client_secret": tenant.client_secret}],
        });
        output.document_line(&facts)?;
    } else {
        let text = format!(
            "A simulated Microsoft cloud with {} answers until Ctrl-C.\n\n  export TENANTATLAS_ALLOWED_NETWORKS={}\n  printf '%s\\n' '{}' > secret.txt\n  \
             tenantatlas tenant add --name Simulated --entra-id {} --client-id {} --client-secret-file secret.txt \\\n    \
             --cloud custom --login-url {} --graph-url {}\n  tenantatlas sync --tenant Simulated",
            counted(arguments.objects, "object", "objects"),
            cloud.address().ip(),
            tenant.client_secret,
            tenant.tenant_id,
            tenant.client_id,
            cloud.login_url(),
            cloud.graph_url()
        );
        for line in text.lines() {
            output.line(line)?;
        }
    }
    crate::web::shutdown::signal().await;
    cloud.stop();
    Ok(())
}

/// An address that cannot be listened on, with what to do.
pub fn cannot_listen(address: &impl std::fmt::Display, error: &io::Error) -> Exit {
    Exit::new(
        ExitCode::Unavailable,
        format!("cannot listen on {address}: {error}; choose another port or stop what uses it"),
    )
}
