package chaostest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// owners are the services whose facts are recorded.
var owners = [...]string{"tenant", "gateway", "backup", "rotation", "alerting"}

// breaches are queries of the record; each returns how often a promise is broken, and must return 0. %[1]s is the owner's
// schema.
var breaches = map[string]string{
	"aggregates whose versions are not dense": `
SELECT count(*) FROM %[1]s.aggregate AS a
LEFT JOIN (SELECT aggregate, count(*) AS n, count(DISTINCT version) AS distinct_n, max(version) AS top FROM %[1]s.event_log GROUP BY 1) AS l USING (aggregate)
WHERE (l.n, l.distinct_n, l.top) IS DISTINCT FROM (a.version, a.version, a.version)`,
	"events recorded twice": "SELECT count(*) - count(DISTINCT event_id) FROM %[1]s.event_log",
	"dead letters":          "SELECT count(*) FROM %[1]s.dead_letter",
}

// debts are queries like breaches of what is allowed to be late.
var debts = map[string]string{
	"facts that are not published": "SELECT count(*) FROM %[1]s.outbox_pending",
}

// behind counts the owner's aggregates whose head a consumer has not reached. %[1]s is the owner, %[2]s the consumer.
const behind = `
SELECT count(*) FROM %[1]s.aggregate AS a
LEFT JOIN %[2]s.inbox_head AS h ON h.aggregate = a.aggregate AND h.consumer = upper('%[1]s') || '/%[2]s'
WHERE a.version > coalesce(h.version, 0)
AND EXISTS (SELECT FROM %[2]s.inbox_head AS any_h WHERE any_h.consumer = upper('%[1]s') || '/%[2]s')`

// apart counts workspaces that are on one side only: tenant's live ones, and those that backup has a schedule for.
const apart = `
SELECT count(*) FROM (SELECT ref FROM tenant.workspace WHERE state = 'active') AS t
FULL JOIN (SELECT ref FROM backup.workspace WHERE deleted_at IS NULL) AS b USING (ref)
WHERE t.ref IS NULL OR b.ref IS NULL`

// AwaitSpine waits until every fact has arrived everywhere: nothing unpublished, every consumer at every head, one
// schedule in backup for each live workspace. Then it looks for what must never be: versions with gaps, events recorded
// twice, dead letters. It returns how long the facts took.
func AwaitSpine(ctx context.Context, p *Platform, limit time.Duration) (time.Duration, error) {
	ctx, cancel := bounded(ctx, limit, "the facts' arrival")
	defer cancel()
	begin := time.Now()
	if err := until(ctx, func() error { return p.inDatabase(ctx, arrived) }); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	return took, p.inDatabase(ctx, unbroken)
}

// inDatabase looks into the platform database over a connection of its own.
func (p *Platform) inDatabase(ctx context.Context, look func(context.Context, *pgx.Conn) error) error {
	url, err := p.DatabaseURL()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	return look(ctx, conn)
}

func arrived(ctx context.Context, conn *pgx.Conn) error {
	errs := []error{none(ctx, conn, "workspaces that tenant and backup do not agree on", apart)}
	for _, owner := range owners {
		for what, query := range debts {
			errs = append(errs, none(ctx, conn, owner+": "+what, fmt.Sprintf(query, owner)))
		}
		for _, consumer := range owners {
			errs = append(errs, none(ctx, conn, consumer+" has not reached heads of "+owner, fmt.Sprintf(behind, owner, consumer)))
		}
	}
	return errors.Join(errs...)
}

func unbroken(ctx context.Context, conn *pgx.Conn) error {
	var errs []error
	for _, owner := range owners {
		for what, query := range breaches {
			errs = append(errs, none(ctx, conn, owner+": "+what, fmt.Sprintf(query, owner)))
		}
	}
	return errors.Join(errs...)
}

// none is nil when the query counts 0.
func none(ctx context.Context, conn *pgx.Conn, what, query string) error {
	var n int64
	if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n != 0 {
		return fmt.Errorf("%s: %d", what, n)
	}
	return nil
}
