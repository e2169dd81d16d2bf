//! Mail to endpoints, against a small SMTP server.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use secrecy::SecretString;
use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, EventKind, Wanted};
use tenantatlas_engine::{Actor, EndpointDetails, EngineConfig, EngineError, MailConfig, MailTls};
use tenantatlas_net::Authorities;
use tenantatlas_store::testing::on_both_engines;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::endpoints::post::Post;
use crate::support::soon;

/// A mail server on this machine. What it is told, line by line, with `TLS` where the line was protected.
struct MailServer {
    address: SocketAddr,
    authority: String,
    told: watch::Receiver<Vec<String>>,
}

impl MailServer {
    /// One that offers TLS, or not.
    async fn start(offers_tls: bool) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = watch::channel(Vec::new());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.write_all(b"220 sink ESMTP\r\n").await;
                let greeting = if offers_tls { "250-sink\r\n250 STARTTLS\r\n" } else { "250 sink\r\n" };
                if talk(&mut stream, greeting, "", &tell).await
                    && let Ok(mut protected) = acceptor.accept(stream).await
                {
                    talk(&mut protected, "250-sink\r\n250 AUTH PLAIN\r\n", "TLS ", &tell).await;
                }
            }
        });
        Self { address, authority: certificate.pem(), told }
    }

    fn config(&self) -> MailConfig {
        MailConfig {
            host: "localhost".to_owned(),
            port: self.address.port(),
            tls: MailTls::StartTls,
            login: Some(("atlas".to_owned(), SecretString::from("hunter2"))),
            from: MailConfig::sender("TenantAtlas <atlas@example.com>").unwrap(),
        }
    }

    fn settings(&self) -> impl Fn(EngineConfig) -> EngineConfig {
        let (mail, authorities) = (self.config(), Authorities::from_pem(self.authority.as_bytes()).unwrap());
        move |mut config| {
            config.outgoing.mail = Some(mail.clone());
            config.outgoing.authorities = authorities.clone();
            config
        }
    }

    /// The lines of whole mails, once there are so many.
    async fn mails(&self, count: usize) -> Vec<Vec<String>> {
        let whole = |lines: &[String]| lines.iter().filter(|line| line.as_str() == "TLS .").count();
        let mut told = self.told.clone();
        let lines = soon(told.wait_for(|lines| whole(lines) >= count)).await.unwrap().clone();
        let mut mails: Vec<Vec<String>> = lines.split(|line| line == "TLS .").map(<[String]>::to_vec).collect();
        mails.truncate(count);
        mails
    }
}

/// Answers one side of a conversation; whether it is to go on with TLS.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    greeting: &str,
    how: &str,
    tell: &watch::Sender<Vec<String>>,
) -> bool {
    let mut reader = BufReader::new(stream);
    let (mut line, mut data) = (String::new(), false);
    loop {
        line.clear();
        if reader.read_line(&mut line).await.unwrap_or_default() == 0 {
            return false;
        }
        let text = line.trim_end().to_owned();
        tell.send_modify(|lines| lines.push(format!("{how}{text}")));
        let answer = match text.split([' ', ':']).next().unwrap_or_default() {
            _ if data && text != "." => continue,
            "EHLO" => greeting,
            "STARTTLS" => "220 go on\r\n",
            "AUTH" => "235 welcome\r\n",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 fine\r\n",
        };
        data = text == "DATA";
        if reader.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return false;
        }
        if text == "STARTTLS" {
            return true;
        }
    }
}

fn details(digest: bool) -> EndpointDetails {
    EndpointDetails {
        kind: EndpointKind::Mail,
        name: format!("Mail, digest {digest}"),
        address: "ada@example.com, bea@example.org".to_owned(),
        wanted: Wanted { events: vec![EventKind::RunEnded], ..Wanted::default() },
        digest,
    }
}

on_both_engines! {
    async fn a_mail_is_sent_over_tls_alone_to_everybody_and_names_its_delivery(test: TestDatabase) {
        let server = MailServer::start(true).await;
        let post = Post::with(test, server.settings()).await;
        let added = post.desk.add_endpoint(&Actor::command_line(), post.tenant, &details(false)).await.unwrap();
        assert!(added.secret.is_none());
        let written = post.end_a_run(added.id).await;
        let engine = post.sending_with(server.settings());
        let mail = server.mails(1).await.remove(0);
        let clear: Vec<&String> = mail.iter().filter(|line| !line.starts_with("TLS ")).collect();
        assert!(clear.iter().all(|line| line.starts_with("EHLO") || line.as_str() == "STARTTLS"), "{clear:?}");
        for wanted in [
            "TLS MAIL FROM:<atlas@example.com>",
            "TLS RCPT TO:<ada@example.com>",
            "TLS RCPT TO:<bea@example.org>",
            "TLS Subject: Contoso: ",
            "TLS Tenant: Contoso",
            &format!("TLS Message-ID: <{}@example.com>", written.id),
            &format!("TLS https://atlas.example.com/t/{}/runs/", post.tenant),
        ] {
            assert!(mail.iter().any(|line| line.starts_with(wanted)), "{wanted}: {mail:#?}");
        }
        post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        engine.shutdown().await;
    }

    async fn nothing_is_said_to_a_mail_server_without_tls(test: TestDatabase) {
        let server = MailServer::start(false).await;
        let post = Post::with(test, server.settings()).await;
        let added = post.desk.add_endpoint(&Actor::command_line(), post.tenant, &details(false)).await.unwrap();
        let id = post.desk.test_endpoint(&Actor::command_line(), post.tenant, added.id).await.unwrap();
        let engine = post.sending_with(server.settings());
        let failed = post.until(id, |one| one.status == DeliveryStatus::Failed).await;
        assert!(failed.reason.is_some_and(|reason| reason.starts_with("The ")));
        let told = server.told.borrow().clone();
        assert!(told.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS" || line == "QUIT"), "{told:?}");
        engine.shutdown().await;
    }

    async fn a_digest_is_one_mail_a_day(test: TestDatabase) {
        let server = MailServer::start(true).await;
        let post = Post::with(test, server.settings()).await;
        let added = post.desk.add_endpoint(&Actor::command_line(), post.tenant, &details(true)).await.unwrap();
        let (first, second) = (post.end_a_run(added.id).await, post.end_a_run(added.id).await);
        assert_eq!(first.next_at.to_rfc3339(), "2026-11-27T06:00:00.000Z");
        post.clock.forward(18 * 3_600);
        let engine = post.sending_with(server.settings());
        for id in [first.id, second.id] {
            post.until(id, |one| one.status == DeliveryStatus::Delivered).await;
        }
        let mail = server.mails(1).await.remove(0);
        assert!(mail.iter().any(|line| line == "TLS Subject: Contoso: 2 messages"), "{mail:#?}");
        let told = server.told.borrow().iter().filter(|line| line.as_str() == "TLS DATA").count();
        assert_eq!(told, 1);
        engine.shutdown().await;
    }

    async fn without_a_mail_server_no_endpoint_is_one_of_mail(test: TestDatabase) {
        let post = Post::new(test).await;
        let refused = post.desk.add_endpoint(&Actor::command_line(), post.tenant, &details(false)).await;
        assert!(matches!(refused, Err(EngineError::Invalid { field: "kind", .. })), "{refused:?}");
        let webhook = EndpointDetails {
            kind: EndpointKind::Webhook, address: "https://hooks.example.com/".to_owned(), ..details(true)
        };
        let refused = post.desk.add_endpoint(&Actor::command_line(), post.tenant, &webhook).await;
        assert!(matches!(refused, Err(EngineError::Invalid { field: "digest", .. })), "{refused:?}");
    }
}
