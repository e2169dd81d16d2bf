-- Persisted results of analysis; the first kind is drift between two sync runs (product rules, section Drift findings).
CREATE TABLE findings (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    finding_type TEXT NOT NULL,
    scope_key TEXT NOT NULL,
    baseline_run_id UUID,
    current_run_id UUID NOT NULL,
    fingerprint BYTEA NOT NULL,
    subject_type TEXT NOT NULL,
    subject_external_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'acknowledged')),
    acknowledged_by UUID,
    acknowledged_at BIGINT,
    acknowledged_reason TEXT,
    evidence JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    resolved_at BIGINT,
    UNIQUE (tenant_id, fingerprint)
);
CREATE INDEX findings_by_scope ON findings (tenant_id, scope_key, status, id);
