//! Endpoints from the command line: added, tested, their log, and what is refused.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use tenantatlas_store::testing::found_in;

use super::sandbox::{Cloud, Sandbox};

/// An endpoint that takes everything.
fn receiver() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.expect("a connection"));
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            let _ = reader.get_mut().write_all(answer);
        }
    });
    address
}

#[test]
fn an_endpoint_is_added_tested_and_removed_and_its_log_tells_of_it() {
    let cloud = Cloud::start(&["--objects", "20"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let address = sandbox.file("address.txt", &format!("http://{}/hook?sig=PLANTEDRIGHT", receiver()));
    let address = address.display().to_string();
    let add = ["webhook", "add", "--tenant", "Contoso", "--name", "Hooks", "--address-file", &address, "--json"];
    let added = sandbox.run(&add);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let secret = added.json()["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let again = sandbox.run(&add);
    assert_eq!(again.code, 64);
    assert!(again.stderr.contains("choose another name"), "{}", again.stderr);

    let listed = sandbox.run(&["webhook", "list", "--tenant", "Contoso", "--json"]).json();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["kind"], &listed[0]["enabled"]),
        (&json!("Hooks"), &json!("webhook"), &json!(true))
    );
    assert!(listed[0]["address_shown"].as_str().is_some_and(|host| host.starts_with("127.0.0.1:")), "{listed}");

    let mut test = sandbox.command(&["webhook", "test", "--tenant", "Contoso", "hooks", "--json"]);
    let output = test.env("TENANTATLAS_LOG", "trace").output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let tested: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&tested["status"], &tested["http_status"]), (&json!("delivered"), &json!(204)));

    let of = ["--tenant", "Contoso"];
    let log = sandbox.run(&[&["webhook", "deliveries", "Hooks", "--json"][..], &of].concat()).json();
    let delivery = log[0]["id"].as_str().expect("an id");
    assert_eq!((&log[0]["event"], log[0]["attempts"].as_array().map(Vec::len)), (&json!("endpoint.test"), Some(1)));
    let replayed = sandbox.run(&[&["webhook", "replay", delivery, "--json"][..], &of].concat());
    assert_eq!((replayed.code, &replayed.json()["status"]), (0, &json!("waiting")));
    let twice = sandbox.run(&[&["webhook", "replay", delivery][..], &of].concat());
    assert_eq!(twice.code, 64);
    let rotated = sandbox.run(&[&["webhook", "rotate", "Hooks", "--json"][..], &of].concat()).json();
    assert_ne!(rotated["secret"].as_str(), Some(secret.as_str()));
    assert_eq!(sandbox.run(&[&["webhook", "disable", "Hooks"][..], &of].concat()).code, 0);
    assert_eq!(sandbox.run(&[&["webhook", "remove", "Hooks"][..], &of].concat()).code, 0);
    assert_eq!(sandbox.run(&["webhook", "list", "--tenant", "Contoso", "--json"]).json(), json!([]));

    let mut haystacks =
        vec![output.stdout, output.stderr, listed.to_string().into_bytes(), log.to_string().into_bytes()];
    for entry in std::fs::read_dir(sandbox.path().join("data")).expect("the data folder") {
        haystacks.push(std::fs::read(entry.expect("an entry").path()).expect("readable"));
    }
    for haystack in &haystacks {
        assert_eq!(found_in(haystack, &["PLANTEDRIGHT", &secret["whsec_".len()..]]), None);
    }
}

#[test]
fn what_cannot_be_an_endpoint_is_refused_in_one_sentence() {
    let cloud = Cloud::start(&["--objects", "20"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let add = ["webhook", "add", "--tenant", "Contoso", "--name", "x"];
    for (given, wanted) in [
        (&["--address", "https://10.0.0.1/"][..], "not public"),
        (&["--address", "https://2852039166/latest"], "not public"),
        (&["--address", "https://intranet/"], "not public"),
        (&["--address", "http://hooks.example.com/"], "https://"),
        (&["--address", "nonsense"], "https://"),
        (&["--address", "https://hooks.example.com/", "--kind", "pager"], "expected webhook"),
        (&["--address", "https://hooks.example.com/", "--events", "run.begun"], "expected run.ended"),
        (&["--address", "https://hooks.example.com/", "--operations", "a.b"], "inventory.sync"),
        (&["--address", "https://hooks.example.com/", "--states", "running"], "expected succeeded"),
    ] {
        let refused = sandbox.run(&[&add[..], given].concat());
        assert_eq!(refused.code, 64, "{given:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(wanted) && refused.stderr.trim().lines().count() == 1, "{}", refused.stderr);
    }
    let unknown = sandbox.run(&["webhook", "test", "--tenant", "Contoso", "nowhere"]);
    assert_eq!(unknown.code, 64);
    assert!(unknown.stderr.contains("webhook list"), "{}", unknown.stderr);
}
