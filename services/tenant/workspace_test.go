package tenant_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestNewWorkspaceServesPlainClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := w.env.Listen("naksha.feed.tenant.v1.workspace_created.*")
	i := w.start(t, tenant.Deps{})
	made := i.create(t, "Café Größe 東京")
	ref, c := refOf(made.GetWorkspace()), made.GetCredentials()

	conn := login(t, c.GetDatabaseUrl())
	run(t, conn, "CREATE TABLE city (id int PRIMARY KEY, name text)", "INSERT INTO city VALUES (1, 'Pune')")
	if owner := scan[string](t, conn, "SELECT tableowner::text FROM pg_tables WHERE tablename = 'city' AND schemaname = $1", "w_"+ref); owner != "w_"+ref {
		t.Errorf("the table belongs to %s", owner)
	}
	bucket := made.GetWorkspace().GetEndpoints().GetBucket()
	client := s3(t, w.primary, c.GetS3AccessKeyId(), c.GetS3SecretAccessKey())
	info, err := client.PutObject(t.Context(), bucket, "a/b", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
	if err != nil || info.VersionID == "" {
		t.Errorf("put object: %+v, %v", info, err)
	}
	for text, kind := range map[string]tenantv1.Key_Kind{c.GetSecretKey(): tenantv1.Key_KIND_SECRET, c.GetPublicKey(): tenantv1.Key_KIND_PUBLIC} {
		who, err := i.keys.AuthenticateKey(t.Context(), &tenantv1.AuthenticateKeyRequest{Text: text})
		if err != nil || who.GetWorkspace() != made.GetWorkspace().GetName() || who.GetKind() != kind {
			t.Errorf("authenticate %s key: %v, %v", kind, who, err)
		}
	}
	if !strings.Contains(made.GetWorkspace().GetEndpoints().GetCaCertificate(), "BEGIN CERTIFICATE") {
		t.Error("the endpoints carry no CA certificate")
	}
	var fact tenantv1.WorkspaceCreated
	if err := proto.Unmarshal((<-feed).Data, &fact); err != nil || fact.GetSchema() != "w_"+ref || fact.GetLoginGeneration() != 1 {
		t.Errorf("fact %v, %v", &fact, err)
	}
	shown, err := i.workspaces.GetWorkspace(operator(t.Context()), &tenantv1.GetWorkspaceRequest{Name: made.GetWorkspace().GetName()})
	if err != nil || !proto.Equal(shown.GetWorkspace(), made.GetWorkspace()) {
		t.Errorf("get returns %v, %v", shown, err)
	}
}

func TestRepeatedCreateReturnsTheSameWorkspaceForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := clock.NewFake(time.Now())
	i := w.start(t, tenant.Deps{Clock: now})
	order := &tenantv1.CreateWorkspaceRequest{DisplayName: "one", RequestId: uuid.NewString()}
	first, err := i.workspaces.CreateWorkspace(operator(t.Context()), order)
	if err != nil {
		t.Fatal(err)
	}
	again, err := i.workspaces.CreateWorkspace(operator(t.Context()), order)
	if err != nil || !proto.Equal(first, again) {
		t.Errorf("the repeat returns %v, %v", again, err)
	}
	other := proto.Clone(order).(*tenantv1.CreateWorkspaceRequest)
	other.DisplayName = "two"
	_, err = i.workspaces.CreateWorkspace(operator(t.Context()), other)
	wantReason(t, "same id, other body", err, "REQUEST_ID_REUSED")
	now.Advance(24*time.Hour + time.Second)
	late, err := i.workspaces.CreateWorkspace(operator(t.Context()), order)
	if err != nil || late.GetWorkspace().GetName() != first.GetWorkspace().GetName() || late.GetCredentials() != nil {
		t.Errorf("after a day the repeat returns %v, %v", late, err)
	}
}

func TestConcurrentCreatesNeverShareASlot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	const orders = 50
	twin := uuid.NewString() // two orders of each pair carry the same request_id
	names := make([]string, orders)
	var wg sync.WaitGroup
	for n := range orders {
		wg.Go(func() {
			id := uuid.NewSHA1(uuid.MustParse(twin), []byte{byte(n / 2)}).String()
			reply, err := i.workspaces.CreateWorkspace(operator(t.Context()), &tenantv1.CreateWorkspaceRequest{DisplayName: "w", RequestId: id})
			if err != nil {
				t.Errorf("order %d: %v", n, err)
				return
			}
			names[n] = reply.GetWorkspace().GetName()
			conn := login(t, reply.GetCredentials().GetDatabaseUrl())
			run(t, conn, "SELECT 1")
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for n, name := range names {
		if n%2 == 1 && name != names[n-1] {
			t.Errorf("a repeat got %s, its twin %s", name, names[n-1])
		}
		seen[name]++
	}
	if len(seen) != orders/2 {
		t.Errorf("%d orders with %d ids made %d workspaces", orders, orders/2, len(seen))
	}
}

func TestListPagesNewestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	var want []string
	for _, name := range []string{"a", "b", "b", "c"} {
		want = append([]string{i.create(t, name).GetWorkspace().GetName()}, want...)
	}
	list := func(r *tenantv1.ListWorkspacesRequest) (names []string, next string) {
		reply, err := i.workspaces.ListWorkspaces(operator(t.Context()), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range reply.GetWorkspaces() {
			names = append(names, w.GetName())
		}
		return names, reply.GetNextPageToken()
	}
	first, token := list(&tenantv1.ListWorkspacesRequest{PageSize: 3})
	rest, end := list(&tenantv1.ListWorkspacesRequest{PageSize: 3, PageToken: token})
	if got := append(first, rest...); strings.Join(got, " ") != strings.Join(want, " ") || end != "" {
		t.Errorf("pages hold %v and end in %q, want %v", got, end, want)
	}
	if named, _ := list(&tenantv1.ListWorkspacesRequest{Filter: `display_name = "b" AND state = "STATE_ACTIVE"`}); len(named) != 2 {
		t.Errorf("the filter finds %v", named)
	}
	_, err := i.workspaces.ListWorkspaces(operator(t.Context()), &tenantv1.ListWorkspacesRequest{PageToken: token, Filter: `plan = "pro"`})
	wantReason(t, "token of another list", err, "PAGE_TOKEN_INVALID")
	_, err = i.workspaces.ListWorkspaces(operator(t.Context()), &tenantv1.ListWorkspacesRequest{Filter: `name = 'x'; DROP TABLE slot`})
	wantReason(t, "filter with SQL", err, "FILTER_INVALID")
}

func TestDeletedWorkspaceIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	feed := w.env.Listen("naksha.feed.tenant.v1.>")
	i := w.start(t, tenant.Deps{})
	made, other := i.create(t, "gone"), i.create(t, "stays")
	c, neighbour := made.GetCredentials(), login(t, other.GetCredentials().GetDatabaseUrl())
	session := login(t, c.GetDatabaseUrl())
	run(t, session, "CREATE TABLE t (i int)", "BEGIN", "INSERT INTO t VALUES (1)")

	order := &tenantv1.DeleteWorkspaceRequest{Name: made.GetWorkspace().GetName(), RequestId: uuid.NewString()}
	gone, err := i.workspaces.DeleteWorkspace(operator(t.Context()), order)
	if err != nil || gone.GetWorkspace().GetState() != tenantv1.Workspace_STATE_DELETED || gone.GetWorkspace().GetDeleteTime() == nil {
		t.Fatalf("delete returns %v, %v", gone, err)
	}
	if again, err := i.workspaces.DeleteWorkspace(operator(t.Context()), order); err != nil || !proto.Equal(gone, again) {
		t.Errorf("the repeat returns %v, %v", again, err)
	}
	_, err = i.keys.AuthenticateKey(t.Context(), &tenantv1.AuthenticateKeyRequest{Text: c.GetSecretKey()})
	wantReason(t, "key", err, "KEY_REVOKED")
	_, err = i.keys.CreateKey(operator(t.Context()), &tenantv1.CreateKeyRequest{Parent: order.GetName(), Kind: tenantv1.Key_KIND_SECRET})
	wantReason(t, "new key", err, "WORKSPACE_DELETED")
	_, err = i.cells.InstallLogin(t.Context(), &tenantv1.InstallLoginRequest{Owner: order.GetName(), Generation: 2, ScramVerifier: verifier(t, "x")})
	wantReason(t, "new login", err, "WORKSPACE_DELETED")

	servicetest.Eventually(t, func() error { return wantFailure("open session", session.Ping(t.Context())) })
	servicetest.Eventually(t, func() error { return wantFailure("login", tryLogin(t, c.GetDatabaseUrl())) })
	client := s3(t, w.primary, c.GetS3AccessKeyId(), c.GetS3SecretAccessKey())
	servicetest.Eventually(t, func() error {
		_, err := client.StatObject(t.Context(), gone.GetWorkspace().GetEndpoints().GetBucket(), "x", minio.StatObjectOptions{})
		if minio.ToErrorResponse(err).Code == "NoSuchKey" {
			return wantFailure("S3 key", nil)
		}
		return nil
	})
	run(t, neighbour, "SELECT 1")
	want := map[string]int{"workspace_created": 2, "key_revoked": 2, "workspace_deleted": 1}
	for range 5 {
		want[strings.Split((<-feed).Subject, ".")[4]]--
	}
	for fact, missing := range want {
		if missing != 0 {
			t.Errorf("%d of %s are missing", missing, fact)
		}
	}
}
