-- name: RescueJobs
-- Gives back the jobs that a dead instance ($1) was running; the attempt counts, so that a job which kills its process
-- ends some day.
UPDATE river_job
SET state = CASE WHEN attempt >= max_attempts THEN 'discarded' ELSE 'available' END::river_job_state,
    finalized_at = CASE WHEN attempt >= max_attempts THEN $2::timestamptz END,
    scheduled_at = $2,
    errors = array_append(errors, jsonb_build_object('at', $2::timestamptz, 'attempt', attempt,
        'error', 'the process that ran the job died', 'trace', ''))
WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1
