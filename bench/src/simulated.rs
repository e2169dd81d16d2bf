//! A simulated cloud within this process, whose tenants an engine knows.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use secrecy::SecretString;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::{Actor, Engine};
use tenantatlas_graph_sim::{SimTenant, Simulator, SimulatorConfig};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};

/// Starts a cloud with so many tenants of so many objects, whose every answer takes so long, and adds them to the engine, in
/// their order.
pub async fn cloud(
    engine: &Engine,
    tenants: u64,
    objects: u64,
    latency: Duration,
) -> Result<(Simulator, Vec<TenantId>)> {
    let tenants = (0..tenants).map(|index| SimTenant::new(&format!("T{index}"), index + 1, objects)).collect();
    let config = SimulatorConfig { tenants, latency, ..SimulatorConfig::default() };
    let cloud = Simulator::start(config, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let mut ids = Vec::new();
    for tenant in &cloud.control().config().tenants {
        let details = TenantDetails {
            name: tenant.name.clone(),
            entra_tenant_id: tenant.tenant_id.clone(),
            cloud: Cloud::Custom,
            login_url: Some(cloud.login_url()),
            graph_url: Some(cloud.graph_url()),
            environment: Environment::Other,
            client_id: tenant.client_id.clone(),
        };
        let credential = TenantCredential::ClientSecret(SecretString::from(tenant.client_secret.clone()));
        ids.push(engine.add_tenant(&Actor::command_line(), &details, &credential).await?);
    }
    Ok((cloud, ids))
}
