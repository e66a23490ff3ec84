-- Purpose: whether a transaction is still under way as other sessions see it. Its lock on its own number falls when
-- it is over for them. Parameters: $1 its number. Columns: under way.
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype = 'transactionid' AND l.transactionid::text = $1 AND l.granted)
