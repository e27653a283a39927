package support

import (
	"strings"
	"testing"
)

func TestServerLogsKeepNoValues(t *testing.T) {
	t.Parallel()
	const log = `sit of a cut line: secret
2026-11-22 14:49:47.123 UTC [7] LOG:  database system is ready to accept connections
2026-11-22 14:49:48.123 UTC [8] w_a_g1@cell1 ERROR:  duplicate key value secret
2026-11-22 14:49:48.123 UTC [8] w_a_g1@cell1 DETAIL:  Key (name)=(secret) already exists.
2026-11-22 14:49:48.123 UTC [8] w_a_g1@cell1 CONTEXT:  COPY t, line 1: "secret"
2026-11-22 14:49:48.123 UTC [8] w_a_g1@cell1 STATEMENT:  INSERT INTO t VALUES ('
	secret')
2026-11-22 14:49:49.123 UTC [8] w_a_g1@cell1 WARNING:  secret
2026-11-22 14:49:49.123 UTC [8] w_a_g1@cell1 LOG:  secret
	2026-11-22 14:49:49.123 UTC [8] LOG:  secret
2026-11-22 14:49:50.123 UTC [9] w_a_g1@cell1 FATAL:  too many connections for role "w_a_g1"
2026-11-22 14:49:51.123 UTC [10] ERROR:  secret of a parallel worker
2026-11-22 14:49:52.123 UTC [7] LOG:  server process (PID 8) was terminated by signal 9: Killed
2026-11-22 14:49:52.123 UTC [7] DETAIL:  Failed process was running: SELECT 'secret'
2026-11-22 14:49:53.123 UTC [7] PANIC:  could not write to file
`
	const want = `2026-11-22 14:49:47.123 UTC [7] LOG:  database system is ready to accept connections
2026-11-22 14:49:48.123 UTC [8] w_a_g1@cell1 ERROR:  left out
2026-11-22 14:49:49.123 UTC [8] w_a_g1@cell1 WARNING:  left out
2026-11-22 14:49:49.123 UTC [8] w_a_g1@cell1 LOG:  left out
2026-11-22 14:49:50.123 UTC [9] w_a_g1@cell1 FATAL:  too many connections for role "w_a_g1"
2026-11-22 14:49:51.123 UTC [10] ERROR:  left out
2026-11-22 14:49:52.123 UTC [7] LOG:  server process (PID 8) was terminated by signal 9: Killed
2026-11-22 14:49:53.123 UTC [7] PANIC:  could not write to file
`
	if got := string(withoutValues([]byte(log))); got != want {
		t.Errorf("kept\n%s", got)
	}
	if kept := withoutValues([]byte(strings.ReplaceAll(log, "UTC", "IST"))); len(kept) != 0 {
		t.Errorf("of a log in another form, it kept\n%s", kept)
	}
}
