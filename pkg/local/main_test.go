package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

const (
	// abandonMarker makes this program a run that starts servers in the folder and then waits for its death.
	abandonMarker = "LOCAL_TEST_ABANDON"
	// finishMarker makes it a run that starts and stops everything and then tells what is left.
	finishMarker = "LOCAL_TEST_FINISH"
)

func TestMain(m *testing.M) {
	if local.ChildMain() {
		return
	}
	if dir := os.Getenv(abandonMarker); dir != "" {
		abandon(dir)
		return
	}
	if dir := os.Getenv(finishMarker); dir != "" {
		finish(dir)
		return
	}
	os.Exit(localtest.Run(m))
}

// pids are the servers of an abandoned run.
type pids struct{ Postgres, Region int }

// abandon starts both kinds of child, says so, and never stops them.
func abandon(dir string) {
	ctx := context.Background()
	p, err := local.StartPostgres(ctx, postgresConfig(dir+"/pg"))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := local.StartRegion(ctx, regionConfig(dir+"/s3"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = json.NewEncoder(os.Stdout).Encode(pids{p.PID(), r.PID()})
	select {}
}

// killedRun returns what a run left behind that was killed by SIGKILL.
func killedRun(t *testing.T, dir string) pids {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), abandonMarker+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var left pids
	if err != nil || json.Unmarshal([]byte(line), &left) != nil {
		t.Errorf("the run did not come up: %s, %v", strings.TrimSpace(line), err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
	return left
}

// finish starts and stops a server of each kind and prints the goroutines that are left.
func finish(dir string) {
	ctx := context.Background()
	p, postgresErr := local.StartPostgres(ctx, postgresConfig(dir+"/pg"))
	r, regionErr := local.StartRegion(ctx, regionConfig(dir+"/s3"))
	permissions, permissionsErr := local.ParsePermissions([]byte("services: [tenant]"))
	n, natsErr := local.StartNATS(ctx, local.NATSConfig{Dir: dir + "/nats", Permissions: permissions, Passwords: map[string]string{"tenant": "x"}})
	if err := errors.Join(postgresErr, regionErr, permissionsErr, natsErr); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(errors.Join(p.Stop(ctx), r.Stop(ctx), n.Stop(ctx)), localtest.Leaks())
}

func TestNothingIsLeftAfterStop(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), finishMarker+"="+localtest.TempDir(t))
	out, err := cmd.CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "<nil> <nil>" {
		t.Errorf("a run that stopped everything says %s, %v", got, err)
	}
}

func TestSecretsAreOnNoCommandLineAndInNoEnvironment(t *testing.T) {
	t.Parallel()
	r := localtest.Region(t, "primary")
	config := postgresConfig(localtest.TempDir(t))
	p := startPostgres(t, config)
	for _, pid := range []int{r.PID(), p.PID()} {
		for _, file := range []string{"cmdline", "environ"} {
			content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if err != nil && !errors.Is(err, os.ErrPermission) {
				t.Fatal(err)
			}
			if strings.Contains(string(content), config.SuperuserPassword) || strings.Contains(string(content), localtest.RootSecret) {
				t.Errorf("/proc/%d/%s holds a secret", pid, file)
			}
		}
	}
}
