package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// BenchmarkPostgresFreshStart is what the first `naksha up` pays per server: initdb, flushed to disk, and the start.
func BenchmarkPostgresFreshStart(b *testing.B) {
	for b.Loop() {
		benchPostgres(b, local.PostgresConfig{Dir: localtest.TempDir(b), SuperuserPassword: "secret"})
	}
}

// BenchmarkPostgresCachedStart is what a test package pays.
func BenchmarkPostgresCachedStart(b *testing.B) {
	for b.Loop() {
		benchPostgres(b, local.PostgresConfig{Dir: localtest.TempDir(b), SuperuserPassword: "secret", InitCache: localtest.InitCache()})
	}
}

// BenchmarkPostgresSecondStart is what every later `naksha up` pays per server.
func BenchmarkPostgresSecondStart(b *testing.B) {
	config := local.PostgresConfig{Dir: localtest.TempDir(b), SuperuserPassword: "secret"}
	benchPostgres(b, config)
	for b.Loop() {
		benchPostgres(b, config)
	}
}

func benchPostgres(b *testing.B, config local.PostgresConfig) {
	b.Helper()
	p, err := local.StartPostgres(context.Background(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(memory(p.PID()), "MB-idle")
	if err := p.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.StartTimer()
}

// BenchmarkRegionStart is the start of one S3 region, and what its process takes idle.
func BenchmarkRegionStart(b *testing.B) {
	config := regionConfig(localtest.TempDir(b))
	for b.Loop() {
		r, err := local.StartRegion(context.Background(), config)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric(memory(r.PID()), "MB-idle")
		if err := r.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// memory returns the proportional set size of a process and its children, in MB: shared pages count once.
func memory(pid int) float64 {
	total := pss(pid)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		raw, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(raw), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			total += pss(child)
		}
	}
	return total
}

func pss(pid int) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Pss:" {
			kilobytes, _ := strconv.ParseFloat(fields[1], 64)
			return kilobytes / 1024
		}
	}
	return 0
}
