package chaostest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
)

// Binaries are the programs as they ship, without the race detector: faults are to hit those. They are built when the
// first test asks, into one folder, which Remove removes at the end of the package's tests. The zero value is ready.
type Binaries struct {
	folder, naksha, services sync.Once
	dir                      string
	err                      error
}

// module is the path that all packages begin with.
const module = "github.com/naksha-cloud/naksha/"

// Naksha returns the `naksha` program.
func (b *Binaries) Naksha(t testing.TB) string {
	t.Helper()
	b.naksha.Do(func() { b.compile("naksha", module+"cmd/naksha") })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.dir, "naksha")
}

// All returns the `naksha` program with the five services' beside it.
func (b *Binaries) All(t testing.TB) string {
	t.Helper()
	b.services.Do(func() {
		for _, name := range up.Services {
			b.compile("naksha-"+name, module+"services/"+name+"/cmd/"+name)
		}
	})
	return b.Naksha(t)
}

func (b *Binaries) compile(name, source string) {
	b.folder.Do(func() { b.dir, b.err = os.MkdirTemp("", fmt.Sprintf("nk-%d-bin-", os.Getpid())) })
	if b.err != nil {
		return
	}
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-w", "-o", filepath.Join(b.dir, name), source).CombinedOutput()
	if err != nil {
		b.err = fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
}

// Remove removes what was built.
func (b *Binaries) Remove() error {
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}
