-- Who did what. Append-only: the triggers refuse every change, and each row carries the hash of the one before.
-- No foreign keys: an entry outlives the tenant and the person it tells of.
CREATE TABLE audit_logs (
    seq BIGINT NOT NULL PRIMARY KEY,
    id UUID NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    tenant_id UUID,
    actor_id UUID,
    actor_kind TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    actor_email TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
    context JSONB NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_logs_by_tenant ON audit_logs (tenant_id, seq);
CREATE INDEX audit_logs_by_actor ON audit_logs (actor_id, seq);

-- The end of the chain. Its one row is locked by whoever appends, which puts the entries in one order, and tells when
-- entries were cut off at the end.
CREATE TABLE audit_chain (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    last_seq BIGINT NOT NULL,
    last_hash BYTEA NOT NULL
);
INSERT INTO audit_chain (one, last_seq, last_hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END;
$$;
CREATE TRIGGER audit_logs_refuse_change BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_logs_refuse_truncate BEFORE TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_chain_refuse_delete BEFORE DELETE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_chain_refuse_truncate BEFORE TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
