package backup_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

func TestServiceStartsAfterAFailedStartAndStopsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := os.ReadFile(w.config.RootKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(w.config.RootKeyFile); err != nil {
		t.Fatal(err)
	}
	s := w.make(t)
	if err := s.Start(t.Context()); err == nil {
		t.Fatal("started without a root key")
	}
	if err := os.WriteFile(w.config.RootKeyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ReadRoot(w.config.RootKeyFile); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		servicetest.Eventually(t, func() error { return s.Ready(t.Context()) })
		for range 2 {
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTwoInstancesShareTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.start(t), w.start(t)
	var wait sync.WaitGroup
	for n := range 4 {
		ref, before, damage := w.cities(t)
		i := []*instance{one, two}[n%2]
		wait.Go(func() {
			s := i.verified(t, ref)
			damage()
			i.restore(t, s.GetName(), "")
			compare(t, before, w.state(t, ref))
		})
	}
	wait.Wait()
}

func TestReaderSwitchesToTheNewLoginWithoutAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _, _ := w.cities(t)
	i.verified(t, ref)
	for generation := 2; generation <= 3; generation++ {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 3 {
				i.verified(t, ref)
			}
		}()
		w.rotation.mint(t, w)
		servicetest.Eventually(t, func() error {
			if got := w.rotation.acked(); got != generation {
				return fmt.Errorf("generation %d is acknowledged", got)
			}
			return nil
		})
		<-done
		old := fmt.Sprintf("%s%d", w.rotation.prefix, generation-1)
		run(t, w.cell, "ALTER ROLE "+old+" NOLOGIN")
		i.verified(t, ref)
	}
}

func TestWriterDuringTheSwapLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, customer := w.workspace(t)
	run(t, customer, "CREATE TABLE a (n int)", "CREATE TABLE b (n int)")
	s := i.verified(t, ref)
	writer := login(t, asUser(t, w.cellURL, "w_"+ref+"_g1", "secret"))
	var acknowledged atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil { // each transaction writes to both tables
			tx, err := writer.Begin(context.Background())
			if err == nil {
				_, err = tx.Exec(context.Background(), "INSERT INTO a VALUES (1)")
			}
			if err == nil {
				_, err = tx.Exec(context.Background(), "INSERT INTO b VALUES (1)")
			}
			if err == nil {
				err = tx.Commit(context.Background())
			}
			if err != nil {
				done <- err
				return
			}
			acknowledged.Add(1)
		}
		done <- nil
	}()
	r := i.restore(t, s.GetName(), "")
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	count := func(table string) int64 { return scan[int64](t, w.cell, "SELECT count(*) FROM "+table) }
	live, kept := "w_"+ref, r.GetUndoSchema()
	if count(live+".a") != count(live+".b") || count(kept+".a") != count(kept+".b") {
		t.Error("a transaction was split between the two schemas")
	}
	if got := count(live+".a") + count(kept+".a"); got != acknowledged.Load() {
		t.Errorf("%d of %d acknowledged rows are there", got, acknowledged.Load())
	}
}

func TestDeletedWorkspaceIsNotCopiedAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref, _, _ := w.cities(t)
	s := i.verified(t, ref)
	w.forget(t, ref)
	servicetest.Eventually(t, func() error {
		_, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: "workspaces/" + ref})
		if err == nil {
			return fmt.Errorf("still accepted")
		}
		refused(t, err, codes.FailedPrecondition, "WORKSPACE_DELETED")
		return nil
	})
	_, err := i.restores.CreateRestore(operator(t), &backupv1.CreateRestoreRequest{Parent: "workspaces/" + ref, Snapshot: s.GetName()})
	refused(t, err, codes.FailedPrecondition, "WORKSPACE_DELETED")
}

func TestSnapshotOfADeletedWorkspaceIsItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t)
	ref := letters()
	w.tenant.tell(t, ref, &tenantv1.WorkspaceSnapshotted{
		Created:    &tenantv1.WorkspaceCreated{Workspace: "workspaces/" + ref, Server: server, CreateTime: timestamppb.Now()},
		DeleteTime: timestamppb.Now(),
	})
	servicetest.Eventually(t, func() error {
		_, err := i.snapshots.CreateSnapshot(operator(t), &backupv1.CreateSnapshotRequest{Parent: "workspaces/" + ref})
		if fault.ReasonOf(err) != "WORKSPACE_DELETED" {
			return fmt.Errorf("not deleted: %w", err)
		}
		return nil
	})
}

func TestStopInterruptsAJobAndTheNextStartGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Lease = time.Hour // only an orderly release lets the next start go on at once
	first := w.make(t)
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	i := w.clients(first)
	ref, before, damage := w.cities(t)
	s := i.verified(t, ref)
	damage()
	reached, block := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.tenant.intercept(func(method string) error {
		if method == "StageRestore" {
			once.Do(func() { close(reached); <-block })
		}
		return nil
	})
	name := i.beginRestore(t, s.GetName(), "")
	<-reached
	stopped := make(chan error, 1)
	go func() { stopped <- first.Stop(context.Background()) }()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	close(block)
	i = w.start(t)
	i.awaitRestore(t, name, backupv1.Restore_STATE_COMPLETED)
	compare(t, before, w.state(t, ref))
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for want, spoil := range map[string]func(){
		"root_key_file":    func() { w.config.RootKeyFile = "" },
		"regions.dr":       func() { w.config.Regions.DR.Endpoint = "nowhere" },
		"sessions":         func() { w.config.Sessions = 0 },
		"lease":            func() { w.config.Lease = 0 },
		"regions.primary.": func() { w.config.Regions.Primary.SecretKey = "" },
	} {
		saved := w.config
		spoil()
		if err := w.config.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		w.config = saved
	}
}
