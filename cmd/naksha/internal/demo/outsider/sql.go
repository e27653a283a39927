package outsider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQL is a login at a database, by the connection string that its owner was given.
type SQL struct{ config *pgx.ConnConfig }

// NewSQL reads a connection string.
func NewSQL(url string) (SQL, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return SQL{}, fmt.Errorf("read the connection string: %w", err)
	}
	config.ConnectTimeout = time.Minute
	return SQL{config: config}, nil
}

// Connect opens a connection.
func (s SQL) Connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.ConnectConfig(ctx, s.config.Copy())
}

// User is the login's name.
func (s SQL) User() string { return s.config.User }

// Into is the same login at another database of the server.
func (s SQL) Into(database string) SQL {
	other := s.config.Copy()
	other.Database = database
	return SQL{config: other}
}

// As is another login at the same database.
func (s SQL) As(user, password string) SQL {
	other := s.config.Copy()
	other.User, other.Password = user, password
	return SQL{config: other}
}

// Try logs in, runs one statement and leaves.
func (s SQL) Try(ctx context.Context, statement string) error {
	conn, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// SQLState is the five characters by which Postgres names an error, "" for any other error and for none.
func SQLState(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}
