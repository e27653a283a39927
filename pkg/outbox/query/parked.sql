-- Whether a dead letter parks the aggregate for this consumer. $1 consumer, $2 aggregate.
SELECT EXISTS (SELECT FROM dead_letter WHERE consumer = $1 AND aggregate = $2)
