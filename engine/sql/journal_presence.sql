-- Purpose: which parts of the journal there are. Parameters: none. Columns: control, tombstone.
SELECT pg_catalog.to_regclass('godwit.control') IS NOT NULL, pg_catalog.to_regclass('godwit.tombstone') IS NOT NULL
