package up

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// preflight looks whether the pieces that run elsewhere can do what is asked of them, and says what to prepare: an error
// here is one sentence, while a service that finds out by itself only says that it is not ready.
func (p *Platform) preflight(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	e := p.config.External
	if host := hostPort(e.DatabaseURL.Reveal(), "5432"); e.DatabaseURL != "" && host == hostPort(e.CellURL.Reveal(), "5432") {
		return fmt.Errorf("database_url and cell_url are the same server %s: customers' data and the platform's record must be apart, give each a server of its own", host)
	}
	group, ctx := errgroup.WithContext(ctx)
	if e.DatabaseURL != "" {
		group.Go(func() error { return explain("platform database", checkServer(ctx, e.DatabaseURL.Reveal(), false)) })
	}
	if e.CellURL != "" {
		group.Go(func() error { return explain("cell", checkServer(ctx, e.CellURL.Reveal(), true)) })
	}
	if e.NATS.URL != "" {
		group.Go(func() error { return explain("NATS", p.checkNATS(ctx)) })
	}
	for name, r := range map[string]ExternalRegion{"primary": e.S3.Primary, "dr": e.S3.DR} {
		if r.Endpoint != "" {
			group.Go(func() error { return explain("S3 region "+name, region{r, name, true}.check(ctx)) })
		}
	}
	return group.Wait()
}

func explain(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// leastLocks is max_locks_per_transaction of a cell: a swap or a dump of one schema locks each of its tables.
const leastLocks = 1024

// checkServer looks at a Postgres server's version, settings and the superuser's rights.
func checkServer(ctx context.Context, server string, isCell bool) error {
	var version, locks int
	var super bool
	var encryption, user string
	err := inDatabase(ctx, server, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('max_locks_per_transaction')::int,
			current_setting('password_encryption'), rolsuper, rolname FROM pg_roles WHERE rolname = current_user`,
		).Scan(&version, &locks, &encryption, &super, &user)
	})
	at := hostPort(server, "5432")
	switch {
	case err != nil:
		return fmt.Errorf("server %s: %w: check address, user and password of the URL", at, err)
	case version < 150000:
		return fmt.Errorf("server %s is PostgreSQL %d: give one of version 15 or newer", at, version/10000)
	case !super:
		return fmt.Errorf("user %s of server %s is no superuser: give the URL of one, which makes the services' roles and databases", user, at)
	case encryption != "scram-sha-256":
		return fmt.Errorf("server %s keeps passwords as %s: run ALTER SYSTEM SET password_encryption = 'scram-sha-256' and SELECT pg_reload_conf()", at, encryption)
	case isCell && locks < leastLocks:
		return fmt.Errorf("server %s has max_locks_per_transaction = %d: run ALTER SYSTEM SET max_locks_per_transaction = %d and restart it", at, locks, leastLocks)
	}
	return nil
}

// checkLogins tries the roles that bootstrap has made on a server elsewhere: its pg_hba.conf may keep them out.
func (p *Platform) checkLogins(ctx context.Context) error {
	logins := map[string]string{}
	if p.config.External.DatabaseURL != "" {
		for _, name := range Services {
			logins["database "+databaseName+" as "+name] = as(p.platformURL(), name, p.state.password("database/"+name), databaseName)
		}
	}
	if p.config.External.CellURL != "" {
		logins["database "+cellName+" as "+ddlRole] = as(p.cellURL(), ddlRole, p.state.password("cell/"+ddlRole), cellName)
	}
	for what, url := range logins {
		if err := inDatabase(ctx, url, func(c *pgx.Conn) error { return c.Ping(ctx) }); err != nil {
			return fmt.Errorf("%s at %s: %w: allow it in pg_hba.conf, method scram-sha-256", what, hostPort(url, "5432"), err)
		}
	}
	return nil
}

// checkNATS logs in as every user that the platform needs.
func (p *Platform) checkNATS(ctx context.Context) error {
	for _, user := range append([]string{"subscriber"}, Services...) {
		if err := p.checkUser(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

func (p *Platform) checkUser(ctx context.Context, user string) error {
	at := p.config.External.NATS.URL
	options := []nats.Option{
		nats.UserInfo(user, p.natsPassword(user)), nats.CustomInboxPrefix("_INBOX_" + user),
		nats.Timeout(5 * time.Second), nats.Name("naksha-up"),
	}
	if ca := p.config.External.NATS.CAFile; ca != "" {
		options = append(options, nats.RootCAs(ca))
	}
	conn, err := nats.Connect(at, options...)
	if errors.Is(err, nats.ErrAuthorization) {
		return fmt.Errorf("%s refuses the user %s: give it the users that `naksha nats-users` prints, or name their passwords with --nats-passwords", at, user)
	}
	if err != nil {
		return fmt.Errorf("%s does not answer: %w: check the URL", at, err)
	}
	defer conn.Close()
	if user == "subscriber" { // hears facts, and may ask nothing
		return nil
	}
	js, err := jetstream.New(conn)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s has no JetStream for user %s: %w: start it with jetstream enabled and sync_interval: always, and with the permissions that `naksha nats-users` prints", at, user, err)
	}
	return nil
}

// check asks both APIs of the region for something small.
func (r region) check(ctx context.Context) error {
	buckets, err := r.bucketLister()
	if err == nil {
		_, err = buckets.ListBuckets(ctx)
	}
	if err != nil {
		return fmt.Errorf("S3 at %s: %w: check endpoint, access_key and secret_key", r.Endpoint, err)
	}
	users, err := r.iamClient()
	if err == nil {
		_, err = users.ListUsers(ctx, &iam.ListUsersInput{})
	}
	if err != nil {
		return fmt.Errorf("IAM at %s: %w: give an endpoint that speaks the AWS IAM API with --s3-iam-endpoint, and a key that may make users", r.iam(), err)
	}
	return nil
}
