package service

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/rpc"
)

// peers are the connections to the other services, made at first use: any service may start before any other.
type peers struct {
	name      string
	config    Config
	telemetry *obs.Telemetry

	mu    sync.Mutex
	conns map[string]*grpc.ClientConn
}

func newPeers(name string, c Config, t *obs.Telemetry) *peers {
	return &peers{name: name, config: c, telemetry: t, conns: map[string]*grpc.ClientConn{}}
}

// Peer is the connection to another service, by its name. It need not be up: calls fail with UNAVAILABLE until it is.
func (c *Core) Peer(service string) (*grpc.ClientConn, error) { return c.peers.get(service) }

func (p *peers) get(service string) (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if conn, ok := p.conns[service]; ok {
		return conn, nil
	}
	address, ok := p.config.Peers[service]
	if !ok {
		return nil, fault.Unavailable("PEER_UNKNOWN", "The address of service %s is not configured.", service).
			WithRemedy("Set peers.%s of service %s.", service, p.name)
	}
	tlsConfig, err := rpc.ClientTLS(p.config.TLS, service)
	if err != nil {
		return nil, err
	}
	conn, err := rpc.Dial(address, rpc.ClientConfig{TLS: tlsConfig, Name: p.name, Telemetry: p.telemetry})
	if err != nil {
		return nil, err
	}
	p.conns[service] = conn
	return conn, nil
}

// Start does nothing: connections are made at first use.
func (p *peers) Start(context.Context) error { return nil }

// Stop closes all connections.
func (p *peers) Stop(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, conn := range p.conns {
		errs = append(errs, conn.Close())
	}
	clear(p.conns)
	return errors.Join(errs...)
}
