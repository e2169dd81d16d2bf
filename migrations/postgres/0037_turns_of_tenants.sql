-- When a run of a tenant last began: of those whose runs wait, the one whose turn is longest ago comes first.
CREATE INDEX bulk_operation_runs_by_start ON bulk_operation_runs (tenant_id, started_at) WHERE started_at IS NOT NULL;
