//! `tenantatlas graph-sim`

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use serde_json::{Value, json};
use tenantatlas_app::format::counted;
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig, StartError, Throttle, large_group_id};

use super::arguments::GraphSimArguments;
use super::output::Output;
use crate::exit::{Exit, ExitCode};

/// Starts the simulated cloud with one tenant and serves until it is stopped.
///
/// # Errors
/// When the address cannot be listened on (exit code 69), or the certificate cannot be written (74).
pub async fn run(arguments: &GraphSimArguments, output: Output) -> Result<(), Exit> {
    let tenant = SimTenant {
        large_group: arguments.large_group,
        ..SimTenant::new("Simulated", arguments.seed, arguments.objects)
    };
    let cloud = start(arguments, &tenant).await?;
    let authority = match cloud.certificate_authority() {
        Some(certificate) => Some(write_authority(&arguments.authority_file, certificate)?),
        None => None,
    };
    if output.json {
        // One line, so that a program can read it and go on while the cloud runs.
        output.document_line(&facts(&cloud, &tenant, authority.as_deref()))?;
    } else {
        let text = instructions(&cloud, &tenant, authority.as_deref(), arguments.objects);
        for line in text.lines() {
            output.line(line)?;
        }
    }
    crate::web::shutdown::signal().await;
    cloud.stop();
    Ok(())
}

async fn start(arguments: &GraphSimArguments, tenant: &SimTenant) -> Result<Simulator, Exit> {
    let config = SimulatorConfig {
        tenants: vec![tenant.clone()],
        latency: Duration::from_millis(arguments.latency),
        throttle: arguments.throttle.then_some(Throttle::DOCUMENTED),
        open_control: arguments.open_control,
        ..SimulatorConfig::default()
    };
    let started = if arguments.tls {
        Simulator::start_tls(config, arguments.address).await
    } else {
        Simulator::start(config, arguments.address).await.map_err(StartError::from)
    };
    started.map_err(|error| match error {
        StartError::Listen(error) => cannot_listen(&arguments.address, &error),
        StartError::Authority(error) => {
            Exit::new(ExitCode::Unavailable, format!("the simulated cloud cannot speak TLS: {error}"))
        }
    })
}

/// Writes the certificate that clients are to trust; tells the whole path.
fn write_authority(path: &Path, certificate: &str) -> Result<String, Exit> {
    let written = fs::write(path, certificate).and_then(|()| fs::canonicalize(path));
    let written = written.map_err(|error| {
        Exit::new(
            ExitCode::CannotWrite,
            format!(
                "cannot write the certificate of the simulated cloud to {}: {error}; choose another place with --authority-file",
                path.display()
            ),
        )
    })?;
    Ok(written.display().to_string())
}

fn facts(cloud: &Simulator, tenant: &SimTenant, authority: Option<&str>) -> Value {
    let mut facts = json!({
        "login_url": cloud.login_url(), "graph_url": cloud.graph_url(),
        "tenants": [{"name": tenant.name, "tenant_id": tenant.tenant_id, "client_id": tenant.client_id, "client_secret": tenant.client_secret}],
    });
    if tenant.large_group > 0 {
        facts["tenants"][0]["large_group_id"] = json!(large_group_id(tenant));
    }
    if let Some(authority) = authority {
        facts["ca_file"] = json!(authority);
        facts["proxy_url"] = json!(format!("http://{}", cloud.address()));
    }
    facts
}

fn instructions(cloud: &Simulator, tenant: &SimTenant, authority: Option<&str>, objects: u64) -> String {
    let trust = authority.map_or_else(String::new, |file| format!("  export TENANTATLAS_CA_FILE={file}\n"));
    let mut text = format!(
        "A simulated Microsoft cloud with {} answers until Ctrl-C. What it holds, and faults: {}/\n\n  \
         export TENANTATLAS_ALLOWED_NETWORKS={}\n{trust}  printf '%s\\n' '{}' > secret.txt\n  \
         tenantatlas tenant add --name Simulated --entra-id {} --client-id {} --client-secret-file secret.txt \\\n    \
         --cloud custom --login-url {} --graph-url {}\n  tenantatlas sync --tenant Simulated",
        counted(objects, "object", "objects"),
        cloud.control().origin,
        cloud.address().ip(),
        tenant.client_secret,
        tenant.tenant_id,
        tenant.client_id,
        cloud.login_url(),
        cloud.graph_url()
    );
    if let Some(file) = authority {
        text.push_str(&format!(
            "\n\nFor other clients it is login.microsoftonline.com and graph.microsoft.com, with\n\n  \
             export HTTPS_PROXY=http://{} SSL_CERT_FILE={file} REQUESTS_CA_BUNDLE={file}",
            cloud.address()
        ));
    }
    text
}

/// An address that cannot be listened on, with what to do.
pub fn cannot_listen(address: &impl std::fmt::Display, error: &io::Error) -> Exit {
    Exit::new(
        ExitCode::Unavailable,
        format!("cannot listen on {address}: {error}; choose another port or stop what uses it"),
    )
}
