//! What a tenant, its credential and its connection can be, by name.

use tenantatlas_domain::named;

named! {
    /// The Microsoft cloud a tenant lives in.
    pub enum Cloud: UnknownCloud, "cloud" {
        /// Worldwide and GCC.
        Global = "global",
        /// US Government L4 (GCC High).
        UsgovL4 = "usgov_l4",
        /// US Government L5 (DoD).
        UsgovDod = "usgov_dod",
        /// China, operated by 21Vianet.
        China = "china",
        /// Own login and Graph addresses, such as the simulated cloud.
        Custom = "custom",
    }
}

named! {
    /// A badge for people.
    pub enum Environment: UnknownEnvironment, "kind of environment" {
        /// Production.
        Prod = "prod",
        /// Development.
        Dev = "dev",
        /// Staging.
        Staging = "staging",
        /// Anything else.
        Other = "other",
    }
}

named! {
    /// What kind of credential a tenant has.
    pub enum CredentialKind: UnknownCredentialKind, "kind of credential" {
        /// A client secret.
        ClientSecret = "client_secret",
        /// A certificate with its private key, both PEM.
        Certificate = "certificate",
    }
}

named! {
    /// How the last check of the connection went.
    pub enum ConnectionStatus: UnknownConnectionStatus, "connection status" {
        /// Not checked since it was last changed.
        Unchecked = "unchecked",
        /// A token is given and every permission is there.
        Ok = "ok",
        /// A token is given, but permissions are missing.
        Degraded = "degraded",
        /// No token.
        Failed = "failed",
    }
}

named! {
    /// Whether a tenant has Intune, as the last check found it.
    pub enum Licence: UnknownLicence, "state of a licence" {
        /// Intune answers.
        Present = "present",
        /// Graph says that the tenant has no Intune licence.
        Missing = "missing",
        /// It could not be told, for instance because the permission is missing.
        Unknown = "unknown",
    }
}
