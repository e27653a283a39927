package gateway_test

import (
	"slices"
	"testing"
	"time"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway"
)

// BenchmarkGatewayOverDirect calls one method in turn directly, as a service, and through the door, as a customer by gRPC
// and by REST. It reports what the door adds to the median, and the ratio of the medians.
func BenchmarkGatewayOverDirect(b *testing.B) {
	w := newWorld(b, gateway.Deps{})
	request := &tenantv1.GetWorkspaceRequest{Name: "workspaces/" + own}
	call := func(client tenantv1.WorkspaceServiceClient) func() {
		return func() {
			if _, err := client.GetWorkspace(b.Context(), request); err != nil {
				b.Fatal(err)
			}
		}
	}
	ways := []func(){
		call(tenantv1.NewWorkspaceServiceClient(w.env.Dial("backup", "tenant", w.tenant.core.Addr()))),
		call(tenantv1.NewWorkspaceServiceClient(w.dial(b, ownKey))),
		func() {
			if answer := w.do(b, ownKey, "GET", "/v1/workspaces/"+own, ""); answer.status != 200 {
				b.Fatal(answer.text)
			}
		},
	}
	for range 200 { // connections, caches
		for _, f := range ways {
			f()
		}
	}
	took := make([][]time.Duration, len(ways))
	for b.Loop() {
		for i, f := range ways {
			begin := time.Now()
			f()
			took[i] = append(took[i], time.Since(begin))
		}
	}
	direct := at(took[0], 50)
	b.ReportMetric(float64(at(took[1], 50)-direct)/1e6, "grpc-added-ms-p50")
	b.ReportMetric(float64(at(took[1], 99)-at(took[0], 99))/1e6, "grpc-added-ms-p99")
	b.ReportMetric(float64(at(took[1], 50))/float64(direct), "grpc/direct")
	b.ReportMetric(float64(at(took[2], 50)-direct)/1e6, "rest-added-ms-p50")
	b.ReportMetric(float64(at(took[2], 50))/float64(direct), "rest/direct")
	b.ReportMetric(float64(direct)/1e6, "direct-ms-p50")
}

// at is a percentile.
func at(took []time.Duration, percent int) time.Duration {
	slices.Sort(took)
	return took[min(len(took)-1, len(took)*percent/100)]
}
