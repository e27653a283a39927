// Package rotate carries rotations out: it asks the state machine what to do, has it done by the credential's driver, and
// keeps the journal's rule. An intent commits before each act at a target, its outcome after it; whoever resumes looks at
// the target first and adopts or repeats. It owns no rule of the machine and speaks no protocol of a target.
package rotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/rotation"
)

// Engine advances one rotation at a time. It is safe for concurrent use.
type Engine struct {
	journal   Journal
	drivers   map[credential.Kind]Driver
	clock     clock.Clock
	log       *slog.Logger
	chance    func() float64
	telemetry *obs.Telemetry
	metrics   *metrics
}

// EngineDeps are an Engine's parts, all required but Chance.
type EngineDeps struct {
	Journal   Journal
	Drivers   map[credential.Kind]Driver
	Clock     clock.Clock
	Telemetry *obs.Telemetry
	Chance    func() float64 // in [0, 1), spreads retries; nil = the machine's
}

// NewEngine returns an Engine.
func NewEngine(d EngineDeps) (*Engine, error) {
	m, err := newMetrics(d.Telemetry)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		journal: d.Journal, drivers: d.Drivers, clock: d.Clock, log: d.Telemetry.Log, chance: d.Chance,
		telemetry: d.Telemetry, metrics: m,
	}
	if e.chance == nil {
		e.chance = rand.Float64
	}
	return e, nil
}

// Advance takes l as far as it goes now, and gives it back. nil also when another replica took it over. An error says
// that the journal failed or that ctx ended: the lease's end lets another try resume.
func (e *Engine) Advance(ctx context.Context, l *Lease) error {
	var seen *rotation.Observation
	for {
		d := rotation.Step(l.Rotation, seen, e.now())
		var err error
		switch d.Action {
		case rotation.Wait:
			return e.fenced(ctx, l, e.journal.Park(ctx, l, rotation.Parked(l.Rotation, d, e.now())))
		case rotation.Observe:
			seen, err = e.observe(ctx, l, d)
		default:
			seen, err = nil, e.act(ctx, l, d)
		}
		if err != nil {
			return e.fenced(ctx, l, err)
		}
	}
}

// fenced makes the loss of a lease no error: the rotation is in other hands.
func (e *Engine) fenced(ctx context.Context, l *Lease, err error) error {
	if errors.Is(err, ErrFenced) {
		e.log.InfoContext(ctx, "rotation was taken over by another replica", "rotation", l.Rotation.Name(), "epoch", l.Epoch)
		return nil
	}
	return err
}

// observe looks at the target. nil, nil: looking failed, and that is on record.
func (e *Engine) observe(ctx context.Context, l *Lease, d rotation.Decision) (*rotation.Observation, error) {
	call, cancel := e.callContext(ctx, l)
	defer cancel()
	driver, err := e.driver(l.Rotation.Credential)
	if err != nil {
		return nil, err
	}
	found, err := driver.Observe(call, l.Rotation.Credential)
	if err != nil {
		return nil, e.failed(ctx, l, d, err)
	}
	return &rotation.Observation{Old: found[l.Rotation.Old], New: found[l.Rotation.New]}, nil
}

// act does what d says, intent first where the target is touched, and records what came of it.
func (e *Engine) act(ctx context.Context, l *Lease, d rotation.Decision) (err error) {
	ctx, span := e.telemetry.Span(ctx, "rotation "+string(d.Action))
	defer func() { obs.End(span, err) }()
	call, cancel := e.callContext(ctx, l) // before the intent, which prolongs the lease from when it began, not from when it ended
	defer cancel()
	if d.Action.External() {
		if err := e.journal.Intend(ctx, l, d); err != nil {
			return err
		}
	}
	outcome := Outcome{Decision: d}
	evidence, err := e.perform(call, l.Rotation, d, &outcome)
	if err != nil {
		return e.failed(ctx, l, d, err)
	}
	outcome.Transition = rotation.After(l.Rotation, d, evidence, e.now())
	before := l.Rotation.State
	if err := e.journal.Record(ctx, l, outcome); err != nil {
		return err
	}
	e.told(ctx, l, d, before, evidence)
	return nil
}

func (e *Engine) told(ctx context.Context, l *Lease, d rotation.Decision, before rotation.State, evidence string) {
	e.metrics.step(ctx, d, "ok")
	level := slog.LevelInfo
	if l.Rotation.State == rotation.Blocked {
		level = slog.LevelWarn
	}
	e.log.Log(ctx, level, "rotation stepped", "rotation", l.Rotation.Name(), "action", string(d.Action),
		"reason", string(d.Reason), "from", string(before), "to", string(l.Rotation.State), "evidence", evidence)
}

// perform does one action and returns its evidence.
func (e *Engine) perform(ctx context.Context, r rotation.Rotation, d rotation.Decision, out *Outcome) (string, error) {
	driver, err := e.driver(r.Credential)
	if err != nil {
		return "", err
	}
	older, newer := Target{r.Credential, r.Old}, Target{r.Credential, r.New}
	switch d.Action {
	case rotation.Mint:
		out.Secret, err = driver.Mint(ctx, newer)
		return "", err
	case rotation.Install:
		return e.withSecret(ctx, newer, driver.Install)
	case rotation.Verify:
		return e.withSecret(ctx, newer, driver.Verify)
	case rotation.Disable:
		return driver.Disable(ctx, older)
	case rotation.Enable:
		return driver.Enable(ctx, older)
	case rotation.ProveDead:
		return e.prove(ctx, driver, older, newer)
	case rotation.Destroy:
		return driver.Destroy(ctx, older)
	case rotation.Abort:
		return driver.Destroy(ctx, newer)
	}
	return "", nil // what is left changes the journal alone
}

// prove wants the old generation refused and the new one to work: the last look before there is no way back.
func (e *Engine) prove(ctx context.Context, driver Driver, older, newer Target) (string, error) {
	dead, err := e.withSecret(ctx, older, driver.ProveDead)
	if err != nil {
		return "", err
	}
	alive, err := e.withSecret(ctx, newer, driver.Verify)
	return dead + "; " + alive, err
}

// failed records that d failed. When ctx ended nothing is known, and nothing is recorded: whoever resumes looks.
func (e *Engine) failed(ctx context.Context, l *Lease, d rotation.Decision, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f := failureOf(err)
	e.metrics.step(ctx, d, string(f.Reason))
	e.log.WarnContext(ctx, "rotation step failed", "rotation", l.Rotation.Name(), "action", string(d.Action),
		"reason", string(f.Reason), "failures", l.Rotation.Failures+1, "error", err)
	t := rotation.Failed(l.Rotation, d, f, e.now(), e.chance())
	return e.journal.Record(ctx, l, Outcome{Decision: d, Transition: t, Failure: &f})
}

// callContext bounds the calls of one step, so that they end well before the lease does.
func (e *Engine) callContext(ctx context.Context, l *Lease) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.For/2)
}

func (e *Engine) driver(c credential.Name) (Driver, error) {
	driver, ok := e.drivers[c.Kind()]
	if !ok {
		return nil, fmt.Errorf("no driver for credentials of kind %s", c.Kind())
	}
	return driver, nil
}

func (e *Engine) now() time.Time { return e.clock.Now().Truncate(time.Microsecond) }
