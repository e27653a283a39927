package up

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestServersThatHangAreToldOfUntilTheyAnswerAgain(t *testing.T) {
	t.Parallel()
	p := startedWith(t, Config{Silence: 3 * time.Second})
	hung := map[string]int{"S3 region primary": p.primary.Load().PID(), "cell Postgres": p.cell.Load().PID()}
	for _, pid := range hung {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	await := func(what string, reached func(server string) bool) {
		for server := range hung {
			for !reached(server) {
				select {
				case <-ctx.Done():
					t.Fatalf("%s: %s: %v", what, server, p.serversReady(t.Context()))
				case <-time.After(50 * time.Millisecond):
				}
			}
		}
	}
	told := func(server string) bool {
		err := p.serversReady(ctx)
		return err != nil && strings.Contains(err.Error(), server+": it runs, but gives no answer")
	}
	await("it hangs, and nobody is told", told)
	await("`naksha status` is not told", func(server string) bool {
		err := p.Endpoints().ServersReady(ctx)
		return err != nil && strings.Contains(err.Error(), server)
	})
	for _, pid := range hung {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	await("it answers again, and its trouble lasts", func(server string) bool { return !told(server) })
	if p.primary.Load().PID() != hung["S3 region primary"] || p.cell.Load().PID() != hung["cell Postgres"] {
		t.Error("a server that only hung was restarted")
	}
}
