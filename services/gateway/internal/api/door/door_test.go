package door

import (
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/permission"
	"github.com/naksha-cloud/naksha/services/gateway/internal/problem"
)

// broken is an authenticator with a bug.
type broken struct{}

func (broken) Authenticate(context.Context, key.Headers) (key.Identity, error) {
	panic("secret detail")
}

func TestAPanicIsAnsweredAndNotShown(t *testing.T) {
	t.Parallel()
	methods, err := call.NewRegistry(protoregistry.GlobalFiles, protoregistry.GlobalTypes)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(Config{MaxBytes: 1024}, Deps{
		Pipeline: &call.Pipeline{Methods: methods, Roles: permission.Default(), Conns: func(string) (grpc.ClientConnInterface, error) {
			return nil, io.EOF
		}},
		Auth: broken{}, Telemetry: obs.Discard(), Clock: clock.System(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", "/v1/caller", nil))
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 500 || p.Reason != "INTERNAL" || p.RequestID == "" {
		t.Errorf("REST: %d %s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "secret detail") {
		t.Errorf("the panic is shown: %s", w.Body)
	}
	r := httptest.NewRequest("POST", "/naksha.gateway.v1.PlatformService/GetCaller", nil)
	r.ProtoMajor = 2
	r.Header.Set("Content-Type", "application/grpc")
	w = httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if status := w.Result().Trailer.Get("Grpc-Status"); w.Code != 200 || w.Header().Get("Trailer:Grpc-Status") != "13" && status != "13" {
		t.Errorf("gRPC: %d %v %v", w.Code, w.Header(), w.Result().Trailer)
	}
}
