package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

const (
	// inFlight is how many orders shall be under way when the platform is killed.
	inFlight = 64
	// leastInFlight must be, or the step shows nothing.
	leastInFlight = 50
	// acknowledgedFirst is how many orders are answered before the kill.
	acknowledgedFirst = 40
	// sample is how many of the acknowledged workspaces are logged in to.
	sample = 5
)

// crash kills the platform while it works on orders, starts it again on the same directory, and looks for what was
// acknowledged and for what is there twice.
func crash(ctx context.Context, w *world, f *finding) error {
	w.progress("ordering workspaces, and killing the platform")
	before, err := w.list(ctx)
	if err != nil {
		return err
	}
	kept, err := w.observeBoth(ctx)
	if err != nil {
		return err
	}
	orders, err := w.killMidway(ctx, f)
	if err != nil {
		return err
	}
	w.progress("starting again")
	begin := time.Now()
	if err := w.platform.start(ctx); err != nil {
		return fmt.Errorf("start again: %w", err)
	}
	f.note("restart_seconds", time.Since(begin))
	f.say("ready again in %s", Took(time.Since(begin)))
	if err := w.reenter(); err != nil {
		return err
	}
	if err := w.acknowledgedIsThere(ctx, f, orders); err != nil {
		return err
	}
	if err := w.nothingTwice(ctx, f, before, orders); err != nil {
		return err
	}
	return w.oldDataIsThere(ctx, kept)
}

// killMidway orders workspaces on many lines at the same time and kills the platform in the middle.
func (w *world) killMidway(ctx context.Context, f *finding) (*orders, error) {
	ctx, cancel := bounded(ctx, patience, "placing orders")
	defer cancel()
	o := newOrders(w.admin)
	o.place(ctx, inFlight)
	select {
	case <-o.enough:
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), o.firstError())
	}
	flying := o.flying.Load()
	if err := w.platform.kill(); err != nil {
		return nil, err
	}
	cancel() // the lines notice that nobody answers; what had been answered is on record
	o.wait.Wait()
	f.note("in_flight", flying)
	f.note("ordered", len(o.all))
	f.note("acknowledged", o.acknowledged())
	if flying < leastInFlight {
		return nil, fmt.Errorf("only %d orders were in flight, of at least %d", flying, leastInFlight)
	}
	f.say("killed with %d orders in flight, %d acknowledged", flying, o.acknowledged())
	return o, nil
}

// acknowledgedIsThere asks for every workspace that was acknowledged, and logs in to some.
func (w *world) acknowledgedIsThere(ctx context.Context, f *finding, o *orders) error {
	client := tenantv1.NewWorkspaceServiceClient(w.admin.GRPC())
	logins := 0
	for _, order := range o.all {
		if order.reply == nil {
			continue
		}
		name := order.reply.GetWorkspace().GetName()
		reply, err := client.GetWorkspace(ctx, &tenantv1.GetWorkspaceRequest{Name: name})
		if err != nil {
			return fmt.Errorf("%s was acknowledged and is lost: %w", name, err)
		}
		if got := reply.GetWorkspace().GetDisplayName(); got != order.name {
			return fmt.Errorf("%s was ordered as %q and is %q", name, order.name, got)
		}
		if logins < sample {
			if err := w.usable(ctx, order.reply); err != nil {
				return fmt.Errorf("%s was acknowledged and cannot be used: %w", name, err)
			}
			logins++
		}
	}
	f.note("logged_in_to", logins)
	f.say("all acknowledged there, %d logged in to", logins)
	return nil
}

// usable writes a row and an object with a workspace's own credentials.
func (w *world) usable(ctx context.Context, made *tenantv1.CreateWorkspaceResponse) error {
	ws, err := w.settle(made)
	if err != nil {
		return err
	}
	defer ws.door.Close()
	if err := ws.sql.Try(ctx, "CREATE TABLE alive (id int); INSERT INTO alive VALUES (1)"); err != nil {
		return fmt.Errorf("SQL: %w", err)
	}
	if err := ws.s3.Put(ctx, "alive", []byte("yes")); err != nil {
		return fmt.Errorf("S3: %w", err)
	}
	return nil
}

// nothingTwice repeats every order under its request id, and counts: there must be one workspace for each.
func (w *world) nothingTwice(ctx context.Context, f *finding, before map[string]bool, o *orders) error {
	w.progress("repeating %d orders", len(o.all))
	names, err := o.repeat(ctx, w.admin)
	if err != nil {
		return fmt.Errorf("repeat an order: %w", err)
	}
	given := map[string]bool{}
	for _, name := range names {
		if given[name] || before[name] {
			return fmt.Errorf("%s was given to two orders", name)
		}
		given[name] = true
	}
	after, err := w.list(ctx)
	if err != nil {
		return err
	}
	f.note("workspaces_before", len(before))
	f.note("workspaces_after", len(after))
	if want := len(before) + len(o.all); len(after) != want {
		return fmt.Errorf("%d workspaces instead of %d: something is there twice or not at all", len(after), want)
	}
	f.say("%d orders repeated: one workspace each", len(o.all))
	return nil
}

// observeBoth looks at both customers.
func (w *world) observeBoth(ctx context.Context) (kept [2]moment, err error) {
	for i, ws := range []*workspace{w.shop, w.neighbour} {
		if kept[i], err = ws.observe(ctx); err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// oldDataIsThere sees that both customers have what they had.
func (w *world) oldDataIsThere(ctx context.Context, kept [2]moment) error {
	w.progress("looking at what the customers had")
	now, err := w.observeBoth(ctx)
	if err != nil {
		return err
	}
	for i := range now {
		if err := now[i].sameAs(kept[i]); err != nil {
			return fmt.Errorf("what was there before the kill: %w", err)
		}
	}
	return nil
}

// list returns the names of all live workspaces, page by page. A name that comes twice is an error.
func (w *world) list(ctx context.Context) (map[string]bool, error) {
	client := tenantv1.NewWorkspaceServiceClient(w.admin.GRPC())
	names := map[string]bool{}
	for token := ""; ; {
		page, err := client.ListWorkspaces(ctx, &tenantv1.ListWorkspacesRequest{PageSize: 100, PageToken: token})
		if err != nil {
			return nil, fmt.Errorf("list workspaces: %w", err)
		}
		for _, ws := range page.GetWorkspaces() {
			if names[ws.GetName()] {
				return nil, fmt.Errorf("the list shows %s twice", ws.GetName())
			}
			names[ws.GetName()] = true
		}
		if token = page.GetNextPageToken(); token == "" {
			return names, nil
		}
	}
}
