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
// the process holds in memory after ten idle seconds. Bars: 20 s, 5 s, 120 MB.
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
func resident(b testing.TB, pid int) float64 {
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

// many is how many workspaces the platform holds when CreateWorkspace is measured again.
const many = 2000

// BenchmarkCreateWorkspace measures CreateWorkspace through the gateway of a running platform, every commit flushed, one
// client: on a fresh platform, and on one with 2,000 workspaces. Bars: p50 6 ms, p99 30 ms, 1.2 times as much with 2,000.
// Its peer, an inline build of the same workspace, stands in services/tenant.
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
	few, made := 0.0, 0
	b.Run("few", func(b *testing.B) { few = timeCreate(b, client); made += b.N })
	b.Run(strconv.Itoa(many), func(b *testing.B) {
		for b.StopTimer(); made < many; made++ {
			create(b, client)
		}
		b.StartTimer()
		b.ReportMetric(timeCreate(b, client)/few, "x-of-few")
	})
}

// timeCreate reports p50 and p99 in milliseconds.
func timeCreate(b *testing.B, client tenantv1.WorkspaceServiceClient) (p50 float64) {
	b.Helper()
	var took []time.Duration
	for len(took) < b.N {
		begin := time.Now()
		create(b, client)
		took = append(took, time.Since(begin))
		time.Sleep(100 * time.Millisecond) // the refiller keeps up; without it the inline build would be measured
	}
	slices.Sort(took)
	p50 = took[len(took)/2].Seconds() * 1000
	b.ReportMetric(p50, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
	return p50
}

func create(b *testing.B, client tenantv1.WorkspaceServiceClient) {
	b.Helper()
	if _, err := client.CreateWorkspace(b.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "bench"}); err != nil {
		b.Fatal(err)
	}
}
