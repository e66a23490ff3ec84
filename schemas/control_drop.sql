-- The journal's end: with the last run only the tombstones stay.
-- Parameters: none. Columns: none.
DROP TABLE IF EXISTS godwit.verification, godwit.sequence, godwit.metric, godwit.event, godwit.finding,
    godwit.request, godwit.approval, godwit.gate, godwit.fence, godwit.identity, godwit.lane,
    godwit.part, godwit.relation, godwit.structure,
    godwit.step, godwit.run, godwit.control;
