-- From here on the hash of an entry is keyed from the vault, and so are two seals, which nobody can make who has the
-- database alone. seal: over the end of the chain, made anew with each entry. plain_seal: over the last entry of earlier
-- versions, whose hashes have no key; it is made at the first start of this version and never changes.
ALTER TABLE audit_chain ADD COLUMN installation_id UUID;
ALTER TABLE audit_chain ADD COLUMN plain_seq BIGINT;
ALTER TABLE audit_chain ADD COLUMN plain_hash BYTEA;
ALTER TABLE audit_chain ADD COLUMN plain_seal BYTEA;
ALTER TABLE audit_chain ADD COLUMN seal BYTEA;

-- The end moves by one entry at a time and always with a new seal, which stops processes of earlier versions as well.
CREATE FUNCTION refuse_step_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.one <> OLD.one
        OR NEW.last_seq NOT IN (OLD.last_seq, OLD.last_seq + 1)
        OR (NEW.last_hash <> OLD.last_hash AND NEW.seal IS NOT DISTINCT FROM OLD.seal)
        OR (OLD.seal IS NOT NULL AND NEW.seal IS NULL)
        OR (OLD.plain_seal IS NOT NULL AND (NEW.plain_seal IS DISTINCT FROM OLD.plain_seal
            OR NEW.plain_seq IS DISTINCT FROM OLD.plain_seq OR NEW.plain_hash IS DISTINCT FROM OLD.plain_hash
            OR NEW.installation_id IS DISTINCT FROM OLD.installation_id))
    THEN
        RAISE EXCEPTION 'audit_chain only goes forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER audit_chain_only_forward BEFORE UPDATE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
