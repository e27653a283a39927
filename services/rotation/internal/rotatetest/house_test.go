package rotatetest_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/sim"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotatetest"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

const (
	lease    = 15 * time.Second
	quiet    = 10 * time.Second
	deadline = 3 * time.Minute
	server   = "servers/one"
)

// house is the rotation service in two replicas, with a database, a cell, and everybody around it.
type house struct {
	*sim.World
	record *rotatetest.Record
	cell   *rotatetest.Cell
	parts  parts

	holders  []*holder
	sessions []*session
	rules    *rules
	meddling bool        // somebody else changes logins: both may be dead for a while
	calm     atomic.Bool // no new rotations
}

// parts are what a variant, broken on purpose, replaces.
type parts struct {
	telemetry *obs.Telemetry
	journal   func(rotate.Journal) rotate.Journal
	driver    func(rotate.Driver) rotate.Driver
}

// newHouse has two workspaces and, as their server's, backup's reading credential.
func newHouse(w *sim.World, p parts) *house {
	h := &house{World: w, record: rotatetest.NewRecord(), cell: rotatetest.NewCell(w.Now), parts: p}
	w.Lateness = 3 * time.Second // with half a lease and two wrong clocks less than a lease: no order outlives the right to give it
	h.rules = newRules(h)
	h.meddling = w.Chance(4)
	for i := range 1 + w.Rand.IntN(2) {
		owner := fmt.Sprintf("workspaces/%020d", i)
		h.cell.Owners[owner] = map[int32]*rotatetest.Login{1: {Enabled: true, Verifier: rotatetest.Verifier("first")}}
		h.holders = append(h.holders, &holder{
			house: h, name: credential.ForWorkspace(owner), owner: owner, config: config{current: 1, password: "first"},
		})
	}
	h.cell.Owners[server] = map[int32]*rotatetest.Login{}
	h.holders = append(h.holders, &holder{house: h, name: credential.ForServer(server), owner: server, service: "backup"})
	h.register()
	return h
}

// register takes the workspaces in, as the fact of their creation does.
func (h *house) register() {
	conn := h.record.Plain(clock.System())
	for _, holder := range h.holders {
		if holder.service != "" {
			continue
		}
		w := custody.Workspace{Name: holder.owner, Server: server, Generation: 1}
		err := conn.InTx(context.Background(), func(ctx context.Context, tx *pg.Tx) error { return h.custody(conn, nil).Register(ctx, tx, w) })
		if err != nil {
			h.Fail("register %s: %v", holder.owner, err)
		}
	}
}

func (h *house) custody(conn *rotatetest.Conn, d *rotatetest.Driver) *custody.Custody {
	return custody.New(custody.Config{QuietWindow: quiet, Deadline: deadline}, custody.Deps{
		Store: conn, Emit: conn.Emit, Kick: func() {}, Log: h.parts.telemetry.Log,
		Locators: map[credential.Kind]custody.Locator{credential.Database: d, credential.BackupReader: d},
	})
}

// live starts everybody.
func (h *house) live() {
	for _, name := range []string{"replica 1", "replica 2"} {
		h.Actor(name, h.replica)
	}
	for i, holder := range h.holders {
		h.Actor(fmt.Sprintf("holder %d", i+1), holder.run)
	}
	h.Actor("operator", h.operator)
	h.Actor("keepalive", h.keepalive)
	h.Actor("inbox", h.inbox)
	h.Event("a forgotten program logs in", h.forgotten)
	if h.meddling {
		h.Event("somebody meddles", h.meddle)
	}
	if h.Chance(4) {
		h.Event("the cell goes or comes", h.outage)
	}
	if h.Chance(6) {
		h.Event("a workspace is deleted", h.deleteWorkspace)
	}
}

// replica is one process of the service: the real engine and worker.
func (h *house) replica(p *sim.Process) {
	journal, driver := rotate.Journal(h.record.Connect(p)), rotate.Driver(h.cell.Driver(p))
	if h.parts.journal != nil {
		journal = h.parts.journal(journal)
	}
	if h.parts.driver != nil {
		driver = h.parts.driver(driver)
	}
	engine, err := rotate.NewEngine(rotate.EngineDeps{
		Journal: journal, Clock: p.Clock(), Telemetry: h.parts.telemetry, Chance: p.Float64,
		Drivers: map[credential.Kind]rotate.Driver{credential.Database: driver, credential.BackupReader: driver},
	})
	if err != nil {
		panic(err)
	}
	worker := rotate.NewWorker(engine, rotate.WorkerConfig{Owner: p.Name(), Lease: lease, Limit: 2})
	_ = worker.Start(p.Context())
	<-p.Context().Done()
	_ = worker.Stop(context.Background())
}

// operator starts rotations, and repeats an order until it is answered.
func (h *house) operator(p *sim.Process) {
	custody := h.custody(h.record.Connect(p), h.cell.Driver(p))
	for n := 1; p.Pause(time.Duration(p.Float64() * float64(40*time.Second))); n++ {
		of := h.holders[int(p.Float64()*float64(len(h.holders)))]
		id := fmt.Sprintf("%d-%d", p.Life, n)
		for try := 0; try < 3 && !h.calm.Load(); try++ {
			_, _, err := custody.Create(p.Context(), order(of.name, id))
			if err == nil {
				break
			}
		}
	}
}

func order(n credential.Name, id string) custody.Order {
	return custody.Order{Credential: n, Request: custody.Request{Scope: "operator", ID: id, Hash: []byte(n)}}
}

// inbox hears of deleted workspaces.
func (h *house) inbox(p *sim.Process) {
	conn := h.record.Connect(p)
	custody := h.custody(conn, h.cell.Driver(p))
	for p.Pause(5 * time.Second) {
		_ = conn.InTx(p.Context(), func(ctx context.Context, tx *pg.Tx) error {
			for _, holder := range h.holders {
				if !holder.gone {
					continue
				}
				if err := custody.Retire(ctx, tx, holder.owner); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// outage takes the cell away from everybody, or gives it back.
func (h *house) outage() {
	switch {
	case h.cell.Broken != nil && h.Chance(4):
		h.cell.Broken = nil
	case h.Chance(4):
		h.cell.Broken = status.Error(codes.Unavailable, "away")
	}
}

// deleteWorkspace is what tenant does first: nobody may log in any more.
func (h *house) deleteWorkspace() {
	holder := h.holders[h.Rand.IntN(len(h.holders))]
	if holder.service != "" || holder.gone {
		return
	}
	holder.gone, h.cell.Gone[holder.owner] = true, true
	for _, l := range h.cell.Owners[holder.owner] {
		l.Enabled, l.Sessions = false, 0
	}
}

// meddle changes a login behind the service's back.
func (h *house) meddle() {
	holder := h.holders[h.Rand.IntN(len(h.holders))]
	numbers := h.numbers(holder.owner)
	if len(numbers) == 0 || holder.gone {
		return
	}
	l := h.cell.Owners[holder.owner][numbers[h.Rand.IntN(len(numbers))]]
	switch h.Rand.IntN(3) {
	case 0:
		l.Enabled = false
	case 1:
		l.Enabled = true
	case 2:
		l.Verifier = "somebody else's"
	}
}

func (h *house) numbers(owner string) (numbers []int32) {
	for number := range h.cell.Owners[owner] {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

// mend brings the cell back, and gives every login back that its holder, or the rotation under way, counts on.
func (h *house) mend() {
	h.cell.Broken = nil
	for _, holder := range h.holders {
		for number, l := range h.cell.Owners[holder.owner] {
			g := h.record.Generations[holder.name][number]
			known := g.State != generation.Quarantined && g.State != generation.Destroyed || number == holder.current
			if known && !holder.gone {
				l.Enabled = true
				l.Verifier = rotatetest.Verifier(h.passwordOf(holder, number))
			}
		}
	}
}

func (h *house) passwordOf(of *holder, number int32) string {
	if secret := h.record.Generations[of.name][number].Secret; !secret.Zero() {
		return secret.Password.Reveal()
	}
	return "first"
}

// open is what is still under way, or who does not use what is active; nil = nothing.
func (h *house) open() error {
	for _, o := range h.holders {
		if r := h.record.Active(o.name); r != nil {
			return fmt.Errorf("%s is %s %+v", r.Name(), r.State, r.Blocked)
		}
		if active := h.record.Credentials[o.name].Active; !o.gone && o.current != active {
			return fmt.Errorf("the holder of %s uses generation %d, active is %d", o.name, o.current, active)
		}
	}
	return nil
}

// underWay is the rotation of a credential that has not ended.
func (h *house) underWay(n credential.Name) (rotation.Rotation, bool) {
	if r := h.record.Active(n); r != nil {
		return r.Rotation, true
	}
	return rotation.Rotation{}, false
}
