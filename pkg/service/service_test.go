package service_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
	"github.com/naksha-cloud/naksha/pkg/run"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestMain(m *testing.M) { os.Exit(localtest.Run(m)) }

func newCore(t *testing.T, env *servicetest.Env, name string) *service.Core {
	t.Helper()
	core, err := service.New(name, env.Config(name), service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return core
}

func TestTwoInstancesLiveInOneProcessAndStopTwice(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	a, b := newCore(t, env, "tenant"), newCore(t, env, "tenant")
	servicetest.Start(t, a)
	servicetest.Start(t, b)
	for _, core := range []*service.Core{a, b} {
		servicetest.Eventually(t, func() error { return core.Ready(t.Context()) })
		if err := errors.Join(core.Start(t.Context()), core.Stop(t.Context()), core.Stop(t.Context())); err != nil {
			t.Error(err)
		}
		if core.Ready(t.Context()) == nil {
			t.Error("a stopped service says that it is ready")
		}
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatalf("start after stop: %v", err)
	}
}

func TestReadinessAnswersWhileTheServiceStarts(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	core := newCore(t, env, "tenant")
	starting, goOn := make(chan struct{}), make(chan struct{})
	core.Assemble(service.Parts{Workers: []run.Component{run.Func(func(context.Context) error {
		close(starting)
		<-goOn
		return nil
	}, nil)}})
	ended := make(chan error, 1)
	go func() { ended <- core.Start(t.Context()) }()
	<-starting
	if core.Ready(t.Context()) == nil {
		t.Error("ready before it has started")
	}
	close(goOn)
	if err := errors.Join(<-ended, core.Stop(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestFailedStartLeavesNothingAndMaySucceedLater(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := env.Config("tenant")
	config.Listen = taken.Addr().String()
	core, err := service.New("tenant", config, service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := core.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "server") {
		t.Fatalf("started on a taken port, or the error names no step: %v", err)
	}
	if core.Pool.Raw() != nil {
		t.Error("the failed start left connections")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, core)
}

func TestIncompleteConfigurationNamesTheField(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	for field, spoil := range map[string]func(*service.Config){
		"listen":       func(c *service.Config) { c.Listen = "" },
		"database_url": func(c *service.Config) { c.DatabaseURL = "" },
		"nats_url":     func(c *service.Config) { c.NATSURL = "" },
		"database_max": func(c *service.Config) { c.DatabaseMax = 1 },
		"tls":          func(c *service.Config) { c.TLS.KeyFile = "" },
	} {
		config := env.Config("tenant")
		spoil(&config)
		if _, err := service.New("tenant", config, service.Deps{}); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestFactsAreServedToPeersAndToNobodyElse(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	core := newCore(t, env, "tenant")
	servicetest.Start(t, core)
	for range 3 {
		err := core.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
			return core.Outbox.Emit(ctx, tx, outbox.Fact{Aggregate: "workspaces/x", Message: &tenantv1.WorkspaceDeleted{}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask := &eventv1.ListEventsRequest{Service: "services/tenant", Aggregate: "workspaces/x", AfterVersion: 1}
	client := eventv1.NewEventServiceClient(env.Dial("backup", "tenant", core.Addr()))
	reply, err := client.ListEvents(t.Context(), ask)
	if err != nil || len(reply.GetEvents()) != 2 || reply.GetEvents()[0].GetVersion() != 2 {
		t.Fatalf("got %v, %v", reply, err)
	}
	ask.Service = "services/backup"
	if _, err := client.ListEvents(t.Context(), ask); fault.ReasonOf(err) != "SERVICE_UNKNOWN" {
		t.Errorf("another service's facts gave %v", err)
	}
	stranger := eventv1.NewEventServiceClient(env.Dial("stranger", "tenant", core.Addr()))
	if _, err := stranger.ListEvents(t.Context(), ask); fault.CodeOf(err) != codes.PermissionDenied {
		t.Errorf("a stranger got %v", err)
	}
}

func TestGapIsRepairedFromThePeer(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	tenant := newCore(t, env, "tenant")
	servicetest.Start(t, tenant)
	config := env.Config("backup")
	config.Peers["tenant"] = tenant.Addr()
	backup, err := service.New("backup", config, service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	names := make(chan string, 10)
	backup.Assemble(service.Parts{Reactions: map[string][]outbox.Reaction{"tenant": {
		outbox.On(func(_ context.Context, tx *pg.Tx, _ outbox.Meta, m *tenantv1.WorkspaceCreated) error {
			tx.AfterCommit(func() { names <- m.GetDisplayName() })
			return nil
		}),
	}}})
	// Two facts that the bus never saw, then one that it did.
	for _, name := range []string{"first", "second"} {
		emit(t, tenant, name, func(ctx context.Context, tx *pg.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM outbox_pending")
			return err
		})
	}
	emit(t, tenant, "third", nil)
	servicetest.Start(t, backup)
	for _, want := range []string{"first", "second", "third"} {
		select {
		case got := <-names:
			if got != want {
				t.Fatalf("got %s, not %s", got, want)
			}
		case <-time.After(localtest.Patience):
			t.Fatalf("%s did not arrive", want)
		}
	}
}

// emit records WorkspaceCreated, and lets then do more in the transaction.
func emit(t *testing.T, core *service.Core, name string, then func(context.Context, *pg.Tx) error) {
	t.Helper()
	err := core.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		fact := outbox.Fact{Aggregate: "workspaces/x", Message: &tenantv1.WorkspaceCreated{DisplayName: name}}
		if err := core.Outbox.Emit(ctx, tx, fact); err != nil || then == nil {
			return err
		}
		return then(ctx, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestServicesAreRefusedOnOthersSchemasAndSubjects(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	names := []string{"tenant", "backup", "rotation", "alerting", "gateway"}
	for _, name := range names {
		servicetest.Start(t, newCore(t, env, name))
	}
	for _, name := range names {
		config := env.Config(name)
		pool := pgtest.Open(t, config.DatabaseURL.Reveal(), nil)
		refused := make(chan error, 16)
		conn, err := nats.Connect(config.NATSURL, nats.UserInfo(name, name), nats.CustomInboxPrefix("_INBOX_"+name),
			nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		for _, other := range names {
			if other == name {
				continue
			}
			if _, err := pool.Exec(t.Context(), "SELECT FROM "+other+".event_log"); pg.SQLState(err) != "42501" {
				t.Errorf("%s reads schema %s: %v", name, other, err)
			}
			if err := errors.Join(conn.Publish("naksha."+other+".v1.x.platform", nil), conn.Flush()); err != nil {
				t.Error(err)
			}
			if err := <-refused; !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s publishes for %s: %v", name, other, err)
			}
		}
	}
}

func TestNewerSchemaIsAccepted(t *testing.T) {
	t.Parallel()
	env := servicetest.New(t)
	for _, files := range []fstest.MapFS{
		{"0001_a.sql": {Data: []byte("CREATE TABLE a (id int)")}, "0002_b.sql": {Data: []byte("CREATE TABLE b (id int)")}},
		{"0001_a.sql": {Data: []byte("CREATE TABLE a (id int)")}},
	} {
		core := newCore(t, env, "tenant")
		core.Assemble(service.Parts{Migrations: files})
		if err := errors.Join(core.Start(t.Context()), core.Stop(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}
