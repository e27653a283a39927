-- name: WithholdReplies
-- $1 replies made before this are withheld from now on
UPDATE request SET reply = NULL WHERE reply IS NOT NULL AND create_time < $1
