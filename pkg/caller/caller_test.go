package caller_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/naksha-cloud/naksha/pkg/caller"
)

func TestCallerTravelsThroughMetadata(t *testing.T) {
	t.Parallel()
	sent := caller.Caller{
		Principal: "k1", Kind: caller.Secret, Organization: "o", Workspace: "w", Service: "liar", RequestID: "r-1",
	}
	ctx := metadata.AppendToOutgoingContext(caller.With(t.Context(), sent), caller.MetadataKey, "forged", "other", "kept")
	md, _ := metadata.FromOutgoingContext(caller.ToOutgoing(ctx))
	got, ok, err := caller.FromMetadata(md)
	want := caller.Caller{Principal: "k1", Kind: caller.Secret, Organization: "o", Workspace: "w"}
	if err != nil || !ok || got != want {
		t.Errorf("caller = %+v, %v, %v; want %+v: the service is never believed", got, ok, err, want)
	}
	if id := caller.RequestIDFrom(md); id != "r-1" {
		t.Errorf("request id = %q, want r-1", id)
	}
	if md.Get("other")[0] != "kept" {
		t.Error("foreign metadata was lost")
	}
}

func TestNobodyIsNotACaller(t *testing.T) {
	t.Parallel()
	ctx := caller.WithRequestID(t.Context(), "r-2")
	if c, ok := caller.From(ctx); ok {
		t.Errorf("caller = %+v, want none", c)
	}
	md, _ := metadata.FromOutgoingContext(caller.ToOutgoing(ctx))
	if _, ok, err := caller.FromMetadata(md); ok || err != nil {
		t.Errorf("metadata claims a caller: %v, %v", ok, err)
	}
	if caller.RequestID(ctx) != "r-2" || caller.RequestID(context.Background()) != "" {
		t.Error("request id is lost or invented")
	}
}

func TestMalformedMetadataIsRefused(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"not JSON":     {"x"},
		"unknown kind": {`{"k":"root"}`},
		"no kind":      {`{"p":"k1"}`},
		"two callers":  {`{"k":"admin"}`, `{"k":"secret"}`},
		"huge":         {`{"k":"admin","p":"` + strings.Repeat("a", 5000) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c, ok, err := caller.FromMetadata(metadata.MD{caller.MetadataKey: values}); ok || err == nil {
				t.Errorf("accepted %+v", c)
			}
		})
	}
}

func TestRequestIDOfClientsIsCheckedOrReplaced(t *testing.T) {
	t.Parallel()
	for id, valid := range map[string]bool{
		"": false, "a": true, "A-1_b.c:9": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false,
		"a b": false, "a\nb": false, "é": false, "a/b": false,
	} {
		if caller.ValidRequestID(id) != valid {
			t.Errorf("ValidRequestID(%q) = %v", id, !valid)
		}
		got := caller.RequestIDFrom(metadata.Pairs(caller.RequestIDMetadataKey, id))
		if (got == id) != valid || !caller.ValidRequestID(got) {
			t.Errorf("request id for %q = %q", id, got)
		}
	}
}

func FuzzFromMetadata(f *testing.F) {
	f.Add(`{"k":"admin","p":"a","w":"b"}`)
	f.Add(`{"k":1}`)
	f.Fuzz(func(t *testing.T, value string) {
		c, ok, err := caller.FromMetadata(metadata.MD{caller.MetadataKey: {value}})
		if ok != (err == nil) || ok && (c.Kind == "" || c.Service != "" || c.RequestID != "") {
			t.Errorf("caller = %+v, %v, %v", c, ok, err)
		}
	})
}
