package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/jobs"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
)

func TestPeriodicWorkRunsAtStartAndAgain(t *testing.T) {
	t.Parallel()
	c, ran := newClient(t, pgtest.Pool(t, nil)), make(chan time.Time, 64)
	jobs.Every(c, "tick", time.Second, func(context.Context) error {
		ran <- time.Now()
		return errors.New("a failure does not end the schedule")
	})
	begun := time.Now() // a run may come late, and those after it are due at once; none comes early
	start(t, c)
	receive(t, ran)
	receive(t, ran)
	if third := receive(t, ran); third.Sub(begun) < 1500*time.Millisecond {
		t.Errorf("three runs within %v", third.Sub(begun))
	}
}
