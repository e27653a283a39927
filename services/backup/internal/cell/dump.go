package cell

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// dumpWaitDelay is how long pg_dump may take to end after it was told to.
const dumpWaitDelay = 5 * time.Second

// Dump is one section of a schema's DDL by pg_dump, at an exported snapshot if one is given. Owners are left out: all that
// a customer makes belongs to the workspace's role, and is made by it again.
func (t Target) Dump(ctx context.Context, schema, section, snapshot string) ([]byte, error) {
	args := []string{
		"--dbname", t.url(), "--schema", `"` + schema + `"`, "--section", section, "--encoding", "UTF8",
		"--no-owner", "--no-publications", "--no-subscriptions", "--no-tablespaces", "--no-security-labels", "--no-password",
	}
	if snapshot != "" {
		args = append(args, "--snapshot", snapshot)
	}
	cmd := exec.CommandContext(ctx, cmp.Or(t.PgDump, "pg_dump"), args...)
	cmd.Env = append(plainEnvironment(), "PGPASSWORD="+t.Password.Reveal(), "PGAPPNAME=naksha-backup", "PGCONNECT_TIMEOUT=15", "LC_ALL=C")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = dumpWaitDelay
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fault.Unavailable("DDL_UNREADABLE", "The structure of the workspace's tables could not be read.").
			WithRemedy("Try again when no migration runs.").
			WithCause(fmt.Errorf("pg_dump --section %s: %w: %s", section, err, lastLine(failure.String())))
	}
	return out.Bytes(), nil
}

// plainEnvironment is the environment without libpq's own settings, which could point pg_dump elsewhere.
func plainEnvironment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") {
			kept = append(kept, entry)
		}
	}
	return kept
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
