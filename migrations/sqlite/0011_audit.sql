-- Who did what. Append-only: the triggers refuse every change, and each row carries the hash of the one before.
-- No foreign keys: an entry outlives the tenant and the person it tells of.
CREATE TABLE audit_logs (
    seq BIGINT NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    tenant_id BLOB,
    actor_id BLOB,
    actor_kind TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    actor_email TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
    context TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_logs_by_tenant ON audit_logs (tenant_id, seq);
CREATE INDEX audit_logs_by_actor ON audit_logs (actor_id, seq);

-- The end of the chain. Its one row is locked by whoever appends, which puts the entries in one order, and tells when
-- entries were cut off at the end.
CREATE TABLE audit_chain (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    last_seq BIGINT NOT NULL,
    last_hash BLOB NOT NULL
);
INSERT INTO audit_chain (one, last_seq, last_hash) VALUES (1, 0, zeroblob(32));

CREATE TRIGGER audit_logs_refuse_update BEFORE UPDATE ON audit_logs
BEGIN
    SELECT RAISE(ABORT, 'audit_logs is append-only');
END;
CREATE TRIGGER audit_logs_refuse_delete BEFORE DELETE ON audit_logs
BEGIN
    SELECT RAISE(ABORT, 'audit_logs is append-only');
END;
-- INSERT OR REPLACE deletes without the delete trigger unless recursive triggers are on: refuse it as well.
CREATE TRIGGER audit_logs_refuse_replace BEFORE INSERT ON audit_logs
WHEN EXISTS (SELECT 1 FROM audit_logs WHERE seq = NEW.seq OR id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'audit_logs is append-only');
END;
CREATE TRIGGER audit_chain_refuse_delete BEFORE DELETE ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'audit_chain is never emptied');
END;
