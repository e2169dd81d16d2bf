-- Where news of a tenant are sent besides its pages. Address and secrets are sealed by the vault for this tenant and endpoint;
-- address_shown is the host, or how many mail addresses there are. former_secret_sealed signs as well until former_until.
-- wanted is tenantatlas_domain::endpoint::Wanted. failing_since is the first failure since the last delivery; until hold_until
-- nothing is sent.
CREATE TABLE webhook_endpoints (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    wanted JSONB NOT NULL,
    digest BOOLEAN NOT NULL DEFAULT FALSE,
    address_sealed BYTEA NOT NULL,
    address_shown TEXT NOT NULL,
    secret_sealed BYTEA,
    former_secret_sealed BYTEA,
    former_until BIGINT,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    off_reason TEXT,
    failing_since BIGINT,
    hold_until BIGINT,
    delivered_at BIGINT,
    created_by_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (tenant_id, name_key)
);

-- Messages to endpoints, written in the transaction of what they tell of. id is the webhook-id of every attempt. payload is the
-- text of a JSON object, without secrets and bodies. attempt counts all attempts and is the fence of whoever holds the lease;
-- tries counts those since the message was sent last by a person, and says when it is tried again.
CREATE TABLE webhook_deliveries (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    endpoint_id UUID NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    run_id UUID,
    payload TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempt BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    http_status BIGINT,
    reason TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (status = 'waiting' OR lease_owner IS NULL)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at, id) WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (tenant_id, endpoint_id, created_at, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);

-- How each attempt ended.
CREATE TABLE webhook_attempts (
    delivery_id UUID NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    http_status BIGINT,
    reason TEXT,
    PRIMARY KEY (delivery_id, attempt)
);
