package cli

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"

	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

// facts is a service's record behind a gateway, with so many facts of one aggregate.
type facts struct {
	eventv1.UnimplementedEventServiceServer
	count int64
}

// ListEvents lists a page.
func (f facts) ListEvents(_ context.Context, r *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	reply := &eventv1.ListEventsResponse{}
	for v := r.GetAfterVersion() + 1; v <= min(f.count, r.GetAfterVersion()+int64(r.GetPageSize())); v++ {
		reply.Events = append(reply.Events, &eventv1.Event{Version: v, Id: "fact"})
	}
	return reply, nil
}

func TestFactsAreListedToTheirEnd(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]int{"0": 2000, "1500": 500, "2000": 0} {
		at := serve(t, func(s *grpc.Server) { eventv1.RegisterEventServiceServer(s, facts{count: 2000}) })
		got := at.run(t.Context(), "event", "list", "tenant", "workspaces/x", "--after", after, "-o", "name")
		if n := strings.Count(got.out, "fact\n"); n != want || got.code != exitOK {
			t.Errorf("after %s: %d facts, exit code %d: %s", after, n, got.code, got.err)
		}
	}
}
