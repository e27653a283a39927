-- name: NoteRevocation
INSERT INTO revocation (kid, workspace, heard_at) VALUES ($1, $2, $3)
