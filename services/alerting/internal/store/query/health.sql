SELECT (SELECT count(*) FROM incident i
        WHERE i.status = 'triggered' AND NOT EXISTS (SELECT FROM timer t WHERE t.incident_id = i.id)) AS unguarded,
       (SELECT min(due_at) FROM timer)                                                               AS oldest_timer,
       (SELECT count(*) FROM delivery WHERE state = 'pending' AND deadline < $1)                     AS past_deadline,
       (SELECT count(*) FROM attempt WHERE finished_at IS NULL AND started_at < $2)                  AS ambiguous,
       (SELECT count(*) FROM delivery d
        WHERE d.state = 'accepted' AND d.accepted_at > $3
          AND NOT EXISTS (SELECT FROM attempt a WHERE a.delivery_id = d.id))                         AS unattempted
