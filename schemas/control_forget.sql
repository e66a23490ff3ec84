-- The schema itself goes where no tombstone and no mark is left in it. After control_drop.sql.
-- Parameters: none. Columns: none.
DO $do$
BEGIN
    IF pg_catalog.to_regclass('godwit.made') IS NULL AND NOT EXISTS (SELECT FROM godwit.tombstone) THEN
        DROP TABLE godwit.tombstone;
        DROP SCHEMA godwit;
    END IF;
END
$do$;
