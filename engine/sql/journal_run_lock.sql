-- Purpose: the state of a run, which nobody moves until this transaction ends; a statement of
-- somebody else that moves it this very moment is waited for. Parameters: $1 run. Columns: state.
SELECT r.state FROM godwit.run AS r WHERE r.id = $1::bigint FOR NO KEY UPDATE
