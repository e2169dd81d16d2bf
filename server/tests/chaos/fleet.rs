//! The processes of a round.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::program;

/// The lease of every process, in seconds: the shortest that can be set.
pub const LEASE: Duration = Duration::from_secs(2);
/// How long a process may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Works.
    Worker,
    /// Works and serves pages.
    Serve,
}

struct Member {
    role: Role,
    process: Child,
    /// Until when it is paused.
    paused: Option<Instant>,
}

/// The processes; killed when dropped.
pub struct Fleet {
    folder: PathBuf,
    address: Box<dyn Fn(&str) -> String + Send + Sync>,
    members: Vec<Member>,
    started: u32,
}

impl Fleet {
    /// Starts them. `address` is that of the database for a process that is called so.
    pub fn start(folder: PathBuf, roles: &[Role], address: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let mut fleet = Self { folder, address: Box::new(address), members: Vec::new(), started: 0 };
        for role in roles {
            let process = fleet.spawn(*role);
            fleet.members.push(Member { role: *role, process, paused: None });
        }
        fleet
    }

    fn spawn(&mut self, role: Role) -> Child {
        self.started += 1;
        let name = format!("p{}", self.started);
        let log = File::create(self.folder.join(format!("{name}.log"))).expect("a file for its log");
        let mut command = Command::new(program::path());
        match role {
            Role::Worker => command.arg("worker"),
            Role::Serve => command.args(["serve", "--listen", "127.0.0.1:0"]),
        };
        command
            .args(["--lease", &LEASE.as_secs().to_string(), "--workers", "4", "--log", "warn,sqlx=off"])
            .env_clear()
            .env("HOME", &self.folder)
            .env("TENANTATLAS_DATA_DIR", self.folder.join("data"))
            .env("TENANTATLAS_DATABASE_URL", (self.address)(&name))
            .env("TENANTATLAS_ALLOWED_NETWORKS", "127.0.0.1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Kills one; another takes its place.
    pub async fn kill(&mut self, index: usize) {
        let _ = self.members[index].process.kill().await;
        self.replace(index);
    }

    fn replace(&mut self, index: usize) {
        let role = self.members[index].role;
        let process = self.spawn(role);
        self.members[index] = Member { role, process, paused: None };
    }

    async fn signal(&self, index: usize, name: &str) {
        if let Some(id) = self.members[index].process.id() {
            let _ = Command::new("kill").args([name, &id.to_string()]).stderr(Stdio::null()).status().await;
        }
    }

    /// Stops one in order; another takes its place. Answers what was wrong with the end, if anything was.
    pub async fn stop(&mut self, index: usize) -> Option<String> {
        self.signal(index, "-CONT").await;
        self.signal(index, "-TERM").await;
        let wrong = match tokio::time::timeout(STOPS_WITHIN, self.members[index].process.wait()).await {
            Ok(_) => None,
            Err(_) => Some("a process that was told to stop did not".to_owned()),
        };
        self.replace(index);
        wrong
    }

    /// Lets one stand still for so long; false when it does already.
    pub async fn pause(&mut self, index: usize, length: Duration) -> bool {
        if self.members[index].paused.is_some() {
            return false;
        }
        self.signal(index, "-STOP").await;
        self.members[index].paused = Some(Instant::now() + length);
        true
    }

    /// Wakes those whose pause is over, or all.
    pub async fn wake(&mut self, all: bool) {
        for index in 0..self.members.len() {
            if self.members[index].paused.is_some_and(|until| all || until <= Instant::now()) {
                self.signal(index, "-CONT").await;
                self.members[index].paused = None;
            }
        }
    }

    /// Starts anew those that ended by themselves, as a service manager does. Answers how many.
    pub fn revive(&mut self) -> u64 {
        let mut ended = 0;
        for index in 0..self.members.len() {
            if matches!(self.members[index].process.try_wait(), Ok(Some(_))) {
                ended += 1;
                self.replace(index);
            }
        }
        ended
    }
}
