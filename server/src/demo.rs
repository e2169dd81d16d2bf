//! `serve --demo`: a simulated cloud in the same process, three tenants in it, and one person per role.

mod story;

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;

use futures::StreamExt as _;
use futures::stream::SelectAll;
use secrecy::{ExposeSecret as _, SecretString};
use tenantatlas_app::session::cookies;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_engine::{Actor, Engine};
use tenantatlas_graph_sim::{SimTenant, Simulator, demo};
use tenantatlas_store::tenants::{self, Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::{scopes, users};
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArguments;
use crate::cli::progress::Progress;
use crate::exit::{Exit, ExitCode};
use crate::say::say;
use crate::settings::Settings;
use story::Story;

/// The password of the demo's people where the demo listens on this machine alone.
const PASSWORD: &str = "demo-password";
/// Characters of a password that is made: 96 random bits as hexadecimal digits.
const MADE_LENGTH: usize = 24;

/// The demo's people; each is a member of every demo tenant with this role. The last also administers the platform.
const PEOPLE: [(&str, &str, Role, bool); 5] = [
    ("owner@demo.example", "Olivia Owner", Role::Owner, false),
    ("manager@demo.example", "Marek Manager", Role::Manager, false),
    ("operator@demo.example", "Ona Operator", Role::Operator, false),
    ("readonly@demo.example", "Remy Reader", Role::Readonly, false),
    ("admin@demo.example", "Ada Admin", Role::Owner, true),
];

/// The running demo.
pub struct Demo {
    /// The simulated cloud, which stops when this is dropped.
    cloud: Simulator,
    tenants: Vec<(TenantId, String)>,
    password: String,
    /// Whether it was made for this start.
    made: bool,
    /// What happens in one of the tenants; `None` where nothing is to happen.
    story: Option<Story>,
}

/// The password of the demo's people: the one that was asked for, or, where the demo listens on this machine alone and for
/// no proxy, the one that it is known for. Everywhere else it is a new one, since one of the people administers the platform
/// (CWE-1392). A proxy on this machine that adds nothing to a request cannot be told from a browser: `docs/operations.md`
/// says that it must not stand before a demo.
fn password(asked_for: Option<&SecretString>, listens_here_alone: bool) -> String {
    if let Some(password) = asked_for {
        return password.expose_secret().to_owned();
    }
    if listens_here_alone {
        return PASSWORD.to_owned();
    }
    let (mut made, _) = cookies::new_token();
    made.truncate(MADE_LENGTH);
    made
}

impl Demo {
    /// Starts the simulated cloud and makes what is missing of tenants and people. Safe to run again on the same data, and
    /// by several processes at once: one prepares after the other. People who are there get the password of this start, so
    /// that none that everybody knows is left from another one.
    ///
    /// # Errors
    /// When the cloud cannot listen or the database refuses.
    pub async fn prepare(engine: &Engine, settings: &Settings, arguments: &ServeArguments) -> Result<Self, Exit> {
        let _turn = turn(settings.data_dir.join("preparing.lock")).await?;
        let cloud = Simulator::start(demo::config(arguments.demo_objects), SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .map_err(|error| Exit::new(ExitCode::Unavailable, format!("the simulated cloud cannot listen: {error}")))?;
        let actor = Actor::command_line();
        let mut tenants = Vec::new();
        let environments = [Environment::Prod, Environment::Staging, Environment::Dev];
        for (simulated, environment) in cloud.control().config().tenants.iter().zip(environments) {
            tenants
                .push((ensure_tenant(engine, &actor, &cloud, simulated, environment).await?, simulated.name.clone()));
        }
        let path = settings.data_dir.join("cloud.json");
        let moving = cloud.control().config().tenants.last().zip(tenants.last());
        let story = match moving.filter(|_| !arguments.demo_still) {
            Some((simulated, (tenant, _))) => Some(Story::open(engine, &cloud, path, simulated, *tenant).await?),
            None => None,
        };
        let asked_for = arguments.demo_password.as_ref();
        let here_alone = settings.listen.ip().is_loopback() && settings.trusted_proxies.is_empty();
        let password = password(asked_for, here_alone);
        for (email, name, role, platform_admin) in PEOPLE {
            let secret = || SecretString::from(password.as_str());
            let id = match users::find_by_email(engine.reader(), email).await? {
                Some(known) => {
                    let id = known.user.id;
                    if !engine.password_fits(id, secret()).await? {
                        engine.set_password(&actor, id, secret()).await?;
                    }
                    id
                }
                None => engine.create_user(&actor, email, name, platform_admin, secret()).await?,
            };
            for (tenant, _) in &tenants {
                engine.set_member(&actor, *tenant, id, role).await?;
            }
        }
        Ok(Self { cloud, tenants, password, made: asked_for.is_none() && !here_alone, story })
    }

    /// Says where it is and how to sign in; reads the tenants that were never read, with live progress.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn show(
        &self,
        engine: &Engine,
        settings: &Settings,
        address: SocketAddr,
        stopping: &CancellationToken,
    ) -> Result<(), Exit> {
        say(&format!("\nTenantAtlas with a simulated Microsoft cloud: http://{address}\n"));
        if self.made {
            say(
                "  Others can reach it, so its password is a new one at each start and is shown only here; TENANTATLAS_DEMO_PASSWORD sets one.",
            );
        }
        say(&format!("  Sign in with the password {} as one of", self.password));
        for (email, _, role, platform_admin) in PEOPLE {
            let also = if platform_admin { ", and administers the platform" } else { "" };
            say(&format!("    {email:24} {}{also}", role.as_str()));
        }
        say(&format!(
            "\n  The simulated cloud: {} (a page with its faults; controls lie below /_sim/)",
            self.cloud.control().origin
        ));
        let mut states = SelectAll::new();
        for (tenant, name) in &self.tenants {
            if scopes::list(engine.reader(), *tenant).await?.iter().any(|scope| scope.latest.is_some()) {
                continue;
            }
            let outcome = engine.dispatch_sync(&Actor::command_line(), *tenant, &Selection::full(registry())).await?;
            states.push(engine.runs().follow(*tenant, outcome.run_id).map(move |state| (name.clone(), state)).boxed());
        }
        if !states.is_empty() {
            say("\n  Reading the tenants for the first time:\n");
            let mut progress = Progress::new(false);
            loop {
                let next = tokio::select! {
                    () = stopping.cancelled() => break,
                    next = states.next() => next,
                };
                let Some((name, state)) = next else { break };
                progress.show(&name, &state?);
            }
            progress.finish();
        }
        if let Some(story) = &self.story {
            story.tell(engine, &self.cloud, stopping).await?;
        }
        say(&format!(
            "\n  Query what was read:  tenantatlas items --tenant {} --data-dir {}\n  Stop with Ctrl-C.\n",
            self.tenants.first().map_or("Contoso", |(_, name)| name.as_str()),
            settings.data_dir.display()
        ));
        Ok(())
    }
}

/// Waits until no other process prepares the demo in this folder. The turn ends when the file is dropped.
async fn turn(path: PathBuf) -> Result<File, Exit> {
    let cannot = |error: &dyn std::fmt::Display| {
        Exit::new(ExitCode::CannotWrite, format!("cannot write into the data folder of the demo: {error}"))
    };
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        Ok::<File, std::io::Error>(file)
    });
    locked.await.map_err(|error| cannot(&error))?.map_err(|error| cannot(&error))
}

async fn ensure_tenant(
    engine: &Engine,
    actor: &Actor,
    cloud: &Simulator,
    simulated: &SimTenant,
    environment: Environment,
) -> Result<TenantId, Exit> {
    let details = TenantDetails {
        name: simulated.name.clone(),
        entra_tenant_id: simulated.tenant_id.clone(),
        cloud: Cloud::Custom,
        login_url: Some(cloud.login_url()),
        graph_url: Some(cloud.graph_url()),
        environment,
        client_id: simulated.client_id.clone(),
    };
    let credential = TenantCredential::ClientSecret(SecretString::from(simulated.client_secret.clone()));
    if let Some(known) = tenants::find(engine.reader(), &simulated.tenant_id).await?.first() {
        // The cloud listens on another port at each start.
        if engine.update_tenant(actor, known.id, &details).await? {
            engine.rotate_credential(actor, known.id, &credential).await?;
        }
        return Ok(known.id);
    }
    Ok(engine.add_tenant(actor, &details, &credential).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_others_can_reach_the_demo_there_is_no_password_that_everybody_knows() {
        let (one, other) = (password(None, false), password(None, false));
        assert!(one.len() == MADE_LENGTH && one != other, "{one} {other}");
        assert!(one != PASSWORD && other != PASSWORD);
        for here_alone in [true, false] {
            assert_eq!(password(Some(&SecretString::from("asked-for-this-one")), here_alone), "asked-for-this-one");
        }
    }
}
