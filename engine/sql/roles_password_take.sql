-- Purpose: gives roles the passwords that stand in pg_temp.godwit_password; notes why one was refused. The hashes
-- are in no statement's text, and what goes wrong is caught here, so that no log shows the inner statement.
DO $do$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT p.role, p.hash FROM "pg_temp".godwit_password AS p LOOP
        BEGIN
            EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD %L', item.role, item.hash);
        EXCEPTION WHEN OTHERS THEN
            UPDATE pg_temp.godwit_password AS p SET refused = SQLERRM WHERE p.role = item.role;
        END;
    END LOOP;
END
$do$
