//! A key and its certificate, made here, so that no private key ever passes through a shell or a clipboard. It waits, sealed, for
//! the tenant that the person adds with it.

use std::num::TryFromIntError;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rsa::PrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tenantatlas_commands::{Actor, AuditEntry, Command, Right};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::pending_certificates::{self, PendingCertificate};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::sign_in::after;

/// How long a certificate waits for its tenant.
const WAITS: Duration = Duration::from_secs(24 * 3_600);
/// The length of a key. Microsoft asks for 2048 bits at least.
const BITS: usize = 3_072;
/// What the certificate is called at Microsoft.
const NAME: &str = "TenantAtlas";

/// Finding primes keeps a core busy: one at a time, whoever asks.
static MAKING: Semaphore = Semaphore::const_new(1);

/// A certificate and its private key, both PEM. It has no `Debug`.
pub struct MadeCertificate {
    /// The public certificate.
    pub certificate_pem: String,
    /// Its private key, PKCS#8.
    pub private_key_pem: SecretString,
}

impl Engine {
    /// Makes a certificate for a tenant that the person will add: see [`Engine::add_tenant_by_made_certificate`]. Answers its id.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], also for who is no person, since nobody else could use it up.
    pub async fn make_certificate(&self, actor: &Actor) -> Result<Uuid, EngineError> {
        let core = &self.core;
        let user = actor.user_id.ok_or(EngineError::Forbidden)?;
        let id = Uuid::now_v7();
        let entry = AuditEntry::new(AuditAction::CertificateMade, "certificate", id);
        // A key keeps a core busy for a moment: only for who may have one.
        core.commands.before(actor, &entry, core.commands.authorise_platform(actor)).await?;
        let made = made(core.commands.clock.now()).await?;
        core.execute(Command::new(actor, Right::Platform, entry.with(json!({ "bits": BITS }))), async |tx, _| {
            let at = core.commands.clock.now();
            let certificate = made.certificate_pem.clone();
            let new = PendingCertificate { id, certificate, created_at: at, expires_at: after(at, WAITS) };
            pending_certificates::create(tx, &core.commands.vault, user, &new, &made.private_key_pem).await?;
            Ok(id)
        })
        .await
    }

    /// The certificates of a person that wait for their tenant, the newest first. Their private keys are not read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn made_certificates(&self, user: UserId) -> Result<Vec<PendingCertificate>, EngineError> {
        Ok(pending_certificates::list(self.reader(), user, self.now()).await?)
    }
}

/// Makes a key and signs its certificate with it, off the threads that wait.
///
/// # Errors
/// When the system gives no randomness.
pub async fn made(at: Timestamp) -> Result<MadeCertificate, EngineError> {
    let fault = |what: &dyn std::fmt::Display| EngineError::Internal(format!("no certificate could be made: {what}"));
    let _turn = MAKING.acquire().await.map_err(|error| fault(&error))?;
    let made = tokio::task::spawn_blocking(move || make(at).map_err(|error| fault(&error)));
    made.await.map_err(|error| fault(&error))?
}

fn make(at: Timestamp) -> Result<MadeCertificate, Box<dyn std::error::Error>> {
    let key = PrivateKey::new(&mut rand::rngs::SysRng, BITS)?;
    let pem = key.to_pkcs8_pem(LineEnding::LF)?;
    let private_key_pem = SecretString::from(pem.as_str());
    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(private_key_pem.expose_secret(), &rcgen::PKCS_RSA_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    // From yesterday on, since clocks differ, for a year.
    let today = jiff::Timestamp::from_millisecond(at.as_millis())?.to_zoned(TimeZone::UTC).date();
    let (first, last) = (today.checked_sub(1.day())?, today.checked_add(1.year())?);
    let midnight =
        |day: Date| Ok::<_, TryFromIntError>((day.year().into(), day.month().try_into()?, day.day().try_into()?));
    let ((from_year, from_month, from_day), (year, month, day)) = (midnight(first)?, midnight(last)?);
    params.not_before = rcgen::date_time_ymd(from_year, from_month, from_day);
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let certificate = params.self_signed(&pair)?;
    Ok(MadeCertificate { certificate_pem: certificate.pem().replace('\r', ""), private_key_pem })
}
