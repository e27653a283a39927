package backup_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
)

func TestCustomersCodeThatWaitsKeepsNoRestoreWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Parallel, w.config.LoadTime = 1, 3*time.Second
	i := w.start(t)
	ref, customer := w.workspace(t)
	run(t, customer,
		`CREATE FUNCTION calm(v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN v; END'`,
		`CREATE TABLE trap (v int, c int GENERATED ALWAYS AS (calm(v)) STORED)`, `INSERT INTO trap VALUES (1)`,
		`CREATE OR REPLACE FUNCTION calm(v int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(86400); RETURN v; END'`)
	s := i.verified(t, ref)
	r := i.awaitRestore(t, i.beginRestore(t, s.GetName(), ""), backupv1.Restore_STATE_FAILED)
	if r.GetError().GetReason() != "RESTORE_TOO_SLOW" || r.GetError().GetRemedy() == "" {
		t.Errorf("error is %v", r.GetError())
	}
	servicetest.Eventually(t, func() error {
		if n := scan[int](t, w.cell, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"); n != 0 {
			return fmt.Errorf("%d sessions still wait", n)
		}
		return nil
	})
}
