// Package alerting is the service that wakes the right person when something breaks. It takes alerts, by Alertmanager's
// HTTP API, by gRPC, and from other services' facts; makes incidents of them; tells people by policy, level by level,
// until somebody acknowledges; and keeps doing so through a crash of anything at any moment. It refuses to depend on the
// bus or the gateway for a page: its own rows, timers and listener are enough.
package alerting

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/services/alerting/internal/api"
	v2 "github.com/naksha-cloud/naksha/services/alerting/internal/api/v2"
	"github.com/naksha-cloud/naksha/services/alerting/internal/channel/webhook"
	"github.com/naksha-cloud/naksha/services/alerting/internal/deliver"
	"github.com/naksha-cloud/naksha/services/alerting/internal/escalate"
	"github.com/naksha-cloud/naksha/services/alerting/internal/event"
	"github.com/naksha-cloud/naksha/services/alerting/internal/ingest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/loop"
	"github.com/naksha-cloud/naksha/services/alerting/internal/mute"
	"github.com/naksha-cloud/naksha/services/alerting/internal/playbook"
	"github.com/naksha-cloud/naksha/services/alerting/internal/store"
)

// Deps are handed in by main, or by a process that runs several services.
type Deps = service.Deps

// Service is one replica. Every replica does everything; rows decide who does what.
type Service struct {
	config  Config
	core    *service.Core
	store   *store.Store
	metrics *metrics
	http    *httpServer
	webhook *webhook.Channel

	intake *ingest.Intake
	desk   *escalate.Desk
	mute   *mute.Desk
	sender *deliver.Sender
	loops  loops
}

// loops are the workers that rows wake.
type loops struct{ timers, silences, deliveries, janitor *loop.Loop }

func (l loops) kick() {
	l.timers.Kick()
	l.silences.Kick()
	l.deliveries.Kick()
}

// New makes a stopped replica. It reads the policy file, and does no other I/O.
func New(c Config, d Deps) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("alerting: %w", err)
	}
	core, err := service.New("alerting", c.Config, d)
	if err != nil {
		return nil, err
	}
	s := &Service{config: c, core: core, store: store.New(core.Pool, c.DeliveryLife), webhook: webhook.New(core.Clock)}
	if s.metrics, err = newMetrics(core.Telemetry(), s.store); err != nil {
		return nil, fmt.Errorf("alerting: %w", err)
	}
	if err := s.build(); err != nil {
		return nil, fmt.Errorf("alerting: %w", err)
	}
	core.Assemble(service.Parts{
		Migrations: store.Migrations(), Register: s.register, Reactions: event.Reactions(s.intake), Workers: s.workers(),
	})
	return s, nil
}

// build makes the verbs from the playbook.
func (s *Service) build() error {
	plays, err := s.readPolicies()
	if err != nil {
		return err
	}
	channels, err := s.channels()
	if err != nil {
		return err
	}
	book := s.complete(plays.Book, channels)
	s.desk = escalate.New(s.store, book, s.emitter(), func() { s.loops.kick() })
	s.intake = ingest.New(s.store, s.desk, ingest.Config{
		ResolveTimeout: s.config.ResolveTimeout, GroupBy: plays.GroupBy, Count: s.metrics.ingested,
	})
	s.mute = mute.New(s.store, s.desk, plays.GroupBy, func() { s.loops.kick() })
	s.sender = deliver.New(s.store, s.desk, book, channels, s.delivered)
	s.loops = s.makeLoops()
	s.http = newHTTPServer(s.config.HTTPListen, s.core.Log, v2.Handler(v2.Deps{
		Intake: s.intake, Store: s.store, Mute: s.mute, GroupBy: plays.GroupBy, Ready: s.core.Pool.Ready,
		Token: s.config.HTTPToken.Reveal(), Listen: s.config.HTTPListen, MaxBody: int64(s.config.HTTPMaxBody), Log: s.core.Log,
	}))
	return nil
}

func (s *Service) readPolicies() (playbook.Playbook, error) {
	var text []byte
	if s.config.PolicyFile != "" {
		var err error
		if text, err = os.ReadFile(s.config.PolicyFile); err != nil {
			return playbook.Playbook{}, fmt.Errorf("read policy_file: %w", err)
		}
	}
	plays, err := playbook.Read(text, os.ReadFile)
	if err != nil {
		return playbook.Playbook{}, fmt.Errorf("read policy_file %s: %w", s.config.PolicyFile, err)
	}
	return plays, nil
}

func (s *Service) makeLoops() loops {
	with := func(name string, workers int, poll time.Duration, work loop.Work) *loop.Loop {
		return loop.New(loop.Config{Name: name, Clock: s.core.Clock, Log: s.core.Log, Workers: workers, Poll: poll, Work: work})
	}
	return loops{
		timers: with("timers", 2, 0, func(ctx context.Context) (bool, time.Time, error) {
			return s.desk.Fire(ctx, s.store, s.metrics.late)
		}),
		silences:   with("silences", 1, 0, s.mute.Turn),
		deliveries: with("deliveries", s.config.Senders, 0, s.sender.Send),
		janitor:    with("janitor", 1, time.Hour, s.forget),
	}
}

// forgotten is how many ended alerts are deleted at once.
const forgotten = 5000

// forget deletes what ended long ago.
func (s *Service) forget(ctx context.Context) (bool, time.Time, error) {
	n, err := s.store.Forget(ctx, s.store.Now().Add(-s.config.Retention), forgotten)
	return n == forgotten, time.Time{}, err
}

func (s *Service) workers() []run.Component {
	return []run.Component{
		run.Named("metrics", s.metrics),
		run.Named("webhook connections", run.Func(nil, func(context.Context) error {
			s.webhook.Close()
			return nil
		})),
		run.Named("deliveries", s.loops.deliveries),
		run.Named("timers", s.loops.timers),
		run.Named("silences", s.loops.silences),
		run.Named("janitor", s.loops.janitor),
		run.Named("http", s.http),
	}
}

func (s *Service) register(r grpc.ServiceRegistrar) {
	api.Register(r, api.Deps{
		Intake: s.intake, Incidents: s.store, Desk: s.desk, Silences: s.store, Mute: s.mute, Alerts: s.store,
	})
}

// Start starts the replica. One that can tell nobody starts too, since alerts are taken all the same, and says so.
func (s *Service) Start(ctx context.Context) error {
	if s.config.SMTP.Host == "" && s.config.Webhook.URL == "" {
		s.core.Log.WarnContext(ctx, "neither smtp.host nor webhook.url is set: only targets with a webhook of their own are told")
	}
	if s.config.SMTP.Host != "" && s.config.PolicyFile == "" {
		s.core.Log.WarnContext(ctx, "smtp.host is set and policy_file is not: incidents go to the built-in addresses at naksha.com: name your own targets")
	}
	return s.core.Start(ctx)
}

// Stop stops it after the messages in hand. A second Stop does nothing.
func (s *Service) Stop(ctx context.Context) error { return s.core.Stop(ctx) }

// Ready says why the replica cannot do its whole work right now, or nil. Without the bus it still pages: `/-/ready` of
// the HTTP API says whether it does.
func (s *Service) Ready(ctx context.Context) error { return s.core.Ready(ctx) }

// Addr is where the gRPC server listens; empty while stopped.
func (s *Service) Addr() string { return s.core.Addr() }

// HTTPAddr is where the HTTP API listens; empty while stopped.
func (s *Service) HTTPAddr() string { return s.http.Addr() }
