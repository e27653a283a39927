package endtoend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestPlatformIsReadyWithinItsBar(t *testing.T) {
	t.Parallel()
	if took := start(t).took; took > localtest.Bar(20*time.Second) {
		t.Errorf("the first start took %s", took)
	}
}

func TestSecondStartFindsAllData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(localtest.TempDir(t), "state")
	ref := ""
	for round := range 3 {
		platform, err := newPlatform(dir)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := platform.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); round > 0 && took > localtest.Bar(5*time.Second) {
			t.Errorf("start %d took %s", round+1, took)
		}
		w := &world{dir: dir, platform: platform, endpoints: platform.Endpoints()}
		client := tenantv1.NewWorkspaceServiceClient(w.dial(t, w.adminKey(t)))
		if round == 0 {
			made, err := client.CreateWorkspace(t.Context(), &tenantv1.CreateWorkspaceRequest{DisplayName: "kept"})
			if err != nil {
				t.Fatal(err)
			}
			ref = made.GetWorkspace().GetName()
		}
		if _, err := client.GetWorkspace(t.Context(), &tenantv1.GetWorkspaceRequest{Name: ref}); err != nil {
			t.Errorf("start %d: %v", round+1, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), localtest.Patience)
		if err := errors.Join(platform.Stop(ctx), platform.Stop(ctx)); err != nil {
			t.Error(err)
		}
		cancel()
	}
}

func TestServicesStartInAnyOrder(t *testing.T) {
	t.Parallel()
	platform, err := newPlatform(filepath.Join(localtest.TempDir(t), "state"))
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := platform.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	// The order is shuffled at each start: six starts of the five services on the same servers.
	for range 5 {
		if err := platform.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	servicetest.Eventually(t, func() error {
		reply, err := http.Get(platform.Endpoints().Admin + "/readyz")
		if err != nil {
			return err
		}
		defer reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			return fmt.Errorf("the admin listener asks the services of before: %s", reply.Status)
		}
		return nil
	})
}

func TestStartNamesTheRemedy(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, text, _ := net.SplitHostPort(taken.Addr().String())
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		prepare func(dir string) error
		ports   up.Ports
		says    []string
	}{
		"a newer state directory":   {prepare: state("FORMAT", "3"), says: []string{"format 3", "install the release"}},
		"one of before the release": {prepare: state("FORMAT", "1"), says: []string{"format 1", "--dir", "naksha uninstall"}},
		"a corrupt state directory": {prepare: state("FORMAT", "one"), says: []string{"corrupt", "--dir"}},
		"a lost root key":           {prepare: state("FORMAT", "2"), says: []string{"root.key is missing", "restore it"}},
		"somebody else's directory": {prepare: state("thesis.tex", "…"), says: []string{"no state directory", "thesis.tex", "--dir"}},
		"data of another Postgres":  {prepare: otherMajor, says: []string{"PostgreSQL 9", "install PostgreSQL 9", "pg_upgrade"}},
		"a taken gateway port":      {ports: up.Ports{Gateway: port}, says: []string{"already in use", "--gateway-port"}},
		"two taken ports":           {ports: up.Ports{NATS: port, DRIAM: port}, says: []string{"already in use", "--nats-port", "--s3-dr-iam-port"}},
		"a taken cell port":         {ports: up.Ports{Cell: port}, says: []string{"already in use", "--cell-port"}},
		"no port at all":            {ports: up.Ports{Gateway: 70000}, says: []string{"--gateway-port is 70000", "65535"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := localtest.TempDir(t)
			if test.prepare != nil {
				if err := test.prepare(dir); err != nil {
					t.Fatal(err)
				}
			}
			platform, err := up.New(up.Config{Dir: dir, Ports: test.ports})
			if err != nil {
				t.Fatal(err)
			}
			err = platform.Start(t.Context())
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

// otherMajor makes a state directory whose platform database another release of Postgres wrote.
func otherMajor(dir string) error {
	if _, err := up.NATSUsers(dir); err != nil { // makes the directory's keys
		return err
	}
	data := filepath.Join(dir, "postgres", "platform", "data")
	return errors.Join(os.MkdirAll(data, 0o711), os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600))
}

// state writes one file into a directory.
func state(name, content string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
}

func TestNoServiceIsToldOfAnothersRootKey(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, name := range up.Services {
		told, err := os.ReadFile(filepath.Join(w.dir, "configuration", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if name != "gateway" && name != "alerting" { // these seal nothing
			want = []string{filepath.Join(w.dir, "keys", name+".key")}
		}
		if got := keyFile.FindAllString(string(told), -1); !slices.Equal(got, want) {
			t.Errorf("%s is told %q, not %q", name, got, want)
		}
	}
}

// keyFile is the path of a root key in what a service is told.
var keyFile = regexp.MustCompile(`/\S*/(root\.key|keys/\S*)`)

func TestSecondInstanceOnTheSameDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	second, err := up.New(up.Config{Dir: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	err = second.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "in use by process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("got %v", err)
	}
	servicetest.Eventually(t, func() error { return w.platform.Ready(t.Context()) }) // the first one did not suffer
}
