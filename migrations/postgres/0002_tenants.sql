-- One row per Microsoft Entra tenant and its connection (product rules, section Records).
-- The credential is sealed by the vault; this table never holds it in plain.
-- last_run_seq numbers the sync runs of the tenant, so that "before" and "after" need no clock.
CREATE TABLE tenants (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    entra_tenant_id TEXT NOT NULL,
    cloud TEXT NOT NULL CHECK (cloud IN ('global', 'usgov_l4', 'usgov_dod', 'china', 'custom')),
    login_url TEXT,
    graph_url TEXT,
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'dev', 'staging', 'other')),
    client_id TEXT NOT NULL,
    credential_kind TEXT CHECK (credential_kind IN ('client_secret', 'certificate')),
    credential_sealed BYTEA,
    credential_updated_at BIGINT,
    connection_status TEXT NOT NULL DEFAULT 'unchecked' CHECK (connection_status IN ('unchecked', 'ok', 'degraded', 'failed')),
    connection_reason TEXT,
    connection_message TEXT,
    connection_checked_at BIGINT,
    last_run_seq BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((credential_kind IS NULL) = (credential_sealed IS NULL)),
    CHECK ((cloud = 'custom') = (login_url IS NOT NULL AND graph_url IS NOT NULL))
);
CREATE INDEX tenants_by_entra_tenant ON tenants (entra_tenant_id);

-- The application permissions of the tenant as last checked, and the policy types that need each.
CREATE TABLE tenant_permissions (
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    required_by JSONB NOT NULL,
    granted BOOLEAN NOT NULL,
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, permission)
);
