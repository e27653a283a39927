package demo

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// SQLSTATEs that are refusals: insufficient privilege, invalid authorization, invalid password.
var refusedBySQL = []string{"42501", "28000", "28P01"}

func (w *world) bySQL() []attempt {
	login, other := w.shop.sql, "w_"+w.neighbour.ref
	statement := func(name, sql string) attempt {
		return attempt{name, func(ctx context.Context) error { return login.Try(ctx, sql) }, outsider.SQLState, refusedBySQL}
	}
	enter := func(name string, s outsider.SQL) attempt {
		return attempt{name, func(ctx context.Context) error { return s.Try(ctx, "SELECT 1") }, outsider.SQLState, refusedBySQL}
	}
	return []attempt{
		statement("read the neighbour's table", "SELECT * FROM "+other+".ledger LIMIT 1"),
		statement("write the neighbour's table", "DELETE FROM "+other+".ledger"),
		statement("create in the neighbour's schema", "CREATE TABLE "+other+".mine ()"),
		statement("create in public", "CREATE TABLE public.mine ()"),
		statement("become the neighbour", "SET ROLE "+other),
		statement("become the cell's owner", "SET ROLE naksha_ddl"),
		statement("change sessions", "SET SESSION AUTHORIZATION "+other),
		statement("read passwords", "SELECT rolpassword FROM pg_authid"),
		statement("read files", "SELECT pg_read_file('PG_VERSION')"),
		statement("run programs", "COPY (SELECT 1) TO PROGRAM 'true'"),
		statement("make large objects", "SELECT lo_create(0)"),
		statement("create roles", "CREATE ROLE mine"),
		statement("end others' sessions", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"),
		enter("enter another database", login.Into("postgres")),
		enter("log in as the neighbour", login.As(w.neighbour.sql.User(), w.shop.made.GetCredentials().GetDatabasePassword())),
	}
}

// Codes of S3 that are refusals.
var refusedByS3 = []string{"AccessDenied", "NoSuchBucket", "InvalidAccessKeyId"}

func (w *world) byS3() []attempt {
	other := w.shop.s3.In("w-" + w.neighbour.ref)
	call := func(name string, try func(ctx context.Context) error) attempt {
		return attempt{name, try, outsider.S3Code, refusedByS3}
	}
	return []attempt{
		call("get the neighbour's object", func(ctx context.Context) error { _, err := other.Hash(ctx, "ledger.pdf"); return err }),
		call("put into the neighbour's bucket", func(ctx context.Context) error { return other.Put(ctx, "mine", []byte("mine")) }),
		call("list the neighbour's bucket", func(ctx context.Context) error { _, err := other.Keys(ctx); return err }),
		call("remove the neighbour's object", func(ctx context.Context) error { return other.Remove(ctx, "ledger.pdf") }),
		call("list the backups", func(ctx context.Context) error { _, err := w.shop.s3.In("naksha-backups").Keys(ctx); return err }),
		call("stop versioning", w.shop.s3.StopVersioning),
		call("drop the bucket", w.shop.s3.DropBucket),
		{"see other buckets", w.seeBuckets, bucketsCode, append([]string{errOwnOnly.Error()}, refusedByS3...)},
	}
}

// errOwnOnly stands for a list that shows nothing but the caller's own bucket.
var errOwnOnly = errors.New("shows the own bucket only")

func bucketsCode(err error) string {
	if errors.Is(err, errOwnOnly) {
		return err.Error()
	}
	return outsider.S3Code(err)
}

// seeBuckets is refused when the list is, and when it shows nothing of others.
func (w *world) seeBuckets(ctx context.Context) error {
	names, err := w.shop.s3.Buckets(ctx)
	if err != nil {
		return err
	}
	own := "w-" + w.shop.ref
	if slices.ContainsFunc(names, func(name string) bool { return name != own }) {
		return nil
	}
	return errOwnOnly
}

func (w *world) byKey() []attempt {
	foreign, missing := []string{"WORKSPACE_FOREIGN"}, []string{"PERMISSION_MISSING"}
	other := w.neighbour.name
	rest := func(name, method, path string, wants []string) attempt {
		return attempt{name + " (REST)", func(ctx context.Context) error {
			return w.shop.door.REST(ctx, method, path, nil, nil)
		}, forbidden, wants}
	}
	call := func(name string, wants []string, try func(ctx context.Context) error) attempt {
		return attempt{name + " (gRPC)", try, forbidden, wants}
	}
	conn := w.shop.door.GRPC()
	return []attempt{
		rest("show the neighbour", "GET", "/v1/"+other, foreign),
		rest("list the neighbour's keys", "GET", "/v1/"+other+"/keys", foreign),
		rest("snapshot the neighbour", "POST", "/v1/"+other+"/snapshots", foreign),
		rest("redeem the neighbour's password", "POST", "/v1/"+other+"/credentials/database:redeem", foreign),
		rest("list all workspaces", "GET", "/v1/workspaces", missing),
		rest("list incidents", "GET", "/v1/incidents", missing),
		call("show the neighbour", foreign, func(ctx context.Context) error {
			_, err := tenantv1.NewWorkspaceServiceClient(conn).GetWorkspace(ctx, &tenantv1.GetWorkspaceRequest{Name: other})
			return err
		}),
		call("snapshot the neighbour", foreign, func(ctx context.Context) error {
			_, err := backupv1.NewSnapshotServiceClient(conn).CreateSnapshot(ctx, &backupv1.CreateSnapshotRequest{Parent: other})
			return err
		}),
		call("redeem the neighbour's password", foreign, func(ctx context.Context) error {
			request := &rotationv1.RedeemCredentialRequest{Name: other + "/credentials/database"}
			_, err := rotationv1.NewCredentialServiceClient(conn).RedeemCredential(ctx, request)
			return err
		}),
		call("create a workspace", missing, func(ctx context.Context) error {
			request := &tenantv1.CreateWorkspaceRequest{DisplayName: "mine"}
			_, err := tenantv1.NewWorkspaceServiceClient(conn).CreateWorkspace(ctx, request)
			return err
		}),
	}
}

// forbidden is the reason of a refusal that is HTTP 403 or PERMISSION_DENIED, "" for any other error.
func forbidden(err error) string {
	var problem *outsider.Problem
	if errors.As(err, &problem) && problem.Status != 403 {
		return ""
	}
	if problem == nil && status.Code(err) != codes.PermissionDenied {
		return ""
	}
	return outsider.Reason(err)
}

func (w *world) byFacts() []attempt {
	refusal := func(err error) string {
		if outsider.Forbidden(err) {
			return "Permissions Violation"
		}
		return ""
	}
	var all []attempt
	for _, subject := range []string{"naksha.tenant.>", "naksha.>", "$JS.>", "_INBOX.>"} {
		all = append(all, attempt{"subscribe to " + subject, func(ctx context.Context) error {
			return w.feed.TrySubscribe(ctx, subject)
		}, refusal, []string{"Permissions Violation"}})
	}
	for _, subject := range []string{"naksha.tenant.v1.workspace_deleted." + w.shop.ref, "naksha.feed.forged", "$JS.API.STREAM.NAMES"} {
		all = append(all, attempt{"publish to " + subject, func(ctx context.Context) error {
			return w.feed.TryPublish(ctx, subject)
		}, refusal, []string{"Permissions Violation"}})
	}
	return all
}
