-- What a person chose for themselves, in every tenant. item_columns is NULL until they choose.
CREATE TABLE user_preferences (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    item_columns JSONB,
    single_keys BOOLEAN NOT NULL DEFAULT TRUE
);

-- Filters of the inventory that a person keeps under a name of their own. query holds the parameters of the address;
-- name_key is the name in lower case.
CREATE TABLE saved_views (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id UUID NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (user_id, tenant_id, name_key)
);
CREATE INDEX saved_views_by_tenant ON saved_views (tenant_id);
