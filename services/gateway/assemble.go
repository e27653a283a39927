package gateway

import (
	"context"
	"crypto/tls"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/rpc"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/service"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/call"
	"github.com/naksha-cloud/naksha/services/gateway/internal/api/door"
	"github.com/naksha-cloud/naksha/services/gateway/internal/authenticate"
	"github.com/naksha-cloud/naksha/services/gateway/internal/event"
	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
	"github.com/naksha-cloud/naksha/services/gateway/internal/peer"
	"github.com/naksha-cloud/naksha/services/gateway/internal/permission"
	"github.com/naksha-cloud/naksha/services/gateway/internal/store"
	"github.com/naksha-cloud/naksha/services/gateway/internal/watch"
)

// assemble adds the gateway's reactions and workers to its core.
func (s *Service) assemble() {
	kept := store.New(s.core.Pool, event.NewEmitter(s.core.Outbox).Emit)
	s.revocations = watch.NewRevocations(kept, s.forget, s.core.Clock, s.core.Log)
	heard := func(r key.Revocation) {
		s.forget(r)
		s.core.Bus.Wake(Name) // the other replicas look at once
	}
	s.core.Assemble(service.Parts{
		Migrations: store.Migrations(),
		Reactions: map[string][]outbox.Reaction{
			"tenant": {
				event.OnKeyRevoked(kept, heard), event.OnKeySnapshotted(kept, heard),
				event.OnWorkspaceDeleted(kept, heard), event.OnWorkspaceSnapshotted(kept, heard),
			},
		},
		Workers: []run.Component{
			run.Named("spikes", watch.NewSpikes(s.config.spikeRule(), s.window, kept, s.core.Clock, s.core.Log)),
			run.Named("revocations", s.revocations),
			run.Named("pokes of replicas", s.pokes()),
		},
	})
}

// newDoor puts the pipeline together.
func (s *Service) newDoor() (*door.Door, error) {
	methods, err := call.NewRegistry(protoregistry.GlobalFiles, protoregistry.GlobalTypes)
	if err != nil {
		return nil, err
	}
	roles := permission.Default()
	here := &call.Local{Next: s.ownConn}
	gatewayv1.RegisterPlatformServiceServer(here, &api.Platform{
		Version: s.version(), Services: []string{"tenant", "backup", "rotation", "alerting", Name},
		Conns: s.peer, Ready: s.Ready,
		Permissions: func(kind key.Kind) []string { return roles.Of(kind, methods.Routes) },
	})
	conns := func(name string) (grpc.ClientConnInterface, error) {
		if name == Name {
			return here, nil
		}
		return s.peer(name)
	}
	keys := peer.NewKeys(func() (grpc.ClientConnInterface, error) { return s.peer("tenant") })
	return door.New(door.Config{
		Listen: s.config.DoorListen, TLS: s.doorTLS, MaxBytes: s.config.MaxRequestBytes,
		MaxConnections: s.config.MaxConnections, MaxConnectionsOfOne: s.config.MaxConnectionsOfOne,
		BodyTimeout: s.config.BodyTimeout, StopTimeout: s.config.StopTimeout,
		Version: s.version(),
	}, door.Deps{
		Pipeline:  &call.Pipeline{Methods: methods, Roles: roles, Conns: conns, Timeout: s.config.CallTimeout},
		Auth:      authenticate.New(keys, s.cache, s.core.Clock, s.observe),
		Telemetry: s.core.Telemetry(), Clock: s.core.Clock,
	})
}

// observe counts one attempt to authenticate.
func (s *Service) observe(reason string) {
	refused := authenticate.Refused(reason)
	s.attempts.Count(authenticate.Outcome(reason), reason)
	if refused || reason == authenticate.Granted {
		s.window.Add(s.core.Clock.Now(), refused)
	}
}

// forget drops what is remembered of revoked keys.
func (s *Service) forget(r key.Revocation) {
	if r.KID != "" {
		s.cache.EvictKey(r.KID)
	}
	if r.Workspace != "" {
		s.cache.EvictWorkspace(r.Workspace)
	}
}

// pokes makes this replica look for revocations as soon as another one has heard of one.
func (s *Service) pokes() run.Component {
	var stop func()
	return run.Func(func(context.Context) (err error) {
		stop, err = s.core.Bus.OnWake(Name, s.revocations.Wake)
		return err
	}, func(context.Context) error {
		stop()
		return nil
	})
}

// doorTLS shows the door's certificate and follows its file; clients need none.
func (s *Service) doorTLS() (*tls.Config, error) {
	files, err := rpc.ServerTLS(s.config.doorFiles())
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			now, err := files.GetConfigForClient(hello)
			if err != nil {
				return nil, err
			}
			return &now.Certificates[0], nil
		},
	}, nil
}
