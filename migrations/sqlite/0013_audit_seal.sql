-- From here on the hash of an entry is keyed from the vault, and so are two seals, which nobody can make who has the
-- database alone. seal: over the end of the chain, made anew with each entry. plain_seal: over the last entry of earlier
-- versions, whose hashes have no key; it is made at the first start of this version and never changes.
ALTER TABLE audit_chain ADD COLUMN installation_id BLOB;
ALTER TABLE audit_chain ADD COLUMN plain_seq BIGINT;
ALTER TABLE audit_chain ADD COLUMN plain_hash BLOB;
ALTER TABLE audit_chain ADD COLUMN plain_seal BLOB;
ALTER TABLE audit_chain ADD COLUMN seal BLOB;

-- The end moves by one entry at a time and always with a new seal, which stops processes of earlier versions as well.
CREATE TRIGGER audit_chain_only_forward BEFORE UPDATE ON audit_chain
WHEN NEW.one IS NOT OLD.one
    OR NEW.last_seq NOT IN (OLD.last_seq, OLD.last_seq + 1)
    OR (NEW.last_hash IS NOT OLD.last_hash AND NEW.seal IS OLD.seal)
    OR (OLD.seal IS NOT NULL AND NEW.seal IS NULL)
    OR (OLD.plain_seal IS NOT NULL AND (NEW.plain_seal IS NOT OLD.plain_seal OR NEW.plain_seq IS NOT OLD.plain_seq
        OR NEW.plain_hash IS NOT OLD.plain_hash OR NEW.installation_id IS NOT OLD.installation_id))
BEGIN
    SELECT RAISE(ABORT, 'audit_chain only goes forward');
END;
-- INSERT OR REPLACE deletes without the delete trigger unless recursive triggers are on.
CREATE TRIGGER audit_chain_refuse_replace BEFORE INSERT ON audit_chain
BEGIN
    SELECT RAISE(ABORT, 'audit_chain has one row');
END;

-- "TAtl": what tells this file from the SQLite files of other programs.
PRAGMA application_id = 1413575788;
