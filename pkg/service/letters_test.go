package service_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/bus"
	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// picky is a service backup that rejects the fact named bad until it is told to take it, and tells what it took.
func picky(t *testing.T, env *servicetest.Env) (client eventv1.EventServiceClient, mild *atomic.Bool, taken chan string) {
	t.Helper()
	backup := newCore(t, env, "backup")
	mild, taken = new(atomic.Bool), make(chan string, 20)
	backup.Assemble(service.Parts{Reactions: map[string][]outbox.Reaction{"tenant": {
		outbox.On(func(_ context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
			if m.GetDisplayName() == "bad" && !mild.Load() {
				return bus.Reject(errors.New("cannot be handled"))
			}
			tx.AfterCommit(func() { taken <- m.GetDisplayName() })
			return nil
		}),
	}}})
	servicetest.Start(t, backup)
	return eventv1.NewEventServiceClient(env.Dial("gateway", "backup", backup.Addr())), mild, taken
}

// operator calls as the gateway does for one.
func operator(t *testing.T) context.Context {
	return caller.With(t.Context(), caller.Caller{Principal: "operatorkey1", Kind: caller.Admin})
}

// letters waits until the service has n dead letters.
func letters(t *testing.T, client eventv1.EventServiceClient, n int) (all []*eventv1.DeadLetter) {
	t.Helper()
	servicetest.Eventually(t, func() error {
		all = nil
		for token := ""; ; {
			reply, err := client.ListDeadLetters(operator(t), &eventv1.ListDeadLettersRequest{
				Parent: "services/backup", PageSize: 2, PageToken: token,
			})
			if err != nil {
				return err
			}
			all = append(all, reply.GetDeadLetters()...)
			if token = reply.GetNextPageToken(); token == "" {
				break
			}
		}
		if len(all) != n {
			return errors.New("not as many dead letters yet")
		}
		return nil
	})
	return all
}

func TestDeadLettersAreListedShownAndReplayed(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	tenant := newCore(t, env, "tenant")
	servicetest.Start(t, tenant)
	client, mild, taken := picky(t, env)
	for _, name := range []string{"first", "bad", "third", "fourth"} {
		emit(t, tenant, name, nil)
	}
	all := letters(t, client, 3)
	bad := all[2]
	if all[0].GetEvent().GetVersion() != 4 || bad.GetEvent().GetVersion() != 2 || bad.GetOwner() != "services/tenant" ||
		bad.GetError() != "cannot be handled" || !bad.GetRejected() || bad.GetAttempts() != 1 || all[1].GetError() != "" {
		t.Errorf("dead letters %v", all)
	}
	shown, err := client.GetDeadLetter(operator(t), &eventv1.GetDeadLetterRequest{Name: bad.GetName()})
	if err != nil || !strings.Contains(shown.GetDeadLetter().GetPayloadJson(), `"bad"`) {
		t.Errorf("shown: %v, %v", shown, err)
	}
	replay := &eventv1.ReplayDeadLetterRequest{Name: all[0].GetName()} // any of the aggregate's
	reply, err := client.ReplayDeadLetter(operator(t), replay)
	if err != nil || reply.GetReplayedCount() != 0 || reply.GetDeadLetter().GetName() != bad.GetName() || reply.GetDeadLetter().GetAttempts() != 2 {
		t.Fatalf("a replay that fails: %v, %v", reply, err)
	}
	mild.Store(true)
	reply, err = client.ReplayDeadLetter(operator(t), replay)
	if err != nil || reply.GetReplayedCount() != 3 || reply.GetDeadLetter() != nil {
		t.Fatalf("replay: %v, %v", reply, err)
	}
	emit(t, tenant, "fifth", nil)
	for _, want := range []string{"first", "bad", "third", "fourth", "fifth"} {
		if got := <-taken; got != want {
			t.Fatalf("took %s, not %s", got, want)
		}
	}
	letters(t, client, 0)
}

func TestDroppedDeadLetterHasNoEffectAndFreesItsAggregate(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	tenant := newCore(t, env, "tenant")
	servicetest.Start(t, tenant)
	client, _, taken := picky(t, env)
	emit(t, tenant, "bad", nil)
	bad := letters(t, client, 1)[0]
	if _, err := client.DeleteDeadLetter(operator(t), &eventv1.DeleteDeadLetterRequest{Name: bad.GetName()}); err != nil {
		t.Fatal(err)
	}
	emit(t, tenant, "good", nil)
	if got := <-taken; got != "good" {
		t.Errorf("took %s", got)
	}
	_, err := client.DeleteDeadLetter(operator(t), &eventv1.DeleteDeadLetterRequest{Name: bad.GetName()})
	if fault.CodeOf(err) != codes.NotFound {
		t.Errorf("a second drop: %v", err)
	}
	for _, wrong := range []string{
		"services/tenant/deadLetters/" + bad.GetEvent().GetId(), "services/backup/deadLetters/" + strings.Repeat("-", 36), "x",
	} {
		_, err := client.GetDeadLetter(operator(t), &eventv1.GetDeadLetterRequest{Name: wrong})
		if code := fault.CodeOf(err); code != codes.InvalidArgument && code != codes.NotFound {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
