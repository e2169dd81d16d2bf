-- The last observed state of every object. Never deleted by a sync. When an item was last seen is told by
-- inventory_sightings, so that an unchanged item costs one narrow update and not a rewrite of this wide row.
-- changed_seq is the sync run that last inserted the row or changed its content hash.
-- row_digest covers every column an observation may change, links_digest the outgoing links: both only spare writes.
-- The unique columns begin with tenant and external id: links look objects up by these alone.
-- No foreign keys on rows that are written in bulk, here and in the next two migrations: each would cost a look-up per
-- row. They are removed with their tenant by one function of the store.
CREATE TABLE inventory_items (
    id UUID NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    policy_type TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    display_name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    category TEXT NOT NULL,
    platform TEXT NOT NULL,
    meta JSONB NOT NULL,
    content_hash BYTEA NOT NULL,
    observation_hash BYTEA NOT NULL,
    detail_hash BYTEA,
    revision TEXT,
    normaliser_version BIGINT NOT NULL,
    row_digest BIGINT NOT NULL,
    links_digest BIGINT NOT NULL,
    links_omitted BIGINT NOT NULL DEFAULT 0,
    first_seen_at BIGINT NOT NULL,
    first_seen_seq BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_seq BIGINT NOT NULL,
    UNIQUE (tenant_id, external_id, policy_type)
);
CREATE INDEX inventory_items_by_name ON inventory_items (tenant_id, name_key, id, external_id);
CREATE INDEX inventory_items_by_type ON inventory_items (tenant_id, policy_type, name_key, id);
CREATE INDEX inventory_items_by_change ON inventory_items (tenant_id, changed_seq, policy_type);

-- What an item was before its content changed: one row per change, valid from from_seq until the next one (or until
-- inventory_items.changed_seq). No policy body: hashes and allow-listed facts only.
CREATE TABLE inventory_item_versions (
    item_id UUID NOT NULL,
    from_seq BIGINT NOT NULL,
    until_seq BIGINT NOT NULL,
    tenant_id UUID NOT NULL,
    content_hash BYTEA NOT NULL,
    normaliser_version BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    platform TEXT NOT NULL,
    meta JSONB NOT NULL,
    observed_at BIGINT NOT NULL,
    PRIMARY KEY (item_id, from_seq)
);

-- How many items are known, per type and platform, so that no page has to count rows.
CREATE TABLE inventory_counts (
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    policy_type TEXT NOT NULL,
    platform TEXT NOT NULL,
    items BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, policy_type, platform)
);
