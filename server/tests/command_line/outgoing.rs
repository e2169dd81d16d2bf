//! Outgoing connections in the network of a company: a proxy that asks for a password, and an authority of its own that
//! inspects TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use super::sandbox::{Cloud, Ended, Sandbox};

const PASSWORD: &str = "proxy-hunter2";
/// Base64 of `atlas:proxy-hunter2` (RFC 7617).
const CREDENTIALS: &str = "YXRsYXM6cHJveHktaHVudGVyMg==";

/// A proxy that leads every host to the same address, as one that inspects TLS does.
struct Proxy {
    address: SocketAddr,
    /// What it was asked to connect to.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("it listens");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, upstream) = (Arc::clone(&asked), upstream.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, upstream) = (Arc::clone(&kept), upstream.clone());
                // A client that goes away is no matter.
                thread::spawn(move || lead(stream, &upstream, &kept));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().expect("not poisoned").clone();
        asked.sort();
        asked.dedup();
        asked
    }

    fn url(&self, password: &str) -> String {
        format!("http://atlas:{password}@{}", self.address)
    }
}

fn lead(mut client: TcpStream, upstream: &str, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    asked.lock().expect("not poisoned").push(format!("{method} {target}"));
    let proven = head.lines().any(|line| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == format!("Basic {CREDENTIALS}")
    });
    if method != "CONNECT" || !proven {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    let mut server = TcpStream::connect(upstream)?;
    client.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let upwards = thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    let downwards = io::copy(&mut server, &mut client);
    // Whoever ends a direction ends the connection.
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = server.shutdown(std::net::Shutdown::Both);
    let _ = upwards.join();
    downwards.map(|_| ())
}

/// A simulated cloud over TLS, a proxy before it, and a sandbox with a tenant of Microsoft's global cloud.
struct Company {
    cloud: Cloud,
    proxy: Proxy,
    sandbox: Sandbox,
    authority: PathBuf,
}

impl Company {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let authority = sandbox.path().join("authority.pem");
        let file = authority.display().to_string();
        let cloud = Cloud::start(&["--objects", "200", "--tls", "--authority-file", &file]);
        let proxy = Proxy::start(cloud.fact("/proxy_url").trim_start_matches("http://"));
        let company = Self { cloud, proxy, sandbox, authority };
        let secret = company.sandbox.file("secret.txt", company.cloud.fact("/tenants/0/client_secret"));
        let added = company.sandbox.run(&[
            "tenant",
            "add",
            "--name",
            "Contoso",
            "--entra-id",
            company.cloud.fact("/tenants/0/tenant_id"),
            "--client-id",
            company.cloud.fact("/tenants/0/client_id"),
            "--client-secret-file",
            &secret.display().to_string(),
            "--cloud",
            "global",
        ]);
        assert_eq!(added.code, 0, "{}", added.stderr);
        company
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = self.sandbox.command(arguments);
        command.envs(environment.iter().copied()).output().expect("the binary starts").into()
    }
}

#[test]
fn a_tenant_of_microsofts_cloud_is_read_by_way_of_a_proxy_that_inspects_tls_and_no_log_tells_its_password() {
    let company = Company::new();
    let authority = company.authority.display().to_string();
    let url = company.proxy.url(PASSWORD);
    // The small letters, and everything that can be logged.
    let environment = [("https_proxy", url.as_str()), ("TENANTATLAS_CA_FILE", authority.as_str())];
    let sync = company.run(&["sync", "--tenant", "Contoso", "--json", "--log", "trace"], &environment);
    assert_eq!(sync.code, 0, "{}", sync.stderr);
    assert_eq!(sync.json()["status"], "success");
    assert_eq!(
        company.proxy.asked(),
        ["CONNECT graph.microsoft.com:443", "CONNECT login.microsoftonline.com:443"],
        "nothing else was asked"
    );
    for text in [&sync.stdout, &sync.stderr] {
        assert!(!text.contains(PASSWORD) && !text.contains(CREDENTIALS), "the password is told");
    }
    assert!(sync.stderr.contains("TRACE"), "the log was written");
}

#[test]
fn a_proxy_that_refuses_is_told_from_a_cloud_that_is_not_there_and_its_password_is_not_repeated() {
    let company = Company::new();
    let authority = company.authority.display().to_string();
    let url = company.proxy.url("wrong-hunter3");
    let environment = [("HTTPS_PROXY", url.as_str()), ("TENANTATLAS_CA_FILE", authority.as_str())];
    let check = company.run(&["tenant", "check", "Contoso"], &environment);
    assert_eq!(check.code, 69, "{}{}", check.stdout, check.stderr);
    let told = format!("{}{}", check.stdout, check.stderr);
    assert!(told.contains("the proxy that HTTPS_PROXY names opened no connection"), "{told}");
    assert!(!told.contains("hunter3"), "{told}");

    let wrong = [("HTTPS_PROXY", "socks5://atlas:wrong-hunter3@127.0.0.1:1")];
    let check = company.run(&["tenant", "check", "Contoso"], &wrong);
    assert_eq!(check.code, 78, "{}", check.stderr);
    assert!(check.stderr.contains("HTTPS_PROXY") && !check.stderr.contains("hunter3"), "{}", check.stderr);
}

#[test]
fn an_authority_that_was_not_named_is_not_trusted() {
    let company = Company::new();
    let url = company.proxy.url(PASSWORD);
    let check = company.run(&["tenant", "check", "Contoso"], &[("HTTPS_PROXY", &url)]);
    assert_eq!(check.code, 69, "{}{}", check.stdout, check.stderr);
    let authority = company.authority.display().to_string();
    let environment = [("HTTPS_PROXY", url.as_str()), ("NO_PROXY", ""), ("TENANTATLAS_CA_FILE", &authority)];
    let check = company.run(&["tenant", "check", "Contoso", "--json"], &environment);
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
}

#[test]
fn an_address_within_that_a_person_entered_is_not_handed_to_the_proxy() {
    let company = Company::new();
    let url = company.proxy.url(PASSWORD);
    let secret = company.sandbox.file("other.txt", "secret");
    for (name, address) in [("Metadata", "https://169.254.169.254/x"), ("Inner", "https://vault.internal/x")] {
        let environment = [("HTTPS_PROXY", url.as_str())];
        let arguments = [
            "tenant",
            "add",
            "--name",
            name,
            "--entra-id",
            if name == "Inner" {
                "11111111-1111-4111-8111-111111111111"
            } else {
                "22222222-2222-4222-8222-222222222222"
            },
            "--client-id",
            "33333333-3333-4333-8333-333333333333",
            "--client-secret-file",
            &secret.display().to_string(),
            "--cloud",
            "custom",
            "--login-url",
            address,
            "--graph-url",
            address,
        ];
        let added = company.run(&arguments, &environment);
        assert_eq!(added.code, 0, "{}", added.stderr);
        let check = company.run(&["tenant", "check", name], &environment);
        assert_eq!(check.code, 69, "{}{}", check.stdout, check.stderr);
    }
    assert_eq!(company.proxy.asked(), Vec::<String>::new());
}

#[test]
fn a_file_that_holds_no_authorities_is_named_with_what_was_expected() {
    let sandbox = Sandbox::new();
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    let empty = sandbox.file("empty.pem", "");
    let key = sandbox.file("key.pem", key);
    let half = sandbox.file("half.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
    let missing = sandbox.path().join("missing.pem");
    for (file, wanted) in [
        (&empty, "holds no certificate"),
        (&key, "holds a private key"),
        (&half, "cannot be read (number 1 in the file)"),
        (&missing, "cannot be read"),
    ] {
        let ended = sandbox.run(&["tenant", "list", "--ca-file", &file.display().to_string()]);
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(wanted), "{}", ended.stderr);
        assert!(ended.stderr.contains(&file.display().to_string()), "{}", ended.stderr);
        assert!(!ended.stderr.contains("MC4CAQ"), "no part of a key is told: {}", ended.stderr);
    }
}
