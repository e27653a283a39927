package tenant_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/pg/pgtest"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant"
)

func TestWorkspaceIsServedWholeWhereItsFactsAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	name := i.create(t, "forgotten").GetWorkspace().GetName()
	record := pgtest.Open(t, w.env.AdminURL, nil)
	events := eventv1.NewEventServiceClient(w.env.Dial("backup", "tenant", i.Addr()))
	facts := func(after int64) []*eventv1.Event {
		reply, err := events.ListEvents(t.Context(), &eventv1.ListEventsRequest{
			Service: "services/tenant", Aggregate: name, AfterVersion: after,
		})
		if err != nil {
			t.Fatal(err)
		}
		return reply.GetEvents()
	}
	if found := facts(0); len(found) != 1 || found[0].GetType() != "naksha.tenant.v1.WorkspaceCreated" {
		t.Fatalf("the record has %v", found)
	}
	if _, err := i.workspaces.DeleteWorkspace(operator(t.Context()), &tenantv1.DeleteWorkspaceRequest{Name: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := record.Exec(t.Context(), "DELETE FROM tenant.event_log WHERE aggregate = $1 AND version = 1", name); err != nil {
		t.Fatal(err)
	}
	found := facts(0)
	if len(found) != 1 || found[0].GetVersion() != 2 || found[0].GetType() != "naksha.tenant.v1.WorkspaceSnapshotted" {
		t.Fatalf("the record has %v", found)
	}
	var m tenantv1.WorkspaceSnapshotted
	if err := proto.Unmarshal(found[0].GetPayload(), &m); err != nil {
		t.Fatal(err)
	}
	if m.GetCreated().GetWorkspace() != name || m.GetCreated().GetDisplayName() != "forgotten" || m.GetDeleteTime() == nil {
		t.Errorf("snapshot %v", &m)
	}
	if found := facts(1); len(found) != 1 || found[0].GetType() != "naksha.tenant.v1.WorkspaceDeleted" {
		t.Errorf("who misses nothing gets %v", found)
	}
}

func TestKeyIsServedWholeWhereItsFactsAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.start(t, tenant.Deps{})
	parent := i.create(t, "keyed").GetWorkspace().GetName()
	made, err := i.keys.CreateKey(operator(t.Context()), &tenantv1.CreateKeyRequest{Parent: parent, Kind: tenantv1.Key_KIND_PUBLIC})
	if err != nil {
		t.Fatal(err)
	}
	name := made.GetKey().GetName()
	if _, err := i.keys.DeleteKey(operator(t.Context()), &tenantv1.DeleteKeyRequest{Name: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := pgtest.Open(t, w.env.AdminURL, nil).Exec(t.Context(), "DELETE FROM tenant.event_log WHERE aggregate = $1", name); err != nil {
		t.Fatal(err)
	}
	events := eventv1.NewEventServiceClient(w.env.Dial("gateway", "tenant", i.Addr()))
	reply, err := events.ListEvents(t.Context(), &eventv1.ListEventsRequest{Service: "services/tenant", Aggregate: name})
	if err != nil || len(reply.GetEvents()) != 1 {
		t.Fatalf("%v, %v", reply, err)
	}
	var m tenantv1.KeySnapshotted
	if err := proto.Unmarshal(reply.GetEvents()[0].GetPayload(), &m); err != nil {
		t.Fatal(err)
	}
	if m.GetKey() != name || "workspaces/"+reply.GetEvents()[0].GetWorkspace()+"/keys/"+m.GetKid() != name || m.GetRevokeTime() == nil {
		t.Errorf("snapshot %v of %v", &m, reply)
	}
}
