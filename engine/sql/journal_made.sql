-- Purpose: which objects of the target a plan made. Parameters: $1 plan. Columns: class oid, oid, mark of the run.
SELECT m.class, m.object, m.mark FROM godwit.made AS m WHERE m.name = $1 ORDER BY m.class, m.object
