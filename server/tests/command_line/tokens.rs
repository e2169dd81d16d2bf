//! `tenantatlas token`: a token is printed once, and what is typed wrong is told.

use super::bad_input::assert_refused;
use super::sandbox::{Cloud, Sandbox};

#[test]
fn a_token_is_made_listed_without_its_secret_and_taken_back() {
    let cloud = Cloud::start(&["--objects", "50"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Contoso", &cloud).code, 0);
    let create = |extra: &[&str]| {
        let mut arguments = vec!["token", "create", "--name", "Nightly", "--tenant", "Contoso"];
        arguments.extend(extra);
        sandbox.run(&arguments)
    };
    assert_refused(&create(&["--role", "boss"]), 64, &["boss", "readonly, operator, manager or owner"]);
    assert_refused(&create(&["--role", "readonly", "--days", "0"]), 64, &["--days 0", "1 to 366"]);
    assert_refused(&create(&["--role", "readonly", "--days", "367"]), 64, &["1 to 366"]);
    assert_refused(
        &create(&["--role", "readonly", "--user", "nobody@example.com"]),
        64,
        &["nobody@example.com", "user list"],
    );
    assert_refused(&create(&["--role", "readonly", "--tenant", "Fabrikam"]), 64, &["Fabrikam"]);
    assert_refused(&sandbox.run(&["token", "revoke", "nonsense"]), 64, &["nonsense", "token list"]);

    let made = create(&["--role", "operator", "--days", "30", "--json"]).json();
    let secret = made["token"].as_str().expect("a token");
    assert!(secret.starts_with("tat_") && secret.len() == 53, "{secret}");
    let listed = sandbox.run(&["token", "list", "--json"]);
    assert!(!listed.stdout.contains(secret), "{}", listed.stdout);
    let listed = listed.json();
    let one = &listed[0];
    assert_eq!(
        (one["id"].as_str(), one["role"].as_str(), one["state"].as_str(), one["tenants"][0].as_str()),
        (made["id"].as_str(), Some("operator"), Some("active"), Some("Contoso")),
        "{listed}"
    );
    let id = made["id"].as_str().expect("an id");
    assert_eq!(sandbox.run(&["token", "revoke", id]).code, 0);
    let again = sandbox.run(&["token", "revoke", id]);
    assert_ne!(again.code, 0);
    assert!(again.stderr.contains("revoked already"), "{}", again.stderr);
    let listed = sandbox.run(&["token", "list", "--tenant", "Contoso", "--json"]).json();
    assert_eq!(listed[0]["state"], "revoked");
}
