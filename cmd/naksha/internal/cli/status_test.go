package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestStatusShowsServersThatFailBelowServicesThatAreReady(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &App{Out: &out}
	s := platformStatus{Services: []partStatus{{Service: "tenant", Ready: true, PID: 7}}}
	if err := s.trouble(); err != nil {
		t.Errorf("a platform elsewhere: %v", err)
	}
	s.Servers = &partStatus{Service: "servers", Error: "disk of NATS: less than 64 MB are free"}
	if err := a.printStatus(s); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "servers  false") || !strings.Contains(out.String(), s.Servers.Error) {
		t.Errorf("shown:\n%s", out.String())
	}
	if err := s.trouble(); err == nil || !strings.Contains(err.Error(), s.Servers.Error) {
		t.Errorf("trouble: %v", err)
	}
}
