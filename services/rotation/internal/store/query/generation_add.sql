-- $1 credential, $2 number, $3 state, $4 sealed secret or null, $5 now.
INSERT INTO generation (credential, number, state, secret, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (credential, number) DO NOTHING
