package service

import (
	"context"
	"fmt"
	"net"

	"github.com/naksha-cloud/naksha/pkg/rpc"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

// serve opens the listener and answers calls in the background.
func (c *Core) serve(ctx context.Context) error {
	tlsConfig, err := rpc.ServerTLS(c.config.TLS)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.config.Listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", c.config.Listen, err)
	}
	server := rpc.NewServer(rpc.ServerConfig{
		Name: c.Name, Listener: listener, TLS: tlsConfig, Telemetry: c.telemetry, Clock: c.Clock,
	})
	eventv1.RegisterEventServiceServer(server.GRPC(), events{
		pool: c.Pool, service: c.Name, snapshots: c.parts.Snapshots, inbox: c.inbox,
	})
	if c.parts.Register != nil {
		c.parts.Register(server.GRPC())
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	c.server = server
	return nil
}

func (c *Core) stopServing(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	server := c.server
	c.server = nil
	return server.Stop(ctx)
}
