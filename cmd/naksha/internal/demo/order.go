package demo

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// order is one CreateWorkspace and what came of it.
type order struct {
	id    string // request_id
	name  string
	reply *tenantv1.CreateWorkspaceResponse // nil = never answered
}

func (o *order) send(ctx context.Context, door *outsider.Door) (*tenantv1.CreateWorkspaceResponse, error) {
	return tenantv1.NewWorkspaceServiceClient(door.GRPC()).CreateWorkspace(ctx, &tenantv1.CreateWorkspaceRequest{
		DisplayName: o.name, Plan: "free", RequestId: o.id,
	})
}

// orders are placed on several lines; each line places the next one when the last was answered, and ends at the first
// that was not.
type orders struct {
	door   *outsider.Door
	flying atomic.Int64
	enough chan struct{} // closed when enough were answered
	wait   sync.WaitGroup

	mu       sync.Mutex
	all      []*order
	answered int
	err      error
}

func newOrders(door *outsider.Door) *orders {
	return &orders{door: door, enough: make(chan struct{})}
}

func (o *orders) place(ctx context.Context, lines int) {
	for range lines {
		o.wait.Go(func() {
			for o.next(ctx) {
			}
		})
	}
}

// next places one order and says whether to go on.
func (o *orders) next(ctx context.Context) bool {
	one := o.open()
	o.flying.Add(1)
	reply, err := one.send(ctx, o.door)
	o.flying.Add(-1)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		if o.err == nil {
			o.err = err
		}
		return false
	}
	one.reply = reply
	if o.answered++; o.answered == acknowledgedFirst {
		close(o.enough)
	}
	return true
}

func (o *orders) open() *order {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := &order{id: newID(), name: fmt.Sprintf("Order %d", len(o.all)+1)}
	o.all = append(o.all, one)
	return one
}

func (o *orders) acknowledged() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answered
}

func (o *orders) firstError() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// repeat sends every order again, a few at a time, and returns the names of the workspaces that they made. An order that
// was answered before must be answered with the same name.
func (o *orders) repeat(ctx context.Context, door *outsider.Door) ([]string, error) {
	names := make([]string, len(o.all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, one := range o.all {
		group.Go(func() error {
			reply, err := one.send(ctx, door)
			if err != nil {
				return err
			}
			names[i] = reply.GetWorkspace().GetName()
			if first := one.reply.GetWorkspace().GetName(); first != "" && first != names[i] {
				return fmt.Errorf("it was answered with %s, and after the kill with %s", first, names[i])
			}
			return nil
		})
	}
	return names, group.Wait()
}
