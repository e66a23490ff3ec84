-- Purpose: whether a finding was journalled before. Parameters: $1 run, $2 code, $3 object, $4 message. Columns: told.
SELECT EXISTS (SELECT FROM godwit.finding AS f
                WHERE f.run = $1::bigint AND f.code = $2 AND f.object = $3 AND f.message = $4)
