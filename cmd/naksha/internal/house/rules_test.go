package house_test

import (
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

const mod = house.Module

// A breach is a file that keeps a rule, and the same file breaking it.
type breach struct {
	name string
	rule func(*house.Source) []house.Violation
	file string
	good string
	bad  string
	want string // part of the violation
}

func TestTheImportOrderRefuses(t *testing.T) {
	t.Parallel()
	tests := []breach{
		{
			"noun imports verb", house.Order, "services/tenant/internal/quota/a.go",
			imports("quota", mod+"/pkg/fault"), imports("quota", mod+"/services/tenant/internal/provision"), "noun imports verb",
		},
		{
			"noun imports pkg", house.Order, "services/tenant/internal/quota/a.go",
			imports("quota", "time"), imports("quota", mod+"/pkg/pg"), "std and pkg/fault only",
		},
		{
			"noun imports a library", house.Order, "services/tenant/internal/quota/a.go",
			imports("quota", "github.com/google/uuid"), imports("quota", "github.com/spf13/cobra"), "std and pkg/fault only",
		},
		{
			"verb imports store", house.Order, "services/tenant/internal/provision/a.go",
			imports("provision", mod+"/services/tenant/internal/slot"), imports("provision", mod+"/services/tenant/internal/store"), "verb imports store",
		},
		{
			"verb imports proto", house.Order, "services/tenant/internal/provision/a.go",
			imports("provision", mod+"/pkg/clock"), imports("provision", mod+"/proto/gen/naksha/tenant/v1"), "belong to api, event, peer and drivers",
		},
		{
			"api imports store", house.Order, "services/tenant/internal/api/a.go",
			imports("api", mod+"/services/tenant/internal/provision"), imports("api", mod+"/services/tenant/internal/store"), "api imports store",
		},
		{
			"event imports api", house.Order, "services/tenant/internal/event/a.go",
			imports("event", mod+"/proto/gen/naksha/tenant/v1"), imports("event", mod+"/services/tenant/internal/api"), "event imports api",
		},
		{
			"store imports event", house.Order, "services/tenant/internal/store/a.go",
			imports("store", "github.com/jackc/pgx/v5"), imports("store", mod+"/services/tenant/internal/event"), "store imports event",
		},
		{
			"api speaks SQL", house.Order, "services/tenant/internal/api/a.go",
			imports("api", mod+"/pkg/rpc"), imports("api", "github.com/jackc/pgx/v5"), "only store speaks SQL",
		},
		{
			"api speaks JetStream", house.Order, "services/tenant/internal/api/a.go",
			imports("api", mod+"/pkg/rpc"), imports("api", "github.com/nats-io/nats.go"), "only event speaks JetStream",
		},
		{
			"verb imports peer", house.Order, "services/backup/internal/take/a.go",
			imports("take", mod+"/services/backup/internal/snapshot"),
			imports("take", mod+"/services/backup/internal/peer"), "verb imports peer",
		},
		{
			"driver speaks SQL", house.Order, "services/rotation/internal/kind/bucket/a.go",
			imports("bucket", mod+"/proto/gen/naksha/tenant/v1"),
			imports("bucket", "github.com/jackc/pgx/v5"), "only store speaks SQL",
		},
		{
			"cmd imports a verb", house.Order, "services/tenant/cmd/tenant/main.go",
			imports("main", mod+"/services/tenant"), imports("main", mod+"/services/tenant/internal/provision"), "cmd imports verb",
		},
		{
			"service imports service", house.Order, "services/tenant/tenant.go",
			imports("tenant", mod+"/services/tenant/internal/api"), imports("tenant", mod+"/services/backup"), "talk by RPC and facts",
		},
		{
			"test imports another service", house.Order, "services/tenant/tenant_test.go",
			imports("tenant_test", mod+"/pkg/local"), imports("tenant_test", mod+"/services/backup"), "talk by RPC and facts",
		},
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

func TestTheOtherRulesRefuse(t *testing.T) {
	t.Parallel()
	tests := []breach{
		{"func init", house.State, "pkg/run/a.go", "package run\nfunc start() {}", "package run\nfunc init() {}", "func init"},
		{
			"os.Exit", house.State, "pkg/run/a.go", "package run\nimport \"os\"\nvar _ = os.Args",
			"package run\nimport \"os\"\nfunc f() { os.Exit(1) }", "os.Exit below main",
		},
		{
			"slog.SetDefault", house.State, "services/tenant/a.go", "package tenant\nimport \"log/slog\"\nvar _ = slog.New",
			"package tenant\nimport \"log/slog\"\nfunc f() { slog.SetDefault(nil) }", "slog.SetDefault below main",
		},
		{
			"signals", house.State, "services/tenant/a.go", "package tenant\nfunc f(signal interface{ Notify() }) { signal.Notify() }",
			"package tenant\nimport \"os/signal\"\nfunc f() { signal.Notify(nil) }", "main handles signals",
		},
		{
			"long function", house.Lengths, "pkg/run/a.go", "package run\nfunc f() {" + strings.Repeat("\n", 99) + "}",
			"package run\nfunc f() {" + strings.Repeat("\n", 100) + "}", "f has 101 lines",
		},
		{
			"long file", house.Lengths, "pkg/run/a.go",
			"package run" + strings.Repeat("\n", 499) + "var _ int",
			"package run" + strings.Repeat("\n", 500) + "var _ int", "has 501 lines",
		},
		{
			"no package comment", house.Documented, "pkg/run/a.go", "// Package run runs.\npackage run",
			"// Something else.\npackage run", "no package comment",
		},
		{
			"serial test", house.ParallelTests, "pkg/run/a_test.go", "package run\nimport \"testing\"\nfunc TestX(t *testing.T) { t.Parallel() }",
			"package run\nimport \"testing\"\nfunc TestX(t *testing.T) { t.Log(); t.Parallel() }", "TestX does not start",
		},
		{
			"test package in production", house.TestPackages, "services/tenant/a.go",
			imports("tenant", mod+"/pkg/pg"),
			imports("tenant", mod+"/pkg/pg/pgtest"), "which is for tests",
		},
		{
			"pkg/local in production", house.LocalUse, "services/tenant/a.go", imports("tenant", mod+"/pkg/run"),
			imports("tenant", mod+"/pkg/local"), "cmd/naksha and tests",
		},
		{
			"pkg/local imports pkg", house.LocalAlone, "pkg/local/a.go", imports("local", mod+"/pkg/local/s3"),
			imports("local", mod+"/pkg/run"), "pkg/local imports pkg/run",
		},
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

func (b breach) check(t *testing.T) {
	t.Parallel()
	if bad := b.rule(load(t, b.file, b.good)); len(bad) != 0 {
		t.Errorf("the right tree is refused: %v", bad)
	}
	bad := b.rule(load(t, b.file, b.bad))
	if len(bad) != 1 || !strings.Contains(bad[0].String(), b.want) || bad[0].Path == "" {
		t.Errorf("got %v, want one violation with %q", bad, b.want)
	}
}
