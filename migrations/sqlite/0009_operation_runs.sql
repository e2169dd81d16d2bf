-- The operation run: what a person watches and what a worker works on. There is no other queue.
-- lease_until is in database time, since it is compared across machines. Each claim raises attempt, and every write of
-- the worker names owner and attempt, so that one which lost its lease can write nothing more.
CREATE TABLE bulk_operation_runs (
    id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id BLOB,
    initiator TEXT NOT NULL,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    correlation_id BLOB NOT NULL,
    payload TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'completed_with_errors', 'failed', 'aborted')),
    total_items BIGINT NOT NULL,
    processed_items BIGINT NOT NULL DEFAULT 0,
    succeeded BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    item_ids TEXT NOT NULL,
    failures TEXT NOT NULL,
    failures_omitted BIGINT NOT NULL DEFAULT 0,
    reason_code TEXT,
    progress TEXT NOT NULL,
    audit_log_id BLOB,
    retry_of BLOB,
    cancel_requested_at BIGINT,
    cancel_requested_by TEXT,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempt BIGINT NOT NULL DEFAULT 0,
    lost_leases BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    CHECK (processed_items = succeeded + failed + skipped),
    CHECK (processed_items <= total_items),
    CHECK (succeeded >= 0 AND failed >= 0 AND skipped >= 0),
    CHECK ((status IN ('pending', 'running')) = (finished_at IS NULL))
);
-- Only one active run per (tenant, key): kept by the database, not by a check before the insert.
CREATE UNIQUE INDEX bulk_operation_runs_one_active ON bulk_operation_runs (tenant_id, idempotency_key)
    WHERE status IN ('pending', 'running');
CREATE INDEX bulk_operation_runs_active ON bulk_operation_runs (created_at, id) WHERE status IN ('pending', 'running');
CREATE INDEX bulk_operation_runs_by_tenant ON bulk_operation_runs (tenant_id, created_at, id);
CREATE INDEX bulk_operation_runs_by_age ON bulk_operation_runs (created_at, id);
