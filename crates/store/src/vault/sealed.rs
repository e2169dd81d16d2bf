//! What is sealed with the root key, and where it stands. Nothing can be sealed for a place that is not in [`ALL`], and so
//! nothing that a rotation of the key would leave behind.

use tenantatlas_domain::ids::{TenantId, UserId};
use uuid::Uuid;

use crate::sql::Value;

/// A secret as the database holds it: version, key id, nonce, ciphertext. Safe to store, useless without the key file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent, no_pg_array)]
pub struct SealedSecret(pub(crate) Vec<u8>);

/// Whose a sealed value is: it opens for nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Tenant,
    Person,
}

/// A column that holds sealed values.
#[derive(Debug)]
pub(crate) struct Place {
    /// What is counted together, as it is told.
    pub kind: &'static str,
    pub table: &'static str,
    pub column: &'static str,
    /// The primary key, one column.
    pub key: &'static str,
    /// Whether that is a UUID; otherwise it is bytes.
    pub key_is_id: bool,
    pub owner: Owner,
    /// The column with the id of the owner.
    pub owner_column: &'static str,
    /// The purpose for which values are sealed.
    purpose: &'static str,
    /// Whether the id of the row is a part of the purpose.
    per_row: bool,
}

impl Place {
    /// What a value of a row is bound to.
    pub(super) fn context(&self, owner: Uuid, row: Option<Uuid>) -> Vec<u8> {
        let prefix: &[u8] = match self.owner {
            Owner::Tenant => b"tenantatlas/1\0",
            Owner::Person => b"tenantatlas/1/person\0",
        };
        let mut context = [prefix, owner.as_bytes().as_slice(), self.purpose.as_bytes()].concat();
        if let Some(row) = row.filter(|_| self.per_row) {
            context.extend_from_slice(format!("/{row}").as_bytes());
        }
        context
    }
}

/// Whose a value is, with the id of its row where the place asks for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(super) owner: Uuid,
    pub(super) row: Option<Uuid>,
}

impl At {
    /// In the row `row` of an owner.
    pub(crate) const fn row(owner: Uuid, row: Uuid) -> Self {
        Self { owner, row: Some(row) }
    }

    pub(crate) const fn owner(owner: Uuid) -> Self {
        Self { owner, row: None }
    }
}

impl From<TenantId> for At {
    fn from(tenant: TenantId) -> Self {
        Self::owner(tenant.as_uuid())
    }
}

impl From<UserId> for At {
    fn from(person: UserId) -> Self {
        Self::owner(person.as_uuid())
    }
}

/// The primary key of a row that holds something sealed.
pub(crate) trait RowKey: Send + Clone {
    fn value(&self) -> Value<'static>;
    fn bytes(&self) -> Vec<u8>;
    /// What a value of this row is bound to.
    fn at(&self, owner: Uuid) -> At;
}

impl RowKey for Uuid {
    fn value(&self) -> Value<'static> {
        Value::from(*self)
    }

    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn at(&self, owner: Uuid) -> At {
        At::row(owner, *self)
    }
}

impl RowKey for Vec<u8> {
    fn value(&self) -> Value<'static> {
        Value::from(self.clone())
    }

    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }

    fn at(&self, owner: Uuid) -> At {
        At::owner(owner)
    }
}

macro_rules! places {
    ($($name:ident: $kind:literal, $table:literal . $column:literal by $key:literal ($key_is_id:literal),
        $owner:ident $owner_column:literal, $purpose:literal $(per row $per_row:literal)?;)+) => {
        $(pub(crate) const $name: Place = Place {
            kind: $kind, table: $table, column: $column, key: $key, key_is_id: $key_is_id, owner: Owner::$owner,
            owner_column: $owner_column, purpose: $purpose, per_row: false $(|| $per_row)?,
        };)+

        /// Every place, in the order in which they are sealed anew: where one column moves into another, that comes later.
        pub(crate) const ALL: &[&Place] = &[$(&$name),+];
    };
}

places! {
    CREDENTIAL: "tenant_credentials", "tenants"."credential_sealed" by "id" (true),
        Tenant "id", "tenants.credential";
    PENDING_CERTIFICATE: "pending_certificates", "pending_certificates"."private_key_sealed" by "id" (true),
        Person "user_id", "pending_certificates.private_key" per row true;
    POLICY_KEY: "tenant_keys", "policy_keys"."sealed" by "tenant_id" (true),
        Tenant "tenant_id", "policy_keys.sealed";
    SET_UP_SECRET: "second_factors", "pending_sign_ins"."set_up_secret" by "token_hash" (false),
        Person "user_id", "pending_sign_ins.set_up_secret";
    SET_UP_CODES: "second_factors", "pending_sign_ins"."set_up_codes" by "token_hash" (false),
        Person "user_id", "pending_sign_ins.set_up_codes";
    SECOND_FACTOR: "second_factors", "second_factors"."secret" by "user_id" (true),
        Person "user_id", "second_factors.secret";
    RECOVERY_CODES: "second_factors", "second_factors"."new_recovery_codes" by "user_id" (true),
        Person "user_id", "second_factors.new_recovery_codes";
    ENDPOINT_ADDRESS: "endpoint_addresses", "webhook_endpoints"."address_sealed" by "id" (true),
        Tenant "tenant_id", "webhook_endpoints.address" per row true;
    ENDPOINT_SECRET: "endpoint_secrets", "webhook_endpoints"."secret_sealed" by "id" (true),
        Tenant "tenant_id", "webhook_endpoints.secret" per row true;
    FORMER_ENDPOINT_SECRET: "endpoint_secrets", "webhook_endpoints"."former_secret_sealed" by "id" (true),
        Tenant "tenant_id", "webhook_endpoints.secret" per row true;
}
