//! A tenant of a simulated cloud, people who may see it, and the real server that shows it to them.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tenantatlas_domain::ids::{TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::sessions::{NewSession, TokenHash};
use tenantatlas_store::users::NewUser;
use tenantatlas_store::{Db, members, sessions, tenants, users};
use uuid::Uuid;

use crate::process::{self, Cloud, binary, memory_kb};
use crate::whole;

/// How long the sessions last, milliseconds.
const DAY: i64 = 86_400_000;

/// A tenant, and who may see it.
pub struct Site {
    /// The simulated cloud the tenant is in.
    pub cloud: Cloud,
    /// The tenant.
    pub tenant: TenantId,
    /// The value of the `Cookie` header of each person. The first is an operator, the others only read.
    pub cookies: Vec<String>,
    database: String,
    folder: TempDir,
}

impl Site {
    /// Makes an empty database with a tenant of a fresh cloud, and so many people.
    pub async fn make(cloud: &[&str], postgres: Option<&str>, people: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cloud = Cloud::start(cloud)?;
        let database = whole::database(folder.path(), postgres).await?;
        process::add_tenant(folder.path(), &database, &cloud)?;
        let db = Db::connect(&database).await?;
        let tenant = tenants::find(&db, "Bench").await?.pop().context("the tenant was added")?.id;
        let mut cookies = Vec::with_capacity(people);
        for index in 0..people {
            cookies.push(sign_in(&db, tenant, index).await?);
        }
        db.close().await;
        Ok(Self { cloud, tenant, cookies, database, folder })
    }

    /// Reads the tenant.
    pub fn sync(&self) -> Result<()> {
        process::run(self.folder.path(), &self.database, &["sync", "--tenant", "Bench"]).map(drop)
    }

    /// The database.
    pub async fn db(&self) -> Result<Db> {
        Ok(Db::connect(&self.database).await?)
    }

    /// Starts the server.
    pub fn serve(&self) -> Result<Server> {
        Server::start(self.folder.path(), &self.database)
    }

    /// The address of its database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The folder for whatever a measurement writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes a person with a session, and answers with the header that is the session.
async fn sign_in(db: &Db, tenant: TenantId, index: usize) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = i64::try_from(now)?;
    let (at, end) = (Timestamp::from_millis(now), Timestamp::from_millis(now + DAY));
    let user = NewUser {
        id: UserId::from_uuid(Uuid::new_v4()),
        email: format!("person{index}@example.com"),
        name: format!("Person {index}"),
        platform_admin: false,
    };
    let role = if index == 0 { Role::Operator } else { Role::Readonly };
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let hash: TokenHash = Sha256::digest(token.as_bytes()).into();
    let session = NewSession {
        id: Uuid::new_v4(),
        user_id: user.id,
        idle_expires_at: end,
        expires_at: end,
        user_agent: "benchmark".to_owned(),
        address: "127.0.0.1".to_owned(),
    };
    let mut tx = db.write().await?;
    users::create(&mut tx, &user, at).await?;
    members::set(&mut tx, tenant, user.id, role, at).await?;
    sessions::create(&mut tx, &hash, &session, at).await?;
    tx.commit().await?;
    Ok(format!("tenantatlas_session={token}"))
}

/// The web server as a process of its own.
pub struct Server {
    process: Child,
    /// Kept so that what it says has somewhere to go.
    _said: BufReader<ChildStdout>,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Server {
    /// Starts it on a data folder and a database.
    pub fn start(folder: &Path, database: &str) -> Result<Self> {
        let mut process = Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .env("TENANTATLAS_DATABASE_URL", database)
            .env("TENANTATLAS_ALLOWED_NETWORKS", "127.0.0.1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("the binary is not built: run make build")?;
        let mut said = BufReader::new(process.stdout.take().context("piped")?);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if said.read_line(&mut line)? == 0 {
                let _ = process.kill();
                anyhow::bail!("the server ended: {}", process.wait()?);
            }
            let after = line.split_once("http://").and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(address) = after.and_then(|text| text.parse().ok()) {
                break address;
            }
        };
        Ok(Self { process, _said: said, address })
    }

    /// The most memory it ever had, in kilobytes.
    pub fn peak_kb(&self) -> u64 {
        memory_kb(self.process.id(), "VmHWM:")
    }

    /// The memory it has now, in kilobytes.
    pub fn memory_kb(&self) -> u64 {
        memory_kb(self.process.id(), "VmRSS:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
