-- Purpose: the run is nobody's: an engine that comes back after it lost the run's lock finds another epoch than it took,
-- and leaves. Its lanes keep theirs; the next engine raises both. Parameters: $1 run.
UPDATE godwit.run SET epoch = epoch + 1 WHERE id = $1::bigint
