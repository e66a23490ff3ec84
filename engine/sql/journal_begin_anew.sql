-- Purpose: forgets what a run copied, applied and compared, so that it begins again with a new slot; steps of the user,
-- the schema and what was made stay. Approvals were for the rows that go. Parameters: $1 run. Columns: none.
WITH lane AS (
    DELETE FROM godwit.lane WHERE run = $1::bigint
), conflict AS (
    DELETE FROM godwit.conflict WHERE run = $1::bigint
), relation AS (
    UPDATE godwit.relation SET state = 'i', rows = 0, bytes = 0, updated_at = pg_catalog.clock_timestamp()
     WHERE run = $1::bigint
), part AS (
    DELETE FROM godwit.part WHERE run = $1::bigint
), verification AS (
    DELETE FROM godwit.verification WHERE run = $1::bigint
), looked AS (
    DELETE FROM godwit.looked WHERE run = $1::bigint
), touched AS (
    DELETE FROM godwit.touched WHERE run = $1::bigint
), gate AS (
    DELETE FROM godwit.gate WHERE run = $1::bigint
), approval AS (
    UPDATE godwit.approval SET expires_at = pg_catalog.clock_timestamp()
     WHERE run = $1::bigint AND expires_at > pg_catalog.clock_timestamp()
)
DELETE FROM godwit.step
 WHERE run = $1::bigint
   AND pg_catalog.split_part(step, ':', 1) IN ('slot', 'wave', 'copy', 'wave_end', 'analyze', 'replicate', 'catchup',
                                               'verify', 'gates', 'matview', 'approval',
                                               'large_objects.verify', 'large_objects.refresh')
