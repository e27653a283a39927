package tenant_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestCustomerIsRefusedWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	a, b := i.create(t, "a"), i.create(t, "b")
	refA, refB := refOf(a.GetWorkspace()), refOf(b.GetWorkspace())
	mine, theirs := login(t, a.GetCredentials().GetDatabaseUrl()), login(t, b.GetCredentials().GetDatabaseUrl())
	run(t, theirs, "CREATE TABLE secret (v text)", "INSERT INTO secret VALUES ('x')")

	refused := []string{
		"SELECT * FROM w_" + refB + ".secret",
		"INSERT INTO w_" + refB + ".secret VALUES ('y')",
		"CREATE TABLE w_" + refB + ".t (i int)",
		"SET ROLE w_" + refB,
		"SET SESSION AUTHORIZATION w_" + refB + "_g1",
		"GRANT w_" + refB + " TO w_" + refA + "_g1",
		"SELECT * FROM pg_authid",
		"SELECT * FROM pg_catalog.pg_largeobject",
		"SELECT pg_catalog.lo_create(0)",
		"SELECT pg_catalog.pg_advisory_lock(1)",
		"SELECT naksha_lock.own('1')",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'w_" + refB + "_g1'",
		"SELECT pg_read_file('PG_VERSION')",
		"COPY (SELECT 1) TO PROGRAM 'id'",
		"CREATE TABLE public.t (i int)",
		"CREATE TEMP TABLE t (i int)",
		"CREATE SCHEMA mine",
		"CREATE DATABASE mine",
		"CREATE ROLE mine",
		"CREATE EXTENSION pg_trgm",
		"ALTER SCHEMA w_" + refA + " RENAME TO w_mine",
		"DROP SCHEMA w_" + refA + " CASCADE",
		"ALTER ROLE w_" + refA + "_g1 CONNECTION LIMIT -1",
		"ALTER ROLE w_" + refA + "_g1 SUPERUSER",
		"ALTER SYSTEM SET work_mem = '1GB'",
	}
	for _, statement := range refused {
		for _, role := range []string{"w_" + refA, "NONE"} {
			run(t, mine, "SET ROLE "+role)
			if _, err := mine.Exec(t.Context(), statement); err == nil {
				t.Errorf("as role %s: %s works", role, statement)
			}
		}
	}
	for _, database := range []string{"postgres", "template1"} {
		u, err := url.Parse(a.GetCredentials().GetDatabaseUrl())
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + database
		if tryLogin(t, u.String()) == nil {
			t.Errorf("the customer may connect to %s", database)
		}
	}
	wantBucketsApart(t, w, a, b)
}

// wantBucketsApart tries a's keys on b's bucket, in both regions, and what a policy keeps from a bucket's own user.
func wantBucketsApart(t *testing.T, w *world, a, b *tenantv1.CreateWorkspaceResponse) {
	t.Helper()
	own, other := a.GetWorkspace().GetEndpoints().GetBucket(), b.GetWorkspace().GetEndpoints().GetBucket()
	client := s3(t, w.primary, a.GetCredentials().GetS3AccessKeyId(), a.GetCredentials().GetS3SecretAccessKey())
	put := func(bucket string) (minio.UploadInfo, error) {
		return client.PutObject(t.Context(), bucket, "o", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
	}
	info, err := put(own)
	if err != nil {
		t.Fatal(err)
	}
	tries := map[string]func() error{
		"write there":   func() error { _, err := put(other); return err },
		"list there":    func() error { return firstError(client.ListObjects(t.Context(), other, minio.ListObjectsOptions{})) },
		"make a bucket": func() error { return client.MakeBucket(t.Context(), "mine", minio.MakeBucketOptions{}) },
		"erase a version": func() error {
			return client.RemoveObject(t.Context(), own, "o", minio.RemoveObjectOptions{VersionID: info.VersionID})
		},
		"suspend versioning": func() error { return client.SuspendVersioning(t.Context(), own) },
		"open the bucket": func() error {
			return client.SetBucketPolicy(t.Context(), own, `{"Version":"2012-10-17","Statement":[]}`)
		},
		"remove the bucket": func() error { return client.RemoveBucket(t.Context(), own) },
		"lock every version": func() error {
			mode, days, unit := minio.Compliance, uint(3650), minio.Days
			return client.SetObjectLockConfig(t.Context(), own, &mode, &days, &unit)
		},
		"lock an object": func() error {
			return client.PutObjectLegalHold(t.Context(), own, "o", minio.PutObjectLegalHoldOptions{Status: new(minio.LegalHoldEnabled)})
		},
	}
	for what, try := range tries {
		if code := minio.ToErrorResponse(try()).Code; code != "AccessDenied" {
			t.Errorf("%s: code %q, want AccessDenied", what, code)
		}
	}
	buckets, err := client.ListBuckets(t.Context())
	for _, bucket := range buckets {
		if err == nil && bucket.Name != own {
			t.Errorf("ListBuckets shows %s", bucket.Name)
		}
	}
}

func firstError(objects <-chan minio.ObjectInfo) (err error) {
	for o := range objects {
		if err == nil {
			err = o.Err
		}
	}
	return err
}

func TestAdvisoryLocksAreEachWorkspacesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	a, b := i.create(t, "a").GetCredentials().GetDatabaseUrl(), i.create(t, "b").GetCredentials().GetDatabaseUrl()
	first, second, neighbour := login(t, a), login(t, a), login(t, b)
	run(t, first, "SELECT pg_advisory_lock(42)", "SELECT pg_advisory_lock(1, 2)")
	if scan[bool](t, second, "SELECT pg_try_advisory_lock(42)") || scan[bool](t, second, "SELECT pg_try_advisory_lock(1, 2)") {
		t.Error("two sessions of a workspace have the same lock")
	}
	if !scan[bool](t, neighbour, "SELECT pg_try_advisory_lock(42)") {
		t.Error("the neighbour is locked out")
	}
	if !scan[bool](t, first, "SELECT pg_advisory_unlock(42)") || !scan[bool](t, second, "SELECT pg_try_advisory_lock(42)") {
		t.Error("the lock was not let go")
	}
	run(t, second, "BEGIN", "SELECT pg_advisory_xact_lock(7)", "COMMIT")
	if !scan[bool](t, first, "SELECT pg_try_advisory_lock_shared(7)") {
		t.Error("the transaction's lock outlived it")
	}
	run(t, first, "SELECT pg_advisory_unlock_all()")
	// One session must not fill the server's table of locks, without which nobody can log in.
	if _, err := first.Exec(t.Context(), "SELECT count(pg_advisory_lock(i)) FROM generate_series(1001, 1257) AS i"); pg.SQLState(err) != "53400" {
		t.Errorf("257 locks: %v", err)
	}
	run(t, first, "SELECT pg_advisory_unlock_all()", "SELECT count(pg_advisory_lock(i)) FROM generate_series(1001, 1256) AS i",
		"SELECT pg_advisory_unlock(1001)", "SELECT pg_advisory_lock(1257)", "SELECT pg_advisory_unlock_all()")
}

func TestPlanLimitsConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	made, err := i.workspaces.CreateWorkspace(operator(t.Context()), &tenantv1.CreateWorkspaceRequest{DisplayName: "p", Plan: "pro"})
	if err != nil {
		t.Fatal(err)
	}
	admin, role := w.superuser(t), made.GetCredentials().GetDatabaseUser()
	servicetest.Eventually(t, func() error {
		if got := scan[int](t, admin, "SELECT rolconnlimit FROM pg_roles WHERE rolname = $1", role); got != 40 {
			return fmt.Errorf("the limit is %d", got)
		}
		return nil
	})
	free := i.create(t, "f").GetCredentials().GetDatabaseUrl()
	for range 10 {
		login(t, free)
	}
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	if _, err := pgx.Connect(ctx, free); err == nil || !strings.Contains(err.Error(), "53300") {
		t.Errorf("the eleventh session: %v", err)
	}
}

func TestRefusesBadInputWithAClearError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	ctx := operator(t.Context())
	create := func(r *tenantv1.CreateWorkspaceRequest) error {
		_, err := i.workspaces.CreateWorkspace(ctx, r)
		return err
	}
	get := func(name string) error {
		_, err := i.workspaces.GetWorkspace(ctx, &tenantv1.GetWorkspaceRequest{Name: name})
		return err
	}
	unknown := "workspaces/abcdefghijklmnopqrst"
	for what, c := range map[string]struct {
		err    error
		reason string
	}{
		"empty name":       {create(&tenantv1.CreateWorkspaceRequest{}), "FIELD_INVALID"},
		"huge name":        {create(&tenantv1.CreateWorkspaceRequest{DisplayName: strings.Repeat("x", 1<<20)}), "FIELD_INVALID"},
		"turned name":      {create(&tenantv1.CreateWorkspaceRequest{DisplayName: "a\u202egpj"}), "FIELD_INVALID"},
		"NUL in name":      {create(&tenantv1.CreateWorkspaceRequest{DisplayName: "a\x00b"}), "FIELD_INVALID"},
		"unknown plan":     {create(&tenantv1.CreateWorkspaceRequest{DisplayName: "a", Plan: "gold"}), "FIELD_INVALID"},
		"bad request_id":   {create(&tenantv1.CreateWorkspaceRequest{DisplayName: "a", RequestId: "1"}), "FIELD_INVALID"},
		"SQL as a ref":     {get("workspaces/a'; DROP TABLE slot"), "FIELD_INVALID"},
		"path as a ref":    {get("workspaces/../../../etc/passwd"), "FIELD_INVALID"},
		"look-alike ref":   {get("workspaces/аbcdefghijklmnopqrst"), "FIELD_INVALID"}, // a Cyrillic a
		"unknown ref":      {get(unknown), "WORKSPACE_NOT_FOUND"},
		"unknown deletion": {ignore(i.workspaces.DeleteWorkspace(ctx, &tenantv1.DeleteWorkspaceRequest{Name: unknown})), "WORKSPACE_NOT_FOUND"},
		"unknown parent":   {ignore(i.keys.ListKeys(ctx, &tenantv1.ListKeysRequest{Parent: unknown})), "WORKSPACE_NOT_FOUND"},
		"unknown key":      {ignore(i.keys.DeleteKey(ctx, &tenantv1.DeleteKeyRequest{Name: unknown + "/keys/abcdefghijkl"})), "KEY_NOT_FOUND"},
		"page of minus 1":  {ignore(i.workspaces.ListWorkspaces(ctx, &tenantv1.ListWorkspacesRequest{PageSize: -1})), "FIELD_INVALID"},
		"token of nobody":  {ignore(i.workspaces.ListWorkspaces(ctx, &tenantv1.ListWorkspacesRequest{PageToken: "AAAA"})), "PAGE_TOKEN_INVALID"},
		"unknown server":   {ignore(i.cells.GetCell(t.Context(), &tenantv1.GetCellRequest{Name: "servers/other"})), "SERVER_NOT_FOUND"},
		"unknown owner":    {ignore(i.cells.ObserveLogins(t.Context(), &tenantv1.ObserveLoginsRequest{Owner: unknown})), "WORKSPACE_NOT_FOUND"},
		"service in place of gateway": {ignore(i.cells.StageRestore(t.Context(), &tenantv1.StageRestoreRequest{
			Workspace: unknown, RestoreId: "0198c0de-0000-7000-8000-000000000000", ScramVerifier: verifier(t, "x"),
		})), "CALLER_NOT_ALLOWED"},
	} {
		wantReason(t, what, c.err, c.reason)
	}
}

func ignore[T any](_ T, err error) error { return err }
