-- $1 id, $2 credential, $3 old generation, $4 new generation, $5 quiet window in microseconds, $6 deadline, $7 now, $8 state.
INSERT INTO rotation (id, credential, old_generation, new_generation, quiet_window_us, deadline_at, created_at, due_at, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
