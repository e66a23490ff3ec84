-- Purpose: a request's progress. Parameters: $1 request. Columns: taken, finished, exit status, message.
SELECT q.taken_at IS NOT NULL, q.finished_at IS NOT NULL, q.exit_status, q.message
  FROM godwit.request AS q WHERE q.id = $1::bigint
