SELECT DISTINCT d.target, d.channel
FROM delivery d
WHERE d.incident_id = $1 AND d.kind = 'page'
  AND EXISTS (SELECT FROM attempt a WHERE a.delivery_id = d.id AND a.outcome IN ('', 'accepted', 'ambiguous'))
ORDER BY d.target, d.channel
