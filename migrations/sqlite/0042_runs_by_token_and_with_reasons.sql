-- The runs that tokens started in all tenants, in the order of the page. Those of one tenant have an index already.
CREATE INDEX bulk_operation_runs_by_token_and_age
    ON bulk_operation_runs (created_at, id, tenant_id, status, resource, action, reasons)
    WHERE token_id IS NOT NULL;

-- Most runs do everything that they were asked to do: whoever asks for a reason need not look at them.
CREATE INDEX bulk_operation_runs_of_tenant_with_reasons
    ON bulk_operation_runs (tenant_id, created_at, id, status, resource, action, user_id, schedule_id, reasons)
    WHERE reasons <> '';
CREATE INDEX bulk_operation_runs_with_reasons_by_age
    ON bulk_operation_runs (created_at, id, tenant_id, status, resource, action, user_id, schedule_id, reasons)
    WHERE reasons <> '';
