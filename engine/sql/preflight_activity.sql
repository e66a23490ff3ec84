-- How much each table was written to since the statistics began.
-- Columns: relation, rows inserted, updated, deleted. Ordered by relation.
SELECT s.relid, s.n_tup_ins, s.n_tup_upd, s.n_tup_del
FROM pg_catalog.pg_stat_user_tables s
WHERE s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0
ORDER BY s.relid;
