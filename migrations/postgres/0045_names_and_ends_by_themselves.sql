-- When the names of settings may be read next by themselves, how often that was begun in vain, and when all of them were last
-- read: one row. Taken by comparing, so that one node starts it.
CREATE TABLE setting_catalog_due (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    completed_at BIGINT
);
INSERT INTO setting_catalog_due (id, due_at, attempts, completed_at)
SELECT 1, 0, 0, CASE WHEN COUNT(*) = 2 THEN MIN(read_at) END
FROM setting_collections WHERE collection IN ('configurationCategories', 'configurationSettings');

-- Definitions that a policy has and the catalogue does not, by Microsoft's names. asked_at is set once all names were read and
-- these were not among them: they are no reason to read all again.
CREATE TABLE setting_unknown (
    id TEXT NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    asked_at BIGINT
);
CREATE INDEX setting_unknown_open ON setting_unknown (seen_at) WHERE asked_at IS NULL;

-- That an object comes to its end, of which people were told: once for each date and for each number of days before it. Whoever
-- writes the row tells it.
CREATE TABLE expiry_notices (
    item_id UUID NOT NULL,
    expires_at BIGINT NOT NULL,
    days_before BIGINT NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (item_id, expires_at, days_before)
);
CREATE INDEX expiry_notices_by_tenant ON expiry_notices (tenant_id);
