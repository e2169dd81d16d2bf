-- A run may start others when it ends well, and each of these names the run it follows.

ALTER TABLE bulk_operation_runs ADD COLUMN follows BLOB;
ALTER TABLE bulk_operation_runs ADD COLUMN follow_ups TEXT NOT NULL DEFAULT '[]';

-- What followed a run, shown on its page.
CREATE INDEX bulk_operation_runs_follows ON bulk_operation_runs (follows) WHERE follows IS NOT NULL;
