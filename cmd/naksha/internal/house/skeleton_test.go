package house_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

func TestAServiceWithoutTheSkeletonIsRefused(t *testing.T) {
	t.Parallel()
	if bad := skeletonOf(t, wholeServices()); len(bad) != 0 {
		t.Errorf("the right tree is refused: %v", bad)
	}
	for _, missing := range []string{
		"services/tenant/tenant.go", "services/tenant/config.go", "services/tenant/cmd/tenant/main.go",
		"services/tenant/README.md", "services/tenant/internal/store/a.go", "services/tenant/internal/event/a.go",
	} {
		tree := wholeServices()
		delete(tree, missing)
		if bad := skeletonOf(t, tree); len(bad) != 1 {
			t.Errorf("without %s: %v, want one violation", missing, bad)
		}
	}
}

func TestACharterThatIsSilentIsRefused(t *testing.T) {
	t.Parallel()
	tree := wholeServices()
	tree["services/backup/README.md"] = &fstest.MapFile{Data: []byte("# Backup\nIt owns much and promises little.\n")}
	bad := skeletonOf(t, tree)
	if len(bad) != 6 || !strings.Contains(bad[0].String(), "services/backup/README.md: does not say what the service owns") {
		t.Errorf("got %v, want six violations", bad)
	}
}

func TestALinkToNowhereIsRefused(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{
		"docs/good.md": {Data: []byte("[up](../README.md#top) [here](#a) [web](https://example.com/x) [folder](adr)")},
		"docs/bad.md":  {Data: []byte("\n[gone](gone.md)")},
		"docs/adr/a":   {}, "README.md": {},
	}
	if bad, err := house.Links(tree, []string{"docs/good.md", "README.md"}); err != nil || len(bad) != 0 {
		t.Errorf("the right tree is refused: %v %v", bad, err)
	}
	if bad, err := house.Links(tree, []string{"docs/bad.md"}); err != nil || len(bad) != 1 || bad[0].Line != 2 {
		t.Errorf("got %v %v, want one violation on line 2", bad, err)
	}
}

func skeletonOf(t *testing.T, tree fstest.MapFS) []house.Violation {
	t.Helper()
	s, err := house.Load(tree)
	if err != nil {
		t.Fatal(err)
	}
	return house.Skeleton(s)
}

func wholeServices() fstest.MapFS {
	tree := fstest.MapFS{}
	for _, s := range house.Services {
		dir := "services/" + s + "/"
		for _, name := range []string{s + ".go", "config.go", "cmd/" + s + "/main.go", "internal/store/a.go", "internal/api/a.go", "internal/event/a.go"} {
			tree[dir+name] = &fstest.MapFile{Data: []byte("package x")}
		}
		tree[dir+"README.md"] = &fstest.MapFile{Data: []byte(
			"## Owns\n**Emits**: a\n- **Handles** b\n| calls | c |\n## Promises\n## Runbook\n")}
	}
	return tree
}
