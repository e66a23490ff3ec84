-- Purpose: the replica identities that the run has set on the source. Parameters: $1 run.
-- Columns: schema, table, previous identity, previous index, the one that was set, its index, whether the run
-- made that index.
SELECT i.schema, i.rel, i.previous, i.previous_index, i.given, i.given_index, i.made_index
  FROM godwit.identity AS i
 WHERE i.run = $1::bigint
 ORDER BY i.schema, i.rel
