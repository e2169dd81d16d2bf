-- A scope is one tenant and one selection hash: presence is only ever told relative to a scope (product rules, section
-- Missing). Its integer id keeps the hot rows of inventory_sightings narrow.
CREATE TABLE inventory_scopes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    selection_hash TEXT NOT NULL,
    selection_payload JSONB NOT NULL,
    latest_run_id UUID,
    latest_run_seq BIGINT,
    latest_finished_at BIGINT,
    UNIQUE (tenant_id, selection_hash)
);

-- One execution of an inventory sync. seq counts up within the tenant. floor_seq is the lowest seq among the runs of the
-- tenant that were under way when this one began: whatever a run below it wrote was there before.
CREATE TABLE inventory_sync_runs (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    floor_seq BIGINT NOT NULL,
    scope_id BIGINT NOT NULL REFERENCES inventory_scopes (id) ON DELETE CASCADE,
    operation_run_id UUID NOT NULL,
    user_id UUID,
    selection_hash TEXT NOT NULL,
    selection_payload JSONB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'success', 'partial', 'failed', 'skipped')),
    had_errors BOOLEAN NOT NULL DEFAULT FALSE,
    error_codes JSONB NOT NULL,
    error_context JSONB NOT NULL,
    correlation_id UUID NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    items_observed_count BIGINT NOT NULL DEFAULT 0,
    items_upserted_count BIGINT NOT NULL DEFAULT 0,
    errors_count BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, seq),
    CHECK ((status = 'running') = (finished_at IS NULL))
);
-- The lock of (tenant, selection): at most one run of a scope is under way.
CREATE UNIQUE INDEX inventory_sync_runs_one_running ON inventory_sync_runs (scope_id) WHERE status = 'running';
CREATE INDEX inventory_sync_runs_by_scope ON inventory_sync_runs (scope_id, seq);
CREATE INDEX inventory_sync_runs_by_operation ON inventory_sync_runs (operation_run_id);

-- How each policy type went. outcome is empty while it is being read. items counts each object once, however often a
-- page repeats it or an attempt starts over.
CREATE TABLE inventory_sync_run_types (
    run_id UUID NOT NULL REFERENCES inventory_sync_runs (id) ON DELETE CASCADE,
    policy_type TEXT NOT NULL,
    tenant_id UUID NOT NULL,
    scope_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    previous_seq BIGINT,
    outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'skipped')),
    items BIGINT NOT NULL DEFAULT 0,
    inserted BIGINT NOT NULL DEFAULT 0,
    changed BIGINT NOT NULL DEFAULT 0,
    pages BIGINT NOT NULL DEFAULT 0,
    requests BIGINT NOT NULL DEFAULT 0,
    retries BIGINT NOT NULL DEFAULT 0,
    throttled BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    reason_code TEXT,
    message TEXT,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (run_id, policy_type),
    CHECK ((outcome IS NULL) = (finished_at IS NULL))
);
CREATE INDEX inventory_sync_run_types_by_scope ON inventory_sync_run_types (scope_id, policy_type, seq);
