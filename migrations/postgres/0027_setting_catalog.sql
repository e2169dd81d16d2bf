-- What Microsoft publishes of settings: their definitions and categories, the same in every tenant and kept once for all. What
-- Microsoft removes stays, so that versions that have it keep its name.
CREATE TABLE setting_definitions (
    id TEXT NOT NULL PRIMARY KEY,
    collection TEXT NOT NULL,
    name TEXT NOT NULL,
    category_id TEXT,
    options TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX setting_definitions_by_collection ON setting_definitions (collection, seen_at);

CREATE TABLE setting_categories (
    id TEXT NOT NULL PRIMARY KEY,
    collection TEXT NOT NULL,
    name TEXT NOT NULL,
    parent_id TEXT,
    seen_at BIGINT NOT NULL
);
CREATE INDEX setting_categories_by_collection ON setting_categories (collection, seen_at);

-- How much the last reading of a collection that came to its end brought.
CREATE TABLE setting_collections (
    collection TEXT NOT NULL PRIMARY KEY,
    entries BIGINT NOT NULL,
    read_at BIGINT NOT NULL
);
