package rotation_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/obs"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/rotation"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/kind/celltest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		os.Exit(childMain())
	}
	os.Exit(localtest.NoLeaks(localtest.Run(m)))
}

// house is a platform with a cell, a tenant service that is thin but real, and the rotation service.
type house struct {
	env     *servicetest.Env
	cell    *celltest.Cell
	tenant  *service.Core
	config  rotation.Config
	service *rotation.Service
	log     *buffer
}

// buffer keeps a log; it may be written from any goroutine.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newHouse makes everything and starts tenant; start starts rotation.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{env: servicetest.New(t), cell: celltest.New(t), log: &buffer{}}
	var err error
	if h.tenant, err = service.New("tenant", h.env.Config("tenant"), service.Deps{}); err != nil {
		t.Fatal(err)
	}
	h.tenant.Assemble(service.Parts{Register: func(r grpc.ServiceRegistrar) { tenantv1.RegisterCellServiceServer(r, h.cell) }})
	servicetest.Start(t, h.tenant)
	h.config = rotation.DefaultConfig()
	h.config.Config = h.env.Config("rotation")
	h.config.Peers["tenant"] = h.tenant.Addr()
	h.config.RootKeyFile = filepath.Join(t.TempDir(), "root.key")
	h.config.QuietWindow = 300 * time.Millisecond
	if _, err := seal.MakeRoot(h.config.RootKeyFile); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) start(t *testing.T) *house {
	t.Helper()
	h.service = h.replica(t)
	return h
}

// replica starts one more instance on the same database.
func (h *house) replica(t *testing.T) *rotation.Service {
	t.Helper()
	telemetry, err := obs.New(obs.Config{Service: "rotation", Level: slog.LevelDebug}, h.log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := rotation.New(h.config, rotation.Deps{Telemetry: telemetry})
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, s)
	return s
}

// created is the fact that a workspace is there.
func created(h *house, w celltest.Workspace) *tenantv1.WorkspaceCreated {
	return &tenantv1.WorkspaceCreated{
		Workspace: w.Name, Server: h.cell.Server, Cell: "cells/test", LoginGeneration: 1, CreateTime: timestamppb.Now(),
	}
}

// addWorkspace makes a workspace and tells the fact; it returns when rotation has its credential.
func (h *house) addWorkspace(t *testing.T) celltest.Workspace {
	t.Helper()
	w := h.cell.AddWorkspace(t)
	h.tell(t, w, created(h, w))
	name := string(credential.ForWorkspace(w.Name))
	servicetest.Eventually(t, func() error {
		_, err := h.credentials().GetCredential(h.customer(t, w), &rotationv1.GetCredentialRequest{Name: name})
		return err
	})
	return w
}

// tell emits a fact of tenant.
func (h *house) tell(t *testing.T, w celltest.Workspace, fact proto.Message) {
	t.Helper()
	err := h.tenant.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return h.tenant.Outbox.Emit(ctx, tx, outbox.Fact{Aggregate: w.Name, Workspace: w.Ref, Message: fact})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// customer is a context that asks with a secret key of the workspace.
func (h *house) customer(t *testing.T, w celltest.Workspace) context.Context {
	return caller.With(t.Context(), caller.Caller{Principal: "abcdefghijkl", Kind: caller.Secret, Workspace: w.Ref})
}

// admin is a context that asks with an operator's key.
func (h *house) admin(t *testing.T) context.Context {
	return caller.With(t.Context(), caller.Caller{Principal: "adminadminad", Kind: caller.Admin})
}

func (h *house) conn(as string) *grpc.ClientConn { return h.env.Dial(as, "rotation", h.service.Addr()) }

func (h *house) credentials() rotationv1.CredentialServiceClient {
	return rotationv1.NewCredentialServiceClient(h.conn("gateway"))
}

func (h *house) rotations() rotationv1.RotationServiceClient {
	return rotationv1.NewRotationServiceClient(h.conn("gateway"))
}

// randomKey is a root key file's content that is none.
func randomKey() []byte { return []byte(base64.StdEncoding.EncodeToString([]byte("too short"))) }
