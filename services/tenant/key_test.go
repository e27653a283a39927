package tenant_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/scram"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

func TestKeyWorksUntilItExpiresOrIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := clock.NewFake(time.Now())
	i := w.start(t, tenant.Deps{Clock: now})
	parent := i.create(t, "keys").GetWorkspace().GetName()
	order := &tenantv1.CreateKeyRequest{
		Parent: parent, Kind: tenantv1.Key_KIND_PUBLIC, DisplayName: "browser", RequestId: uuid.NewString(),
		ExpireTime: timestamppb.New(now.Now().Add(time.Hour)),
	}
	made, err := i.keys.CreateKey(operator(t.Context()), order)
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.keys.CreateKey(operator(t.Context()), order)
	if err != nil || again.GetText() != made.GetText() {
		t.Errorf("the repeat returns another key: %v", err)
	}
	check := func(text string) error {
		_, err := i.keys.AuthenticateKey(t.Context(), &tenantv1.AuthenticateKeyRequest{Text: text})
		return err
	}
	wantReason(t, "new key", check(made.GetText()), "")
	now.Advance(time.Hour)
	wantReason(t, "an hour later", check(made.GetText()), "KEY_EXPIRED")
	order.RequestId = uuid.NewString()
	_, err = i.keys.CreateKey(operator(t.Context()), order)
	wantReason(t, "expiry in the past", err, "EXPIRE_TIME_PAST")

	lasting, err := i.keys.CreateKey(operator(t.Context()), &tenantv1.CreateKeyRequest{Parent: parent, Kind: tenantv1.Key_KIND_SECRET})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second revocation changes nothing
		revoked, err := i.keys.DeleteKey(operator(t.Context()), &tenantv1.DeleteKeyRequest{Name: lasting.GetKey().GetName()})
		if err != nil || revoked.GetKey().GetRevokeTime() == nil {
			t.Errorf("revoke returns %v, %v", revoked, err)
		}
	}
	wantReason(t, "revoked key", check(lasting.GetText()), "KEY_REVOKED")
	_, unknown := key.New(key.Secret)
	wantReason(t, "foreign key", check(unknown), "KEY_UNKNOWN")
	wantReason(t, "typing error", check(unknown[:len(unknown)-1]+"~"), "KEY_MALFORMED")
	wantReason(t, "empty", check(""), "KEY_MALFORMED")

	listed, err := i.keys.ListKeys(operator(t.Context()), &tenantv1.ListKeysRequest{Parent: parent, PageSize: 3})
	if err != nil || len(listed.GetKeys()) != 3 || listed.GetNextPageToken() == "" {
		t.Errorf("list returns %v, %v", listed, err)
	}
}

func TestWorkspaceHasALimitOfKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	parent := i.create(t, "many").GetWorkspace().GetName()
	order := &tenantv1.CreateKeyRequest{Parent: parent, Kind: tenantv1.Key_KIND_SECRET}
	for n := 2; n < key.Limit; n++ {
		if _, err := i.keys.CreateKey(operator(t.Context()), order); err != nil {
			t.Fatal(err)
		}
	}
	_, err := i.keys.CreateKey(operator(t.Context()), order)
	wantReason(t, "one key more", err, "KEY_LIMIT_REACHED")
}

// verifier is what Postgres keeps of a password.
func verifier(t testing.TB, password string) string {
	t.Helper()
	v, err := scram.Verifier(password)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wantFailure(what string, err error) error {
	if err == nil {
		return errors.New(what + " still works")
	}
	return nil
}

func tryLogin(t testing.TB, databaseURL string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		return err
	}
	return conn.Close(context.Background())
}
