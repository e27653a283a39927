package backup_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
)

// rotation is the part of the rotation service that backup asks: it holds the reader's generations on the real cell.
type rotation struct {
	rotationv1.UnimplementedCredentialServiceServer
	core   *service.Core
	prefix string

	mu           sync.Mutex
	generation   int
	password     string
	acknowledged int
}

func (w *world) regions() []*local.Region { return []*local.Region{w.primary, w.dr} }

func startRotation(t testing.TB, w *world) *rotation {
	t.Helper()
	core, err := service.New("rotation", w.env.Config("rotation"), service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	f := &rotation{core: core, prefix: "naksha_backup_" + strings.ToLower(rand.Text()[:10]) + "_g"}
	core.Assemble(service.Parts{Register: func(s grpc.ServiceRegistrar) { rotationv1.RegisterCredentialServiceServer(s, f) }})
	servicetest.Start(t, core)
	f.mint(t, w)
	return f
}

// mint makes the next generation of the reader and announces it.
func (f *rotation) mint(t testing.TB, w *world) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.generation++
	f.password = rand.Text()
	role := fmt.Sprintf("%s%d", f.prefix, f.generation)
	run(t, w.cell, strings.NewReplacer("$r", role, "$p", f.password, "$db", w.cell.Config().Database).Replace(
		"CREATE ROLE $r LOGIN BYPASSRLS PASSWORD '$p'; GRANT pg_read_all_data TO $r; GRANT CONNECT ON DATABASE $db TO $r"))
	w.roles = append(w.roles, role)
	err := f.core.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return f.core.Outbox.Emit(ctx, tx, outbox.Fact{
			Aggregate: server + "/credentials/backup-reader",
			Message: &rotationv1.CredentialAnnounced{
				Credential: server + "/credentials/backup-reader", Generation: int32(f.generation),
			},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// RedeemCredential implements rotationv1.CredentialServiceServer.
func (f *rotation) RedeemCredential(_ context.Context, r *rotationv1.RedeemCredentialRequest) (*rotationv1.RedeemCredentialResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.GetName() != server+"/credentials/backup-reader" {
		return nil, fault.NotFound("CREDENTIAL_NOT_FOUND", "There is no such credential.")
	}
	if f.acknowledged == f.generation {
		return nil, fault.Precondition("CREDENTIAL_ACKNOWLEDGED", "It is acknowledged.")
	}
	return &rotationv1.RedeemCredentialResponse{
		Generation: int32(f.generation), User: fmt.Sprintf("%s%d", f.prefix, f.generation), Password: f.password,
	}, nil
}

// AcknowledgeCredential implements rotationv1.CredentialServiceServer.
func (f *rotation) AcknowledgeCredential(_ context.Context, r *rotationv1.AcknowledgeCredentialRequest) (*rotationv1.AcknowledgeCredentialResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acknowledged = int(r.GetGeneration())
	return &rotationv1.AcknowledgeCredentialResponse{}, nil
}

// acked is the generation that was acknowledged last.
func (f *rotation) acked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acknowledged
}
