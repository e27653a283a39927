package chaostest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

const (
	// leastFlying orders must wait for their answer when a fault strikes, or it shows nothing.
	leastFlying = 50
	// goesOn is how many more orders of every kind must be acknowledged before a fault counts as survived.
	goesOn = 3
)

// healing is how long that may take.
var healing = localtest.Bar(60 * time.Second)

// Trial is a platform under traffic.
type Trial struct {
	*Platform
	Clients *Clients
	History *History

	traffic Traffic
	chance  *rand.Rand
	calm    func() // ends the traffic
}

// Begin starts the platform and the traffic, which ends with the test.
func Begin(t testing.TB, p *Platform, chance *rand.Rand) *Trial {
	t.Helper()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	clients, err := NewClients(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	tr := &Trial{Platform: p, Clients: clients, History: NewHistory(), traffic: clients.Traffic(), chance: chance}
	tr.calm = sync.OnceFunc(tr.History.Run(context.WithoutCancel(t.Context()), tr.traffic, chance))
	t.Cleanup(func() {
		tr.calm()
		clients.Close()
	})
	return tr
}

// Calm ends the traffic for good and waits for the clients.
func (tr *Trial) Calm() { tr.calm() }

// moment lets all clients place orders at the same time, and returns a random moment later, when enough of them are in
// flight. The clients go on.
func (tr *Trial) moment(ctx context.Context) (int, error) {
	for {
		tr.History.Hold()
		if err := tr.History.Drained(ctx); err != nil {
			return 0, err
		}
		tr.History.Release()
		rest(ctx, time.Duration(tr.chance.IntN(20_000))*time.Microsecond)
		if flying := tr.History.Flying(); flying >= leastFlying || ctx.Err() != nil {
			return flying, context.Cause(ctx)
		}
	}
}

// Kill kills a target with orders in flight, starts the platform again where it ended with it, and returns when orders of
// every kind are acknowledged again, with a line that tells of it.
func (tr *Trial) Kill(ctx context.Context, target Target) (string, error) {
	ctx, cancel := bounded(ctx, startTime+2*healing, "surviving the kill of "+target.Name)
	defer cancel()
	flying, err := tr.moment(ctx)
	if err != nil {
		return "", err
	}
	begin := time.Now()
	if err := target.Signal(ctx, tr.Platform, syscall.SIGKILL); err != nil {
		return "", err
	}
	if target.Ends {
		<-tr.done
		if err := tr.Start(ctx); err != nil {
			return "", err
		}
	}
	last, err := tr.GoesOn(ctx)
	return fmt.Sprintf("%s killed with %d orders in flight, on again after %.1f s, %s last", target.Name, flying, time.Since(begin).Seconds(), last), err
}

// PowerLoss kills everything at once with orders in flight, lets the disk forget, and starts the platform again.
func (tr *Trial) PowerLoss(ctx context.Context, forget func() error) (string, error) {
	ctx, cancel := bounded(ctx, startTime+2*healing, "surviving a power loss")
	defer cancel()
	flying, err := tr.moment(ctx)
	if err != nil {
		return "", err
	}
	machine := Target{Name: "machine", find: everything}
	if err := machine.Signal(ctx, tr.Platform, syscall.SIGKILL); err != nil {
		return "", err
	}
	<-tr.done
	begin := time.Now()
	if err := until(ctx, forget); err != nil {
		return "", err
	}
	if err := tr.Start(ctx); err != nil {
		return "", err
	}
	last, err := tr.GoesOn(ctx)
	return fmt.Sprintf("power lost with %d orders in flight, on again after %.1f s, %s last", flying, time.Since(begin).Seconds(), last), err
}

// Pause stops a target for a while where it stands, with orders in flight, and lets it go on.
func (tr *Trial) Pause(ctx context.Context, target Target, long time.Duration) (string, error) {
	ctx, cancel := bounded(ctx, startTime+2*healing, "surviving the pause of "+target.Name)
	defer cancel()
	flying, err := tr.moment(ctx)
	if err != nil {
		return "", err
	}
	if err := target.Signal(ctx, tr.Platform, syscall.SIGSTOP); err != nil {
		return "", err
	}
	rest(ctx, long)
	begin := time.Now()
	if err := target.Signal(ctx, tr.Platform, syscall.SIGCONT); err != nil {
		return "", err
	}
	last, err := tr.GoesOn(ctx)
	return fmt.Sprintf("%s paused for %v with %d orders in flight, on again after %.1f s, %s last", target.Name, long, flying, time.Since(begin).Seconds(), last), err
}

// GoesOn waits until orders of every kind are acknowledged again, and then holds the clients. It returns the kind that was
// last.
func (tr *Trial) GoesOn(ctx context.Context) (last string, err error) {
	ctx, cancel := bounded(ctx, healing, "going on")
	defer cancel()
	defer tr.History.Hold()
	return tr.History.AwaitMore(ctx, tr.traffic, goesOn)
}

// Check lets outsiders look for what is lost or there twice. Servers may just be coming back.
func (tr *Trial) Check(ctx context.Context) (v Verdict, err error) {
	ctx, cancel := bounded(ctx, healing, "counting effects")
	defer cancel()
	err = until(ctx, func() (err error) {
		v, err = tr.History.Judge(ctx, tr.traffic)
		return err
	})
	if err != nil {
		return v, err
	}
	return v, v.Err()
}
