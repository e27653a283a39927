package rpc

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/obs"
)

// clientDeadline bounds a unary call whose context brings no deadline.
const clientDeadline = 10 * time.Second

// ClientConfig says how to reach a service.
type ClientConfig struct {
	Name      string               // the service called, e.g. "tenant"; for errors
	TLS       *tls.Config          // required; see ClientTLS
	Telemetry *obs.Telemetry       // required
	MaxRecv   int                  // largest reply in bytes; default 4 MiB
	Deadline  time.Duration        // of a unary call that brings none; default 10 s
	Files     *protoregistry.Files // where idempotent methods are read; default: those linked into the binary
}

// Dial returns a connection to addr (host:port, or a gRPC target). It connects at the first call, and again whenever
// the connection breaks; idempotent methods are tried up to 4 times while the service is unavailable. Caller and request
// id of a call's context travel with it.
func Dial(addr string, cfg ClientConfig) (*grpc.ClientConn, error) {
	if cfg.TLS == nil {
		return nil, fmt.Errorf("dial %s: TLS is not configured", cfg.Name)
	}
	if cfg.Telemetry == nil {
		cfg.Telemetry = obs.Discard()
	}
	if cfg.Files == nil {
		cfg.Files = protoregistry.GlobalFiles
	}
	if cfg.MaxRecv == 0 {
		cfg.MaxRecv = defaultMaxRecv
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = clientDeadline
	}
	serviceConfig, err := retryConfig(cfg.Files)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.Name, err)
	}
	conn, err := grpc.NewClient(addr, cfg.options(serviceConfig)...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.Name, err)
	}
	return conn, nil
}

func (c ClientConfig) options(serviceConfig string) []grpc.DialOption {
	t := c.Telemetry
	return []grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(c.TLS)),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(t.Tracer),
			otelgrpc.WithMeterProvider(t.Meter), otelgrpc.WithPropagators(t.Propagator))),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithUnaryInterceptor(c.unary),
		grpc.WithStreamInterceptor(forwardStream),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(c.MaxRecv)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDisableServiceConfig(), // DNS TXT records must not configure us
	}
}

func (c ClientConfig) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Deadline)
		defer cancel()
	}
	return invoke(caller.ToOutgoing(ctx), method, req, reply, cc, opts...)
}

func forwardStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	stream grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return stream(caller.ToOutgoing(ctx), desc, cc, method, opts...)
}

// retryConfig is a gRPC service config (grpc/service_config.proto) that repeats idempotent methods.
func retryConfig(files *protoregistry.Files) (string, error) {
	methods, err := Methods(files)
	if err != nil {
		return "", err
	}
	names := []map[string]string{}
	for _, m := range methods {
		if m.Idempotent {
			service, method, _ := strings.Cut(m.FullName[1:], "/")
			names = append(names, map[string]string{"service": service, "method": method})
		}
	}
	sort.Slice(names, func(i, j int) bool {
		return names[i]["service"]+names[i]["method"] < names[j]["service"]+names[j]["method"]
	})
	config := map[string]any{
		"loadBalancingConfig": []any{map[string]any{"round_robin": map[string]any{}}},
		"methodConfig": []any{map[string]any{"name": names, "retryPolicy": map[string]any{
			"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3,
			"retryableStatusCodes": []string{"UNAVAILABLE"},
		}}},
	}
	if len(names) == 0 {
		delete(config, "methodConfig")
	}
	b, err := json.Marshal(config)
	return string(b), err
}
