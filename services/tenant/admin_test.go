package tenant_test

import (
	"os"
	"strings"
	"testing"
	"time"

	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

// adminKey reads the file of the operator's key.
func (w *world) adminKey(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(w.config.AdminKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// put writes text where an operator's key is, or waits for its record.
func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// again stops i and starts another.
func (w *world) again(t testing.TB, i *instance) *instance {
	t.Helper()
	if err := i.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w.start(t, tenant.Deps{})
}

// wantAdmin fails unless text is an operator's key that works.
func (i *instance) wantAdmin(t testing.TB, text string) {
	t.Helper()
	who, err := i.keys.AuthenticateKey(t.Context(), &tenantv1.AuthenticateKeyRequest{Text: text})
	if err != nil || who.GetKind() != tenantv1.Key_KIND_ADMIN || who.GetWorkspace() != "" {
		t.Errorf("the key is %v, %v", who, err)
	}
}

func TestFirstAdminKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	text := w.adminKey(t)
	info, err := os.Stat(w.config.AdminKeyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	i.wantAdmin(t, text)
	w.start(t, tenant.Deps{})
	if w.adminKey(t) != text {
		t.Error("a second start made another key")
	}
}

func TestAdminKeysOfBeforeATimeAreReplacedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	old := w.adminKey(t)
	if err := os.Remove(w.config.AdminKeyFile); err != nil { // it was lost
		t.Fatal(err)
	}
	w.config.AdminKeysSince = time.Now().Format(time.RFC3339Nano)
	i = w.again(t, i)
	fresh := w.adminKey(t)
	i.wantAdmin(t, fresh)
	_, err := i.keys.AuthenticateKey(t.Context(), &tenantv1.AuthenticateKeyRequest{Text: old})
	wantReason(t, "the lost key", err, "KEY_REVOKED")
	_, kid, err := key.Parse(old)
	if err != nil {
		t.Fatal(err)
	}
	events := eventv1.NewEventServiceClient(w.env.Dial("gateway", "tenant", i.Addr()))
	told, err := events.ListEvents(t.Context(), &eventv1.ListEventsRequest{Service: "services/tenant", Aggregate: "keys/" + kid})
	if err != nil || len(told.GetEvents()) != 1 || told.GetEvents()[0].GetType() != "naksha.tenant.v1.KeyRevoked" {
		t.Errorf("the record has %v, %v", told, err)
	}
	i = w.again(t, i)
	if w.adminKey(t) != fresh {
		t.Error("the next start made another key")
	}
	w.config.AdminKeysSince = ""
	w.again(t, i).wantAdmin(t, fresh)
}

func TestAdminKeyBecomesUsableOrStaysAsItWasWhereverAStartDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	good, next := w.adminKey(t), w.config.AdminKeyFile+".next"
	// It died before the record: the key that was never made is gone, the other one works.
	_, unknown := key.New(key.Admin)
	put(t, next, unknown)
	i = w.again(t, i)
	i.wantAdmin(t, w.adminKey(t))
	if _, err := os.Stat(next); !os.IsNotExist(err) || w.adminKey(t) != good {
		t.Errorf("a key without a record is left: %v", err)
	}
	// It died behind the record: the file holds a revoked key, the new one lies beside it.
	put(t, next, good)
	put(t, w.config.AdminKeyFile, unknown)
	i = w.again(t, i)
	if w.adminKey(t) != good {
		t.Error("the key that works was not put in its place")
	}
	// A revoked one is not revived.
	run(t, login(t, w.config.DatabaseURL.Reveal()), "UPDATE api_key SET revoke_time = create_time WHERE kind = 'adm'")
	i = w.again(t, i)
	if w.adminKey(t) == good {
		t.Error("the file still holds the revoked key")
	}
	i.wantAdmin(t, w.adminKey(t))
}

func TestAdminKeysAreNotRenewedWithoutAFileForTheNewOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.AdminKeysSince, w.config.AdminKeyFile = time.Now().Format(time.RFC3339), ""
	if _, err := tenant.New(w.config, tenant.Deps{}); err == nil || !strings.Contains(err.Error(), "admin_key_file") {
		t.Errorf("it would revoke nothing, and is taken: %v", err)
	}
}

func TestTimeAheadRevokesNoAdminKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.AdminKeysSince = time.Now().Add(time.Hour).Format(time.RFC3339)
	s, err := tenant.New(w.config, tenant.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "admin_keys_since lies ahead") {
		t.Errorf("it starts: %v", err)
		_ = s.Stop(t.Context())
	}
}
