package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// attempt is one try to pass a wall. It counts as refused only with one of the expected answers: a wall that is merely
// broken would refuse as well.
type attempt struct {
	name  string
	try   func(ctx context.Context) error
	code  func(error) string // names the answer
	wants []string           // the answers that are refusals
}

// isolate tries to see the neighbour from the shop by every way in, after having seen that the shop's own things answer.
func isolate(ctx context.Context, w *world, f *finding) error {
	w.progress("trying the walls")
	if err := w.ownThingsAnswer(ctx); err != nil {
		return fmt.Errorf("the shop cannot use what is its own: %w", err)
	}
	var passed []string
	for _, wall := range []struct {
		name     string
		attempts []attempt
	}{{"SQL", w.bySQL()}, {"S3", w.byS3()}, {"key", w.byKey()}, {"facts", w.byFacts()}} {
		answers := map[string]string{}
		for _, a := range wall.attempts {
			answer, refused := a.run(ctx)
			answers[a.name] = answer
			if !refused {
				passed = append(passed, fmt.Sprintf("%s: %s: %s", wall.name, a.name, answer))
			}
		}
		f.note(strings.ToLower(wall.name), answers)
		f.say("%s %d refused", wall.name, len(wall.attempts))
	}
	if len(passed) > 0 {
		return fmt.Errorf("not refused as expected: %s", strings.Join(passed, "; "))
	}
	return nil
}

func (a attempt) run(ctx context.Context) (answer string, refused bool) {
	ctx, cancel := bounded(ctx, patience, a.name)
	defer cancel()
	err := a.try(ctx)
	if err == nil {
		return "let through", false
	}
	if answer = a.code(err); answer == "" {
		return err.Error(), false
	}
	return answer, slices.Contains(a.wants, answer)
}

func (w *world) ownThingsAnswer(ctx context.Context) error {
	if err := w.shop.sql.Try(ctx, "CREATE TABLE own (); DROP TABLE own"); err != nil {
		return fmt.Errorf("SQL: %w", err)
	}
	if err := errors.Join(w.shop.s3.Put(ctx, "own", nil), w.shop.s3.Remove(ctx, "own")); err != nil {
		return fmt.Errorf("S3: %w", err)
	}
	request := &tenantv1.GetWorkspaceRequest{Name: w.shop.name}
	if _, err := tenantv1.NewWorkspaceServiceClient(w.shop.door.GRPC()).GetWorkspace(ctx, request); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	return nil
}
