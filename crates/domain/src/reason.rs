//! Reason codes: stable names for why something did not succeed, each with a
//! sentence that says what to do next (`docs/rules.md`, section Reason codes).

use serde::{Deserialize, Serialize};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $sentence:literal;)+) => {
        /// Why something failed or was skipped. Codes are stable: they may be
        /// added to, never renamed, because they are stored and scripts test them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ReasonCode {
            $($(#[$doc])* $variant,)+
        }

        impl ReasonCode {
            /// Every code, in the order of `docs/rules.md`, section Reason codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code, as stored and as shown in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// One sentence for a person: what it means and what to do next.
            /// Where a name matters (a permission, a type) the caller adds it.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

reason_codes! {
    /// The token endpoint refused the app's credential.
    AuthFailed = "auth_failed",
        "Microsoft refused the sign-in of the app: check the client id and enter a new secret or certificate for this tenant.";
    /// A token was given, but it carries no application permission at all.
    ConsentMissing = "consent_missing",
        "The app has no admin consent in this tenant: let an administrator of the tenant open the consent link, then check the connection again.";
    /// One application permission is missing.
    PermissionMissing = "permission_missing",
        "The app lacks a permission in this tenant: add the named application permission to the app, grant admin consent, then run the sync again.";
    /// The tenant has no licence for the feature.
    LicenseMissing = "license_missing",
        "This tenant has no license for this feature, so there is nothing to read: leave the type out, or sync again once it is licensed.";
    /// Throttled beyond the retry budget.
    GraphThrottled = "graph_throttled",
        "Microsoft Graph limited our requests for too long: wait until it allows more, a few minutes where it does not say, and retry what failed.";
    /// Server faults or network faults beyond the retry budget.
    GraphUnavailable = "graph_unavailable",
        "Microsoft Graph could not be reached or answered with faults: check the network and the service health page, then retry what failed.";
    /// No answer in time.
    GraphTimeout = "graph_timeout",
        "Microsoft Graph did not answer in time: retry what failed, and choose fewer types at once if it happens again.";
    /// The endpoint does not exist in the tenant's cloud.
    NotFoundInCloud = "not_found_in_cloud",
        "This type does not exist in the cloud of this tenant: leave it out of the selection.";
    /// Graph refused the request as wrong (400).
    ContractInvalid = "contract_invalid",
        "Microsoft Graph rejected our request for this type, or answered it in a way that it never should: retry once, then report it with the request id, and leave the type out until it is fixed.";
    /// The answer could not be understood.
    ParseFailed = "parse_failed",
        "The answer of Microsoft Graph could not be understood: retry what failed, and report it with the request id if it happens again.";
    /// More pages than allowed.
    PageLimit = "page_limit",
        "This type has more pages than are read of one list: report it, since no tenant is known to have so many; what came is kept, and nothing is said of the rest.";
    /// A next link that was already followed.
    NextlinkLoop = "nextlink_loop",
        "Microsoft Graph linked its pages in a circle: retry what failed, and report it with the request id if it happens again.";
    /// A next link to a host that is not the Graph host of the tenant's cloud.
    NextlinkForeignHost = "nextlink_foreign_host",
        "The next page pointed to a host that is not this tenant's Microsoft Graph, so it was refused and no token was sent: check the cloud chosen for the tenant and any proxy in between.";
    /// The same selection is being synced by another run.
    LockHeld = "lock_held",
        "The same selection of this tenant is being synced already: watch that run, or start this one again when it has ended.";
    /// Too many syncs at once.
    ConcurrencyLimit = "concurrency_limit",
        "Too many runs of this kind were under way at once: start this one again when another has ended.";
    /// The connection of the tenant was changed while a run used it.
    ConnectionChanged = "connection_changed",
        "The connection of this tenant was changed while it was in use: start this one again.";
    /// Stopped by a person.
    Cancelled = "cancelled",
        "This run was cancelled: start it again when you want it.";
    /// The worker died, repeatedly.
    WorkerLost = "worker_lost",
        "The process that did this work stopped before it was done: check that the server has enough memory and disk, then retry the run.";
    /// The run could not be queued.
    DispatchFailed = "dispatch_failed",
        "The run could not be queued: check the database and the server log, then start it again.";
    /// The database refused or failed.
    StorageFailed = "storage_failed",
        "The result could not be written to the database: check free disk space and the database, then retry what failed.";
    /// Something of an object was not read.
    BodyIncomplete = "body_incomplete",
        "Not all of this object could be read: retry the capture, and check the permissions of the app if it happens again.";
    /// A secret that Graph does not tell.
    SecretNeeded = "secret_needed",
        "Microsoft does not tell this secret: enter it again where it is needed, since nobody can read it back.";
    /// A defect of ours.
    Internal = "internal",
        "Something went wrong inside TenantAtlas: retry, and report it with the correlation id if it happens again.";
}

impl ReasonCode {
    /// What it is called where there is no room for a sentence, as in "4 skipped: license missing".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AuthFailed => "sign-in refused",
            Self::ConsentMissing => "admin consent missing",
            Self::PermissionMissing => "permission missing",
            Self::LicenseMissing => "license missing",
            Self::GraphThrottled => "throttled by Microsoft Graph",
            Self::GraphUnavailable => "Microsoft Graph not reachable",
            Self::GraphTimeout => "no answer in time",
            Self::NotFoundInCloud => "not in this cloud",
            Self::ContractInvalid => "request rejected by Microsoft Graph",
            Self::ParseFailed => "answer not understood",
            Self::PageLimit => "too many pages",
            Self::NextlinkLoop => "pages that lead nowhere",
            Self::NextlinkForeignHost => "next page on a foreign host",
            Self::LockHeld => "read by another run already",
            Self::ConcurrencyLimit => "too many runs at once",
            Self::ConnectionChanged => "connection changed meanwhile",
            Self::Cancelled => "cancelled",
            Self::WorkerLost => "worker lost",
            Self::DispatchFailed => "not queued",
            Self::StorageFailed => "not written to the database",
            Self::BodyIncomplete => "object not read whole",
            Self::SecretNeeded => "secret not told by Microsoft",
            Self::Internal => "fault of TenantAtlas",
        }
    }
}

crate::names::named!(ReasonCode, UnknownReasonCode, "reason code");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_rules() {
        let codes: Vec<_> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(
            codes.join(" "),
            "auth_failed consent_missing permission_missing license_missing graph_throttled \
             graph_unavailable graph_timeout not_found_in_cloud contract_invalid parse_failed \
             page_limit nextlink_loop nextlink_foreign_host lock_held concurrency_limit \
             connection_changed cancelled worker_lost dispatch_failed storage_failed \
             body_incomplete secret_needed internal"
        );
    }

    #[test]
    fn every_code_reads_back_and_serialises_as_itself() {
        for code in ReasonCode::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        }
        assert!("Internal".parse::<ReasonCode>().is_err());
    }

    #[test]
    fn every_sentence_is_one_sentence_that_tells_what_to_do_next() {
        let verbs =
            ["check", "enter", "let", "add", "leave", "sync", "wait", "retry", "report", "raise", "watch", "start"];
        for code in ReasonCode::ALL {
            let sentence = code.sentence();
            assert!(sentence.ends_with('.') && sentence.len() < 240, "{code}");
            assert!(!sentence.contains(". "), "{code} says more than one sentence");
            let advice = sentence.split_once(": ").map(|(_, advice)| advice);
            let first = advice.and_then(|advice| advice.split([' ', ',']).next());
            assert!(first.is_some_and(|word| verbs.contains(&word)), "{code}: {first:?}");
        }
    }
}
