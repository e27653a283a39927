package backup

import (
	"context"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/backup/internal/custody"
	"github.com/naksha-cloud/naksha/services/backup/internal/stage"
	"github.com/naksha-cloud/naksha/services/backup/internal/store"
	"github.com/naksha-cloud/naksha/services/backup/internal/take"
	"github.com/naksha-cloud/naksha/services/backup/internal/work"
)

// crew is all workers of the service. They are made at start, when the root key is read.
type crew struct {
	service *Service

	mu    sync.Mutex
	group *run.Group
	kicks map[string]func()
}

func (s *Service) hire() *crew { return &crew{service: s} }

// kick wakes a worker, if there is one.
func (c *crew) kick(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.kicks[name]; f != nil {
		f()
	}
}

func (c *crew) snapshot() { c.kick("snapshot") }
func (c *crew) restore()  { c.kick("restore") }
func (c *crew) redeem()   { c.kick("credential") }
func (c *crew) leftover() { c.kick("leftover") }

// Start reads the root key and starts the workers.
func (c *crew) Start(ctx context.Context) error {
	root, err := seal.ReadRoot(c.service.config.RootKeyFile)
	if err != nil {
		return err
	}
	box, err := root.Box("backup/reader")
	if err != nil {
		return err
	}
	loops := c.loops(root, custody.New(c.service.store, c.service.peers, box))
	group := run.NewGroup()
	kicks := map[string]func(){}
	for _, l := range loops {
		group.Add(run.Named(l.Name(), l))
		kicks[l.Name()] = l.Kick
	}
	c.mu.Lock()
	c.group, c.kicks = group, kicks
	c.mu.Unlock()
	return group.Start(ctx)
}

// Stop interrupts the workers; their jobs are given back.
func (c *crew) Stop(ctx context.Context) error {
	c.mu.Lock()
	group := c.group
	c.group, c.kicks = nil, nil
	c.mu.Unlock()
	if group == nil {
		return nil
	}
	return group.Stop(ctx)
}

func (c *crew) loops(root seal.Root, keeper *custody.Custody) []*work.Loop {
	s := c.service
	taker := &take.Taker{Config: take.Config{
		Store: s.store, Cells: keeper, Regions: s.regions, Root: root, Readers: s.config.Sessions, Retry: s.config.Retry,
		Clock: s.core.Clock, Log: s.core.Log,
	}}
	stager := &stage.Stager{Config: stage.Config{
		Store: s.store, Cells: s.peers, Readers: keeper, Regions: s.regions, Root: root, Sessions: s.config.Sessions,
		LoadTime: s.config.LoadTime, KeepUndo: s.config.KeepUndo, Retry: s.config.Retry, Leftover: c.leftover, Clock: s.core.Clock, Log: s.core.Log,
	}}
	return []*work.Loop{
		c.loop("bucket", s.config.Retry, func(ctx context.Context) (bool, error) { return false, s.regions.Ensure(ctx) }),
		c.loop("credential", s.config.Poll, func(ctx context.Context) (bool, error) { return keeper.Next(ctx, work.Backoff) }),
		c.runner("snapshot", store.SnapshotQueue{Store: s.store}, taker.Snapshot),
		c.runner("restore", store.RestoreQueue{Store: s.store}, stager.Restore),
		c.loop("schedule", s.config.Poll, func(ctx context.Context) (bool, error) { return c.due(ctx) }),
		c.loop("missing copy", s.config.Poll, func(ctx context.Context) (bool, error) { return taker.MakeUp(ctx, s.store) }),
		c.loop("absent region", s.config.Poll, func(ctx context.Context) (bool, error) { return stager.CatchUp(ctx, s.store) }),
		c.loop("leftover", s.config.Poll, func(ctx context.Context) (bool, error) { return stager.ClearUp(ctx, s.store) }),
	}
}

func (c *crew) loop(name string, every time.Duration, step func(ctx context.Context) (bool, error)) *work.Loop {
	return work.NewLoop(work.LoopConfig{
		Name: name, Every: every, Step: step, Clock: c.service.core.Clock, Log: c.service.core.Log,
	})
}

func (c *crew) runner(name string, queue work.Queue, handle func(context.Context, work.Job) error) *work.Loop {
	s := c.service
	return work.New(work.Config{
		Name: name, Parallel: s.config.Parallel, Lease: s.config.Lease, Poll: s.config.Poll, Patience: s.config.Patience,
		Queue: queue, Handle: handle, Clock: s.core.Clock, Log: s.core.Log,
	}).Loop
}

// due starts one scheduled snapshot.
func (c *crew) due(ctx context.Context) (bool, error) {
	started, err := c.service.store.Due(ctx)
	if started {
		c.snapshot()
	}
	return started, err
}
