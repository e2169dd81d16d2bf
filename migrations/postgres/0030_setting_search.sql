-- The settings of the latest versions of policies, so that they can be searched. Whoever holds the file without the key learns
-- which settings a policy has, by Microsoft's names, and which words and values of one tenant are equal; never one of them:
-- words are keyed hashes, and what is shown is sealed, both under the key of the tenant, which goes when the tenant goes.
--
-- One row per policy. version_id is its latest version, indexed_id the one whose settings are here: a policy is found as
-- long as they are the same. due_at is empty when there is nothing to do, else when it is to be done.
CREATE TABLE setting_documents (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id UUID NOT NULL,
    policy_type TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    version_id UUID NOT NULL,
    indexed_id UUID,
    indexed_number BIGINT NOT NULL DEFAULT 0,
    indexed_at BIGINT NOT NULL DEFAULT 0,
    rules BIGINT NOT NULL DEFAULT 0,
    settings BIGINT NOT NULL DEFAULT 0,
    partial BOOLEAN NOT NULL DEFAULT FALSE,
    due_at BIGINT,
    UNIQUE (tenant_id, policy_type, external_id)
);
CREATE INDEX setting_documents_due ON setting_documents (due_at, id) WHERE due_at IS NOT NULL;

-- Which settings there are, by Microsoft's names alone, the same in every tenant: the id of a definition, or the properties
-- that lead to a value. The number is a hash of the name. What Microsoft calls a definition stands in setting_definitions.
CREATE TABLE setting_keys (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    sought TEXT NOT NULL
);

-- One row per setting. line is the number of its document times 65,536, and its place in it. value is equal for equal values
-- of a setting in one tenant, held for the same setting with the same value in another version; since_at and since_number
-- name the version from which it has this value.
CREATE TABLE setting_lines (
    tenant_id UUID NOT NULL,
    line BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    value BYTEA,
    held BYTEA NOT NULL,
    since_at BIGINT NOT NULL,
    since_number BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, line)
);
CREATE INDEX setting_lines_by_key ON setting_lines (key_id, tenant_id, line);

CREATE TABLE setting_words (
    tenant_id UUID NOT NULL,
    word BYTEA NOT NULL,
    line BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, word, line)
);
CREATE INDEX setting_words_by_line ON setting_words (tenant_id, line);

-- Policies of before become searchable one after the other.
INSERT INTO setting_documents (tenant_id, policy_type, external_id, version_id, due_at)
SELECT tenant_id, policy_type, external_id, version_id, 0 FROM policy_heads ORDER BY tenant_id, policy_type, external_id;

-- When the options of a definition were last called otherwise: values are found by their names.
ALTER TABLE setting_definitions ADD COLUMN options_at BIGINT NOT NULL DEFAULT 0;
