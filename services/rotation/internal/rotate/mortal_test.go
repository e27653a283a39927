package rotate_test

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/generation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotate"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// errDead is what everything answers in a process that is gone.
var errDead = errors.New("the process is dead")

// fate decides at which boundary a process dies, or loses a reply. Boundaries are counted from 1: one before and one
// after each write of the journal and each act at the target.
type fate struct {
	dieAt, loseAt int
	look          func(where string) // called at each boundary; nil = nobody looks

	passed int
	dead   bool
	names  []string
}

// pass says at each boundary whether the process still lives.
func (f *fate) pass(where string) error {
	if f.dead {
		return errDead
	}
	f.passed++
	f.names = append(f.names, where)
	if f.look != nil {
		f.look(where)
	}
	if f.passed == f.dieAt {
		f.dead = true
		return errDead
	}
	return nil
}

// around runs one act between two boundaries. A reply that is lost leaves the effect.
func (f *fate) around(name string, act func() error) error {
	if err := f.pass("before " + name); err != nil {
		return err
	}
	err := act()
	if dead := f.pass("after " + name); dead != nil {
		return dead
	}
	if f.passed == f.loseAt {
		return status.Error(codes.Unavailable, "the reply was lost")
	}
	return err
}

// mortalJournal is a Journal in a process that may die.
type mortalJournal struct {
	rotate.Journal
	fate *fate
}

func (m mortalJournal) Claim(ctx context.Context, owner string, limit int, d time.Duration) (l []*rotate.Lease, err error) {
	err = m.fate.around("claim", func() (err error) { l, err = m.Journal.Claim(ctx, owner, limit, d); return err })
	return l, err
}

func (m mortalJournal) Intend(ctx context.Context, l *rotate.Lease, d rotation.Decision) error {
	return m.fate.around("intent "+string(d.Action), func() error { return m.Journal.Intend(ctx, l, d) })
}

func (m mortalJournal) Record(ctx context.Context, l *rotate.Lease, o rotate.Outcome) error {
	return m.fate.around("record "+string(o.Decision.Action), func() error { return m.Journal.Record(ctx, l, o) })
}

func (m mortalJournal) Park(ctx context.Context, l *rotate.Lease, r rotation.Rotation) error {
	return m.fate.around("park", func() error { return m.Journal.Park(ctx, l, r) })
}

// mortalDriver is a Driver in a process that may die.
type mortalDriver struct {
	rotate.Driver
	fate *fate
}

func (m mortalDriver) text(name string, act func() (string, error)) (text string, err error) {
	err = m.fate.around(name, func() (err error) { text, err = act(); return err })
	return text, err
}

func (m mortalDriver) Install(ctx context.Context, t rotate.Target, s generation.Secret) (string, error) {
	return m.text("install", func() (string, error) { return m.Driver.Install(ctx, t, s) })
}

func (m mortalDriver) Observe(ctx context.Context, c credential.Name) (found map[int32]rotation.Presence, err error) {
	err = m.fate.around("observe", func() (err error) { found, err = m.Driver.Observe(ctx, c); return err })
	return found, err
}

func (m mortalDriver) Verify(ctx context.Context, t rotate.Target, s generation.Secret) (string, error) {
	return m.text("verify", func() (string, error) { return m.Driver.Verify(ctx, t, s) })
}

func (m mortalDriver) Disable(ctx context.Context, t rotate.Target) (string, error) {
	return m.text("disable", func() (string, error) { return m.Driver.Disable(ctx, t) })
}

func (m mortalDriver) Enable(ctx context.Context, t rotate.Target) (string, error) {
	return m.text("enable", func() (string, error) { return m.Driver.Enable(ctx, t) })
}

func (m mortalDriver) ProveDead(ctx context.Context, t rotate.Target, s generation.Secret) (string, error) {
	return m.text("prove dead", func() (string, error) { return m.Driver.ProveDead(ctx, t, s) })
}

func (m mortalDriver) Destroy(ctx context.Context, t rotate.Target) (string, error) {
	return m.text("destroy", func() (string, error) { return m.Driver.Destroy(ctx, t) })
}
