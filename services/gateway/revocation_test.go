package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway"
)

// untilRefused waits until a key is refused at a gateway, which it must be long before it would have been forgotten.
func (w *world) untilRefused(t *testing.T, door *gateway.Service, apiKey, reason string) {
	t.Helper()
	begin := time.Now()
	at := *w
	at.door = door
	servicetest.Eventually(t, func() error {
		if answer := at.do(t, apiKey, "GET", "/v1/caller", ""); answer.status != http.StatusUnauthorized || answer.reason() != reason {
			return fmt.Errorf("%d %s", answer.status, answer.text)
		}
		return nil
	})
	if took := time.Since(begin); took > localtest.Bar(20*time.Second) {
		t.Errorf("refused only after %s", took)
	}
}

func TestARevokedKeyIsRefusedAtEveryReplica(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	replicas := []*gateway.Service{w.door, w.start(t, gateway.Deps{}), w.start(t, gateway.Deps{})}
	for _, door := range replicas {
		at := *w
		at.door = door
		for _, apiKey := range []string{ownKey, otherKey} {
			if answer := at.do(t, apiKey, "GET", "/v1/caller", ""); answer.status != 200 {
				t.Fatalf("%d %s", answer.status, answer.text)
			}
		}
	}
	asked := w.tenant.questions()
	w.tenant.revoke(t, ownKey)
	for _, door := range replicas {
		w.untilRefused(t, door, ownKey, "KEY_UNKNOWN")
	}
	before := w.tenant.questions()
	if answer := w.do(t, otherKey, "GET", "/v1/caller", ""); answer.status != 200 || w.tenant.questions() != before || before == asked {
		t.Errorf("another key was forgotten as well: %d, asked %d then %d", answer.status, before, w.tenant.questions())
	}
}

func TestAKeyThatASnapshotTellsRevokedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	for _, apiKey := range []string{ownKey, otherKey} {
		if answer := w.do(t, apiKey, "GET", "/v1/caller", ""); answer.status != 200 {
			t.Fatalf("%d %s", answer.status, answer.text)
		}
	}
	w.tenant.mu.Lock()
	kid := w.tenant.keys[ownKey].GetKid()
	delete(w.tenant.keys, ownKey)
	w.tenant.mu.Unlock()
	tell := func(kid string, revoked *timestamppb.Timestamp) {
		name := "workspaces/" + own + "/keys/" + kid
		w.tenant.tell(t, outbox.Fact{
			Aggregate: name, Workspace: own, Message: &tenantv1.KeySnapshotted{Key: name, Kid: kid, RevokeTime: revoked},
		})
	}
	tell("ZZZZZZZZZZZZ", nil)
	tell(kid, timestamppb.Now())
	w.untilRefused(t, w.door, ownKey, "KEY_UNKNOWN")
}

func TestTheKeysOfADeletedWorkspaceAreRefused(t *testing.T) {
	t.Parallel()
	for name, fact := range map[string]proto.Message{
		"told as it happened": &tenantv1.WorkspaceDeleted{Workspace: "workspaces/" + own},
		"told by a snapshot": &tenantv1.WorkspaceSnapshotted{
			Created: &tenantv1.WorkspaceCreated{Workspace: "workspaces/" + own}, DeleteTime: timestamppb.Now(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, gateway.Deps{})
			for _, apiKey := range []string{ownKey, publicKey} {
				if answer := w.do(t, apiKey, "GET", "/v1/caller", ""); answer.status != 200 {
					t.Fatalf("%d %s", answer.status, answer.text)
				}
			}
			w.tenant.mu.Lock()
			delete(w.tenant.keys, ownKey)
			delete(w.tenant.keys, publicKey)
			w.tenant.mu.Unlock()
			w.tenant.tell(t, outbox.Fact{Aggregate: "workspaces/" + own, Workspace: own, Message: fact})
			w.untilRefused(t, w.door, ownKey, "KEY_UNKNOWN")
			w.untilRefused(t, w.door, publicKey, "KEY_UNKNOWN")
		})
	}
}

func TestAKeyThatExpiresIsRefusedThoughItIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	w.tenant.mu.Lock()
	w.tenant.keys[ownKey].ExpireTime = timestamppb.New(time.Now().Add(15 * time.Second))
	w.tenant.mu.Unlock()
	if answer := w.do(t, ownKey, "GET", "/v1/caller", ""); answer.status != 200 {
		t.Fatalf("%d %s", answer.status, answer.text)
	}
	w.untilRefused(t, w.door, ownKey, "KEY_EXPIRED")
}

func TestARefusedKeyWorksAsSoonAsItExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	wantProblem(t, "before", w.do(t, strangeKey, "GET", "/v1/caller", ""), 401, "KEY_UNKNOWN")
	w.tenant.mu.Lock()
	w.tenant.keys[strangeKey] = &tenantv1.AuthenticateKeyResponse{Kid: "FFFFFFFFFFFF", Kind: tenantv1.Key_KIND_ADMIN}
	w.tenant.mu.Unlock()
	if answer := w.do(t, strangeKey, "GET", "/v1/caller", ""); answer.status != 200 {
		t.Errorf("in the next call: %d %s", answer.status, answer.text)
	}
}

func TestAKeyThatIsMoreThanItMayBeIsNotAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{})
	w.tenant.mu.Lock()
	w.tenant.keys[adminKey].Workspace = "workspaces/" + own
	w.tenant.keys[ownKey].Workspace = ""
	w.tenant.keys[publicKey].Kind = tenantv1.Key_KIND_UNSPECIFIED
	w.tenant.mu.Unlock()
	for _, apiKey := range []string{adminKey, ownKey, publicKey} {
		wantProblem(t, apiKey, w.do(t, apiKey, "GET", "/v1/caller", ""), 503, "AUTHENTICATION_UNAVAILABLE")
	}
}

func TestASpikeOfRefusedKeysIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Deps{}, func(c *gateway.Config) { c.SpikeWindow = 3 * time.Second })
	facts := w.env.Listen("naksha.feed.gateway.v1.>")
	told := make(chan struct{})
	t.Cleanup(func() { <-told })
	go func() {
		defer close(told)
		for range 60 {
			if t.Context().Err() == nil {
				_, _ = w.send(w.request(t, "GET", "/v1/caller", strangeKey))
			}
		}
	}()
	select {
	case m := <-facts:
		fact := &gatewayv1.AuthenticationFailuresSpiked{}
		if err := proto.Unmarshal(m.Data, fact); err != nil {
			t.Fatal(err)
		}
		if fact.GetFailureCount() <= 3 || fact.GetAttemptCount() < fact.GetFailureCount() || !fact.GetEndTime().AsTime().After(fact.GetStartTime().AsTime()) {
			t.Errorf("told %s", protojson.Format(fact))
		}
	case <-time.After(localtest.Patience):
		t.Fatal("no fact")
	}
	<-told
	// A record of facts is dense: the aggregate's second fact would be there if there were one.
	answer := w.do(t, adminKey, "GET", "/v1/services/gateway/events?aggregate=gateway/authentication", "")
	var record struct{ Events []json.RawMessage }
	if err := json.Unmarshal([]byte(answer.text), &record); err != nil || len(record.Events) != 1 {
		t.Errorf("%d %s", answer.status, answer.text)
	}
}

// request is a REST request with a key.
func (w *world) request(t *testing.T, method, path, apiKey string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+w.door.DoorAddr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+apiKey)
	return r
}
