-- The groups that a filter offers come in the order of their names, and only the first of them are looked at.
CREATE INDEX directory_names_by_name ON directory_names (tenant_id, kind, name_key, external_id);
