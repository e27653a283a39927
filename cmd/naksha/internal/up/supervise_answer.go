package up

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// questionsOwed is how many questions in a row stay without an answer before that is told, however long they took.
const questionsOwed = 3

// outlive waits for a server's end; false when ctx ended first. Meanwhile it asks the server now and then, and notes when
// it gives no answer: it is reported and left as it is, since a restart would cost more than a slow machine's patience.
func (p *Platform) outlive(ctx context.Context, s private) bool {
	tick := time.NewTicker(p.config.Silence / 6)
	defer tick.Stop()
	for last, owed := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return false
		case <-s.now().Done():
			return true
		case <-tick.C:
		}
		err := p.ask(ctx, s.now())
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil:
			last, owed = time.Now(), 0
			p.worry(ctx, s.name, nil)
			continue
		}
		if owed++; owed >= questionsOwed && time.Since(last) >= p.config.Silence {
			p.worry(ctx, s.name, fmt.Errorf("it runs, but gives no answer: %w", err))
		}
	}
}

// ask puts one question to a server, until it ends.
func (p *Platform) ask(ctx context.Context, s server) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.Silence/3)
	defer cancel()
	go func() {
		select {
		case <-s.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	switch s := s.(type) {
	case *local.Postgres:
		return askPostgres(ctx, s.SuperuserURL("postgres"))
	case *local.Region:
		return askS3(ctx, s.Endpoint())
	}
	return nil
}

// askPostgres lets the server of a superuser's URL work through one statement. Also a refusal is an answer.
func askPostgres(ctx context.Context, url string) error {
	conn, err := pgconn.Connect(ctx, url)
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT 1").ReadAll()
		_ = conn.Close(ctx) // the answer is there, or why not
	}
	if answer := new(pgconn.PgError); errors.As(err, &answer) {
		return nil
	}
	return err
}

// askS3 waits for any answer of the region.
func askS3(ctx context.Context, endpoint string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
