-- Outgoing edges of an item; at most 50 are kept, the rest is counted in inventory_items.links_omitted.
CREATE TABLE inventory_links (
    source_item_id BLOB NOT NULL,
    relationship TEXT NOT NULL CHECK (relationship IN ('assigned_to', 'excluded_from', 'filtered_by', 'scoped_by', 'uses', 'depends_on')),
    target_kind TEXT NOT NULL,
    target_policy_type TEXT NOT NULL DEFAULT '',
    target_external_id TEXT NOT NULL,
    tenant_id BLOB NOT NULL,
    position BIGINT NOT NULL,
    last_known_name TEXT,
    raw TEXT NOT NULL,
    PRIMARY KEY (source_item_id, relationship, target_kind, target_policy_type, target_external_id)
) WITHOUT ROWID;
CREATE INDEX inventory_links_by_target ON inventory_links (tenant_id, target_external_id, source_item_id);

-- Names of what links point to and the inventory does not hold: groups, users, applications.
CREATE TABLE directory_names (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    display_name TEXT,
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, external_id)
);
