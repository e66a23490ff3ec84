-- The journal's end: with the last run only the tombstones stay, and the marks of abandoned runs.
-- Parameters: none. Columns: none.
DROP TABLE IF EXISTS godwit.looked, godwit.touched, godwit.verification, godwit.large_object, godwit.sequence,
    godwit.metric, godwit.event, godwit.partition, godwit.paused, godwit.finding, godwit.request, godwit.approval,
    godwit.gate, godwit.fence, godwit.identity, godwit.source_job, godwit.chunk, godwit.lane,
    godwit.conflict, godwit.part, godwit.relation, godwit.structure,
    godwit.step, godwit.run, godwit.control;
DO $do$ BEGIN IF NOT EXISTS (SELECT FROM godwit.made) THEN DROP TABLE godwit.made; END IF; END $do$;
