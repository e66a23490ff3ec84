-- Waits until no lane stands between the move of its row and its commit, and lets none begin that, until this
-- transaction ends. Parameters: none. Columns: none.
LOCK TABLE godwit.lane IN SHARE ROW EXCLUSIVE MODE
