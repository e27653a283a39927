package demo

import (
	"context"
	"fmt"
	"time"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// creates is how many more workspaces are made to measure the time of one.
const creates = 20

// start brings the platform up, makes two workspaces, one over each protocol, and measures how long one takes.
func start(ctx context.Context, w *world, f *finding) error {
	w.progress("starting the platform")
	begin := time.Now()
	if err := w.platform.start(ctx); err != nil {
		return err
	}
	f.note("start_seconds", time.Since(begin))
	f.say("ready in %s", Took(time.Since(begin)))
	if err := w.enter(); err != nil {
		return err
	}
	if err := w.createTwo(ctx); err != nil {
		return err
	}
	if err := w.measureCreates(ctx, f); err != nil {
		return err
	}
	return w.hearOf(ctx, f, w.shop, w.neighbour)
}

func (w *world) createTwo(ctx context.Context) error {
	w.progress("creating two workspaces")
	made, err := w.create(ctx, "Shop Ελλάδα ☕")
	if err != nil {
		return fmt.Errorf("create a workspace over gRPC: %w", err)
	}
	if w.shop, err = w.settle(made); err != nil {
		return err
	}
	made = &tenantv1.CreateWorkspaceResponse{}
	order := &tenantv1.CreateWorkspaceRequest{DisplayName: "Neighbour", Plan: "pro", RequestId: newID()}
	if err = w.admin.REST(ctx, "POST", "/v1/workspaces", order, made); err != nil {
		return fmt.Errorf("create a workspace over REST: %w", err)
	}
	w.neighbour, err = w.settle(made)
	return err
}

func (w *world) create(ctx context.Context, name string) (*tenantv1.CreateWorkspaceResponse, error) {
	return tenantv1.NewWorkspaceServiceClient(w.admin.GRPC()).CreateWorkspace(ctx, &tenantv1.CreateWorkspaceRequest{
		DisplayName: name, Plan: "pro", RequestId: newID(),
	})
}

func (w *world) measureCreates(ctx context.Context, f *finding) error {
	var measured []time.Duration
	for i := range creates {
		begin := time.Now()
		if _, err := w.create(ctx, fmt.Sprintf("Measured %d", i)); err != nil {
			return fmt.Errorf("create workspace %d: %w", i, err)
		}
		measured = append(measured, time.Since(begin))
	}
	p50, p99 := percentile(measured, 50), percentile(measured, 99)
	f.note("creates", creates)
	f.note("create_p50_seconds", p50)
	f.note("create_p99_seconds", p99)
	f.say("%d workspaces created, one takes %s (p50), %s (p99)", creates+2, Took(p50), Took(p99))
	return nil
}

// hearOf waits until the subscriber has heard of the workspaces' creation.
func (w *world) hearOf(ctx context.Context, f *finding, all ...*workspace) error {
	ctx, cancel := bounded(ctx, patience, "hearing of the new workspaces")
	defer cancel()
	for _, ws := range all {
		if _, err := w.feed.Await(ctx, "naksha.feed.tenant.v1.", "."+ws.ref); err != nil {
			return fmt.Errorf("the fact that %s was created: %w", ws.name, err)
		}
	}
	f.note("facts_heard", w.feed.Count())
	return nil
}
