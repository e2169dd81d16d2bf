-- A run that was stopped before it came to its own end never tells what is present or missing in its scope: stopped is
-- the reason code of its operation run, empty for a run that came to its own end (docs/rules.md, section Missing).
-- continues is the run whose unread types a retry reads.
ALTER TABLE inventory_sync_runs ADD COLUMN stopped TEXT;
ALTER TABLE inventory_sync_runs ADD COLUMN continues UUID;
UPDATE inventory_sync_runs
SET stopped = (SELECT o.reason_code FROM bulk_operation_runs o WHERE o.id = inventory_sync_runs.operation_run_id)
WHERE status IN ('success', 'partial', 'failed');

-- The read that a row tells of. carried_from is the run that read the type where it was not this one; read_seq and
-- read_floor_seq are seq and floor_seq of the run that did. read_no counts the reads of a tenant in the order in which
-- they began.
ALTER TABLE inventory_sync_run_types ADD COLUMN carried_from UUID;
ALTER TABLE inventory_sync_run_types ADD COLUMN read_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inventory_sync_run_types ADD COLUMN read_floor_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inventory_sync_run_types ADD COLUMN read_no BIGINT NOT NULL DEFAULT 0;
UPDATE inventory_sync_run_types
SET read_seq = seq,
    read_floor_seq = (SELECT r.floor_seq FROM inventory_sync_runs r WHERE r.id = inventory_sync_run_types.run_id);
ALTER TABLE tenants ADD COLUMN last_read_no BIGINT NOT NULL DEFAULT 0;
-- The read of the scope that saw the item last: content is that of the read that began last, of whatever scope.
ALTER TABLE inventory_sightings ADD COLUMN read_no BIGINT NOT NULL DEFAULT 0;

-- The latest completed run of a scope, without those that were stopped, and how many types it tells of.
ALTER TABLE inventory_scopes ADD COLUMN latest_types BIGINT NOT NULL DEFAULT 0;
UPDATE inventory_scopes
SET latest_run_seq = (
    SELECT MAX(r.seq)
    FROM inventory_sync_runs r
    WHERE r.scope_id = inventory_scopes.id AND r.status IN ('success', 'partial', 'failed') AND r.stopped IS NULL);
UPDATE inventory_scopes
SET latest_run_id = (
        SELECT r.id FROM inventory_sync_runs r
        WHERE r.tenant_id = inventory_scopes.tenant_id AND r.seq = inventory_scopes.latest_run_seq),
    latest_finished_at = (
        SELECT r.finished_at FROM inventory_sync_runs r
        WHERE r.tenant_id = inventory_scopes.tenant_id AND r.seq = inventory_scopes.latest_run_seq);
UPDATE inventory_scopes
SET latest_types = (SELECT COUNT(*) FROM inventory_sync_run_types t WHERE t.run_id = inventory_scopes.latest_run_id);

-- The run that first read a type to its end, of whatever selection: what was found by it and before is the baseline of
-- the type, and neither new nor changed.
CREATE TABLE inventory_baselines (
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    policy_type TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, policy_type)
);
INSERT INTO inventory_baselines (tenant_id, policy_type, seq)
SELECT tenant_id, policy_type, MIN(seq)
FROM inventory_sync_run_types
WHERE outcome = 'succeeded'
GROUP BY tenant_id, policy_type;

-- The person who asked to cancel a run: names are not unique.
ALTER TABLE bulk_operation_runs ADD COLUMN cancel_requested_by_id UUID;
