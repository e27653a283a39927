package house_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/house"
)

// TestTheRepositoryKeepsItsRules runs every rule on the repository itself.
func TestTheRepositoryKeepsItsRules(t *testing.T) {
	t.Parallel()
	rules := map[string]func(*testing.T) ([]house.Violation, error){
		"imports go one way through a service":              onSource(house.Order),
		"nothing below main reaches for the process":        onSource(house.State),
		"no function is longer than a hundred lines":        onSource(house.Lengths),
		"every package says what it is":                     onSource(house.Documented),
		"every test runs in parallel":                       onSource(house.ParallelTests),
		"only cmd/naksha and tests import pkg/local":        onSource(house.LocalUse),
		"packages for tests stay in tests":                  onSource(house.TestPackages),
		"pkg/local imports nothing of pkg":                  onSource(house.LocalAlone),
		"every service has the same skeleton and a charter": onSource(house.Skeleton),
		"every dependency has its row":                      func(*testing.T) ([]house.Violation, error) { return house.Dependencies(os.DirFS(root())) },
		"every link leads somewhere":                        func(t *testing.T) ([]house.Violation, error) { return house.Links(os.DirFS(root()), tracked(t)) },
		"services do not require each other":                func(*testing.T) ([]house.Violation, error) { return house.Modules(os.DirFS(root())) },
		"SQL lives in stores":                               func(t *testing.T) ([]house.Violation, error) { return house.SQLFiles(tracked(t)), nil },
		"no file names a machine's folders or registries": func(t *testing.T) ([]house.Violation, error) {
			return house.MachineTraces(os.DirFS(root()), tracked(t))
		},
		"every promise of acceptance.md names existing tests": func(t *testing.T) ([]house.Violation, error) { return house.Acceptance(repository(t)) },
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad, err := rule(t)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range bad {
				t.Error(v)
			}
		})
	}
}

func TestAPackageOutsideTheSkeletonIsRefused(t *testing.T) {
	t.Parallel()
	bad := house.Order(load(t, "services/tenant/helpers/a.go", "package helpers"))
	if len(bad) != 1 || !strings.Contains(bad[0].Why, "root, cmd and internal only") {
		t.Errorf("got %v", bad)
	}
}

func TestModulesThatRequireEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"proto/go.mod": {Data: []byte("module " + house.Module + "/proto\n")}}
	for _, s := range house.Services {
		tree["services/"+s+"/go.mod"] = &fstest.MapFile{Data: []byte("require (\n\t" + house.Module + "/pkg v0.0.0\n)\n")}
	}
	if bad, err := house.Modules(tree); err != nil || len(bad) != 0 {
		t.Fatalf("the right tree is refused: %v %v", bad, err)
	}
	tree["services/tenant/go.mod"] = &fstest.MapFile{Data: []byte("require " + house.Module + "/services/backup v0.0.0\n")}
	tree["proto/go.mod"] = &fstest.MapFile{Data: []byte("replace x => ../x\n")}
	bad, err := house.Modules(tree)
	if err != nil || len(bad) != 2 {
		t.Errorf("got %v %v, want a violation in services/tenant and one in proto", bad, err)
	}
	delete(tree, "proto/go.mod")
	if _, err := house.Modules(tree); err == nil {
		t.Error("a missing go.mod is not noticed")
	}
}

func TestSQLOutsideOfAStoreIsRefused(t *testing.T) {
	t.Parallel()
	good := []string{"services/tenant/internal/store/query/claim.sql", "pkg/outbox/migration/001_outbox.sql", "README.md"}
	if bad := house.SQLFiles(good); len(bad) != 0 {
		t.Errorf("the right tree is refused: %v", bad)
	}
	if bad := house.SQLFiles([]string{"services/tenant/internal/api/a.sql", "cmd/naksha/b.sql"}); len(bad) != 2 {
		t.Errorf("got %v, want two violations", bad)
	}
}

func TestMachineTracesAreRefused(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{
		"good.md":                  {Data: []byte("Postgres cannot enter /root. See services/home/x and $HOME/work/x, https://example.com/work/a.")},
		"picture.bin":              {Data: []byte("\x00/" + "home/me")},
		"proto/third_party/a.md":   {Data: []byte("/" + "home/me")},
		"path.go":                  {Data: []byte("\n// see /" + "work/main")},
		"host.sh":                  {Data: []byte("GOPROXY=https://proxy." + "golang.org")},
		"home.yaml":                {Data: []byte("dir: \"/" + "home/me/x\"")},
		"services/tenant/query.md": {Data: []byte("/" + "root/.config")},
	}
	if bad, err := house.MachineTraces(tree, []string{"good.md", "picture.bin", "proto/third_party/a.md"}); err != nil || len(bad) != 0 {
		t.Errorf("the right tree is refused: %v %v", bad, err)
	}
	for _, name := range []string{"path.go", "host.sh", "home.yaml", "services/tenant/query.md"} {
		if bad, err := house.MachineTraces(tree, []string{name}); err != nil || len(bad) != 1 {
			t.Errorf("%s: got %v %v, want one violation", name, bad, err)
		}
	}
	if _, err := house.MachineTraces(tree, []string{"absent"}); err == nil {
		t.Error("a file that cannot be read is not noticed")
	}
}

func TestAPromiseWithoutItsTestIsRefused(t *testing.T) {
	t.Parallel()
	const heading = "| promise | proof |\n| --- | --- |\n"
	tree := func(row string) *house.Source {
		s, err := house.Load(fstest.MapFS{
			"docs/acceptance.md": {Data: []byte(heading + row)},
			"pkg/run/a_test.go":  {Data: []byte("package run\nfunc TestStops() {}")},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if bad, err := house.Acceptance(tree("| it stops | `pkg/run.TestStops/at once`, `make demo` |")); err != nil || len(bad) != 0 {
		t.Errorf("the right document is refused: %v %v", bad, err)
	}
	if bad, err := house.Acceptance(tree("| it stops | `pkg/run.TestStarts` |")); err != nil || len(bad) != 1 || bad[0].Line != 3 {
		t.Errorf("got %v %v, want one violation on line 3", bad, err)
	}
	for _, row := range []string{"| it stops | soon |", ""} {
		if _, err := house.Acceptance(tree(row)); err == nil {
			t.Errorf("row %q is taken", row)
		}
	}
}

func TestAFileThatDoesNotParseIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := house.Load(fstest.MapFS{"a.go": {Data: []byte("pakage a")}}); err == nil {
		t.Error("no error")
	}
}

// imports returns a file that imports one path.
func imports(name, path string) string {
	return "package " + name + "\nimport _ \"" + path + "\""
}

func load(t *testing.T, name, text string) *house.Source {
	t.Helper()
	s, err := house.Load(fstest.MapFS{name: {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onSource(rule func(*house.Source) []house.Violation) func(*testing.T) ([]house.Violation, error) {
	return func(t *testing.T) ([]house.Violation, error) { return rule(repository(t)), nil }
}

var parsed = sync.OnceValues(func() (*house.Source, error) { return house.Load(os.DirFS(root())) })

func repository(t *testing.T) *house.Source {
	t.Helper()
	s, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// root finds the repository: the first folder upwards with a go.work.
func root() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for up := dir; up != filepath.Dir(up); up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "go.work")); err == nil {
			return up
		}
	}
	return dir
}

// tracked returns the files that git holds, or would hold after an add; outside of a clone, all files.
func tracked(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "-co", "--exclude-standard")
	cmd.Dir = root()
	out, err := cmd.Output()
	if err != nil {
		return walked(t)
	}
	var names []string
	for _, name := range bytes.Split(bytes.TrimRight(out, "\x00"), []byte{0}) {
		if info, err := os.Lstat(filepath.Join(root(), string(name))); err == nil && info.Mode().IsRegular() {
			names = append(names, string(name))
		}
	}
	return names
}

func walked(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(root()), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name == ".git" || name == "bin") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	return names
}
