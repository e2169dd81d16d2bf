-- The name of the tenant as it was when the run was dispatched: runs of several tenants are shown together.
ALTER TABLE bulk_operation_runs ADD COLUMN tenant_name TEXT NOT NULL DEFAULT '';
UPDATE bulk_operation_runs
SET tenant_name = COALESCE((SELECT t.name FROM tenants t WHERE t.id = bulk_operation_runs.tenant_id), '');
-- What a run found that was not known before, in counts. Empty for a run that did not come to its own end, and for those
-- of earlier versions.
ALTER TABLE bulk_operation_runs ADD COLUMN news TEXT;
-- Items of the type that the run was the first of its scope not to see.
ALTER TABLE inventory_sync_run_types ADD COLUMN newly_missing BIGINT NOT NULL DEFAULT 0;
-- That a run was queued is no news to whoever started it: only its end is unread.
UPDATE notifications SET read_at = created_at WHERE kind = 'operation.queued' AND read_at IS NULL;
