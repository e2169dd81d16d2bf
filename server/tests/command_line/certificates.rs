//! `tenantatlas tenant certificate`.

use std::fs;

use super::sandbox::Sandbox;

#[test]
fn a_certificate_for_the_command_line_overwrites_nothing_and_its_key_is_for_one_person_alone() {
    let sandbox = Sandbox::new();
    let file = |name: &str| sandbox.path().join(name).display().to_string();
    let (public, private) = (file("public.pem"), file("private.pem"));
    let make = ["tenant", "certificate", "--certificate-file", &public, "--private-key-file", &private, "--json"];
    let made = sandbox.run(&make);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(!format!("{}{}", made.stdout, made.stderr).contains("BEGIN"), "{}", made.stdout);
    let key = fs::read_to_string(&private).expect("a key");
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
    let certificate = fs::read_to_string(&public).expect("a certificate");
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----") && !certificate.contains("PRIVATE"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&private).expect("a file").permissions().mode() & 0o777, 0o600);
    }
    assert_ne!(sandbox.run(&make).code, 0);
    assert_eq!(fs::read_to_string(&private).expect("a key"), key, "it is still there");
    let id = "11111111-2222-3333-4444-555555555555";
    let added = sandbox.run(&[
        "tenant",
        "add",
        "--name",
        "Contoso",
        "--entra-id",
        id,
        "--client-id",
        id,
        "--certificate-file",
        &public,
        "--private-key-file",
        &private,
    ]);
    assert_eq!(added.code, 0, "{}", added.stderr);
}
