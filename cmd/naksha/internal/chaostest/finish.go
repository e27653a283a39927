package chaostest

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// sample is how many acknowledged workspaces are used at the end.
const sample = 5

// Finish ends the traffic and holds everything to its end state: every fact has arrived everywhere, nothing acknowledged is
// lost, nothing is there twice, whoever repeats an order gets the first answer, new workspaces serve their owners, and
// subscribers heard nothing that is not recorded. It returns a line that tells of it.
func (tr *Trial) Finish(ctx context.Context) (string, error) {
	tr.Calm()
	took, err := AwaitSpine(ctx, tr.Platform, healing)
	if err != nil {
		return "", err
	}
	v, err := tr.Check(ctx)
	if err != nil {
		return "", err
	}
	if err := tr.Clients.useSome(ctx); err != nil {
		return "", err
	}
	heard, err := tr.Clients.heard(ctx)
	return fmt.Sprintf("all facts arrived after %v; %s; a subscriber heard %d facts", took, v, heard), err
}

// useSome repeats some acknowledged orders and works in their workspaces.
func (c *Clients) useSome(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	used := 0
	for id, made := range c.made {
		if used++; used > sample {
			break
		}
		again, err := c.tenant().CreateWorkspace(ctx, &tenantv1.CreateWorkspaceRequest{DisplayName: id, RequestId: id})
		if err == nil && !proto.Equal(again, made) {
			err = fmt.Errorf("it was answered with %s, and repeated with %s", made.GetWorkspace().GetName(), again.GetWorkspace().GetName())
		}
		if err = errors.Join(err, use(ctx, made)); err != nil {
			return fmt.Errorf("workspace %s: %w", id, err)
		}
	}
	return nil
}

// use writes a row and an object with a workspace's own credentials.
func use(ctx context.Context, made *tenantv1.CreateWorkspaceResponse) error {
	conn, err := pgx.Connect(ctx, made.GetCredentials().GetDatabaseUrl())
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE TABLE alive (id int); INSERT INTO alive VALUES (1)"); err != nil {
		return fmt.Errorf("write a row: %w", err)
	}
	objects, err := bucket(made)
	if err != nil {
		return err
	}
	return put(ctx, objects, made.GetWorkspace().GetEndpoints().GetBucket(), "alive")
}

// heard counts the facts that the subscriber heard, and fails when one of them is not recorded.
func (c *Clients) heard(ctx context.Context) (int, error) {
	recorded := map[string]bool{}
	err := c.platform.inDatabase(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		for _, owner := range owners {
			rows, err := conn.Query(ctx, fmt.Sprintf("SELECT event_id::text FROM %s.event_log", owner))
			if err != nil {
				return err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			for _, id := range ids {
				recorded[id] = true
			}
		}
		return nil
	})
	facts := c.feed.All()
	for _, fact := range facts {
		if err == nil && !recorded[fact.ID] {
			err = fmt.Errorf("a subscriber heard %s %s on %s, which is not recorded", fact.Type, fact.ID, fact.Subject)
		}
	}
	return len(facts), err
}
