-- name: AnnounceSpike
INSERT INTO announcement (kind, announced_at) VALUES ('authentication', $1)
ON CONFLICT (kind) DO UPDATE SET announced_at = excluded.announced_at
WHERE announcement.announced_at <= $2
