package endtoend

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// BenchmarkUp measures `naksha up` as a process of its own: seconds to ready on a fresh and on a used directory, and what
// the process holds in memory after ten idle seconds. Bars: 20 s, 8 s, 150 MB.
func BenchmarkUp(b *testing.B) {
	binary := build(b)
	for b.Loop() {
		dir := filepath.Join(localtest.TempDir(b), "state")
		first, _ := upOnce(b, binary, dir, 0)
		second, resident := upOnce(b, binary, dir, 10*time.Second)
		b.ReportMetric(first.Seconds(), "first-s")
		b.ReportMetric(second.Seconds(), "second-s")
		b.ReportMetric(resident, "idle-MB")
	}
}

// upOnce starts the platform, lets it idle, reads its memory, and stops it.
func upOnce(b *testing.B, binary, dir string, idle time.Duration) (ready time.Duration, residentMB float64) {
	b.Helper()
	p := launch(b, binary, dir)
	time.Sleep(idle)
	residentMB = resident(b, p.Process.Pid)
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		b.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		b.Fatal(err)
	}
	return p.ready, residentMB
}

// resident is VmRSS of a process in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kB, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kB / 1024
}

// BenchmarkCreateWorkspace measures CreateWorkspace through the gateway of a running platform, every commit flushed, one
// client. Bar: p50 10 ms. Its peer, an inline build of the same workspace, stands in services/tenant.
func BenchmarkCreateWorkspace(b *testing.B) {
	platform, err := newPlatform(filepath.Join(localtest.TempDir(b), "state"))
	if err != nil {
		b.Fatal(err)
	}
	if err := platform.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = platform.Stop(context.Background()) })
	w := &world{platform: platform, endpoints: platform.Endpoints()}
	client := tenantv1.NewWorkspaceServiceClient(w.dial(b, w.adminKey(b)))
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		_, err := client.CreateWorkspace(b.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "bench"})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
		time.Sleep(100 * time.Millisecond) // the refiller keeps up; without it the inline build would be measured
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}
