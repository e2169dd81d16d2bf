-- Settings are found by the names of what their values name by ids: what was made searchable before is made so anew
-- (docs/rules.md, section Search of settings). It stays searchable meanwhile.
UPDATE setting_documents SET due_at = 0 WHERE due_at IS NULL AND indexed_id IS NOT NULL;
