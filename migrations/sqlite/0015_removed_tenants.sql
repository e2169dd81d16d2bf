-- A tenant that was removed is gone for everybody at once; its rows are deleted in pieces afterwards.
ALTER TABLE tenants ADD COLUMN removed_at BIGINT;
CREATE INDEX tenants_removed ON tenants (removed_at) WHERE removed_at IS NOT NULL;
-- Runs that wait, counted per tenant and per person before another one is taken.
CREATE INDEX bulk_operation_runs_waiting ON bulk_operation_runs (tenant_id, user_id) WHERE status = 'pending';
