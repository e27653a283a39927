-- Never moves back: two replicas compare. $1 consumer, $2 until.
INSERT INTO inbox_compared (consumer, until) VALUES ($1, $2)
ON CONFLICT (consumer) DO UPDATE SET until = excluded.until WHERE inbox_compared.until < excluded.until
