package chaostest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sickness is something around a platform that fails for a while and is then well again.
type Sickness struct {
	Name   string
	Long   time.Duration // at least: it lasts until the platform has named it
	Strike func() error
	Heal   func() error
	Serves bool // orders are acknowledged all the same
}

// Sickness strikes with orders in flight, waits until the platform names what fails, heals, and returns when
// orders of every kind are acknowledged and the platform is ready again. Nobody touches the platform meanwhile. That it
// was sick must be in alerting's books at the end.
func (tr *Trial) Sickness(ctx context.Context, s Sickness) (string, error) {
	ctx, cancel := bounded(ctx, s.Long+3*healing, "surviving a "+s.Name)
	defer cancel()
	before, err := tr.incidents(ctx)
	if err != nil {
		return "", err
	}
	if _, err := tr.moment(ctx); err != nil {
		return "", err
	}
	struck := time.Now()
	if err := s.Strike(); err != nil {
		return "", err
	}
	noticed, err := tr.notice(ctx)
	if err != nil {
		return "", errors.Join(err, s.Heal())
	}
	if s.Serves {
		if _, err := tr.History.AwaitMore(ctx, tr.traffic, goesOn); err != nil {
			return "", errors.Join(fmt.Errorf("during the %s: %w", s.Name, err), s.Heal())
		}
	}
	rest(ctx, s.Long-time.Since(struck))
	healed := time.Now()
	if err := s.Heal(); err != nil {
		return "", err
	}
	last, err := tr.GoesOn(ctx)
	if err = errors.Join(err, tr.AwaitReady(ctx, healing-time.Since(healed))); err != nil {
		return "", fmt.Errorf("after the %s had healed: %w", s.Name, err)
	}
	on := time.Since(healed)
	err = until(ctx, func() error {
		after, err := tr.incidents(ctx)
		if err == nil && after <= before {
			err = errors.New("alerting was not told")
		}
		return err
	})
	return fmt.Sprintf("%s for %.1f s: reported after %.1f s, on again %.1f s after healing (%s last), alerting told after %.1f s",
		s.Name, healed.Sub(struck).Seconds(), noticed.Seconds(), on.Seconds(), last, time.Since(healed).Seconds()), err
}

// notice waits until the platform says that something around it fails, and returns how long that took. A service that is
// merely late may be unready too, of which alerting is not told.
func (tr *Trial) notice(ctx context.Context) (time.Duration, error) {
	ctx, cancel := bounded(ctx, healing, "the platform's word that something is wrong")
	defer cancel()
	begin := time.Now()
	err := until(ctx, func() error {
		err := tr.Ready(ctx)
		if err != nil && strings.Contains(err.Error(), "[-]up/servers failed") {
			return nil
		}
		return errors.Join(errors.New("it names nothing that fails"), err)
	})
	return time.Since(begin), err
}

// incidents counts the servers' failures that alerting knows of, ended ones too.
func (tr *Trial) incidents(ctx context.Context) (n int, err error) {
	found, err := tr.Clients.counted("SELECT 'failures', count(*) FROM alerting.alert WHERE labels->>'alertname' = 'ServerFails'")(ctx)
	return found["failures"], err
}
