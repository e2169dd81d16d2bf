-- Tokens of the REST API: of a person, or of a tenant. Of the secret only its hash is kept. Of a person's token `all_tenants` says
-- whether it reaches every tenant of theirs, or only those of `api_token_tenants`.
CREATE TABLE api_tokens (
    id BLOB NOT NULL PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('readonly', 'operator', 'manager', 'owner')),
    user_id BLOB REFERENCES users (id) ON DELETE CASCADE,
    tenant_id BLOB REFERENCES tenants (id) ON DELETE CASCADE,
    all_tenants BOOLEAN NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT,
    revoked_by TEXT,
    CHECK ((user_id IS NULL) <> (tenant_id IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE INDEX api_tokens_by_person ON api_tokens (user_id, created_at);
CREATE INDEX api_tokens_by_tenant ON api_tokens (tenant_id, created_at);
CREATE TABLE api_token_tenants (
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    PRIMARY KEY (token_id, tenant_id)
) WITHOUT ROWID;
CREATE INDEX api_token_tenants_by_tenant ON api_token_tenants (tenant_id);

-- What was answered to a request that named an Idempotency-Key; without a status while it is being worked on.
CREATE TABLE api_answers (
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    key_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    status BIGINT,
    body TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (token_id, key_hash)
) WITHOUT ROWID;
CREATE INDEX api_answers_by_age ON api_answers (created_at);

-- The token with which a run was started; such a run has no person.
ALTER TABLE bulk_operation_runs ADD COLUMN token_id BLOB;
CREATE INDEX bulk_operation_runs_by_token
    ON bulk_operation_runs (tenant_id, created_at, id, status, resource, action, reasons)
    WHERE token_id IS NOT NULL;
