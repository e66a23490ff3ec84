-- Purpose: changes touched a relation between these places of its key while verifications are under way; inside the
-- transaction that applied them, behind the move of the lane's row, so that no look begins before it has ended. Each
-- lane writes rows of its own. Parameters: $1 run, $2 lane, $3 schema, $4 relation, $5 least and $6 greatest place
-- (NULL: all of it). Columns: none.
INSERT INTO godwit.touched AS t (run, lane, schema, rel, look, least, greatest)
SELECT $1::bigint, $2::integer, $3::text, $4::text, max(l.look), $5::bigint, $6::bigint
  FROM godwit.lane AS l WHERE l.run = $1::bigint
ON CONFLICT (run, lane, schema, rel) DO UPDATE
   SET look = excluded.look,
       least = CASE WHEN t.least IS NULL OR excluded.least IS NULL THEN NULL
                    ELSE least(t.least, excluded.least) END,
       greatest = CASE WHEN t.greatest IS NULL OR excluded.greatest IS NULL THEN NULL
                       ELSE greatest(t.greatest, excluded.greatest) END
