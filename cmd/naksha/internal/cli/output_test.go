package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	backupv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/backup/v1"
	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
	gatewayv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/gateway/v1"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// shown is what a message looks like in a form.
func shown(t *testing.T, form output, m proto.Message, columns string) string {
	t.Helper()
	var out bytes.Buffer
	if err := (&App{Out: &out, output: form}).print(m, columns); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestZeroAndEmptyAreToldInJSONAndYAML(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		m          proto.Message
		json, yaml string
	}{
		{&backupv1.ListSnapshotsResponse{}, `"snapshots": []`, "snapshots: []"},
		{&backupv1.GetSnapshotResponse{Snapshot: &backupv1.Snapshot{}}, `"objectCount": "0"`, `objectCount: "0"`},
	} {
		if got := shown(t, outputJSON, test.m, ""); !strings.Contains(got, test.json) {
			t.Errorf("%s is not in %s", test.json, got)
		}
		if got := shown(t, outputYAML, test.m, ""); !strings.Contains(got, test.yaml) {
			t.Errorf("%s is not in %s", test.yaml, got)
		}
	}
	if got := shown(t, outputJSON, &tenantv1.CreateWorkspaceResponse{}, ""); strings.Contains(got, "credentials") {
		t.Errorf("what is unset is told: %s", got)
	}
}

func TestTablesShowWhatIsInListsAndMaps(t *testing.T) {
	t.Parallel()
	at := timestamppb.New(time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC))
	for _, test := range []struct {
		columns string
		m       proto.Message
		want    string // each word of header and row, in order
	}{
		{alertColumns, &alertingv1.ListAlertsResponse{Alerts: []*alertingv1.Alert{
			{Labels: map[string]string{"alertname": "Slow", "job": "api\x1b"}, StartTime: at, Incident: "incidents/7"},
		}}, "ALERTNAME SEVERITY START TIME END TIME INCIDENT LABELS Slow 2026-11-22T18:00:00Z incidents/7 alertname=Slow,job=api\ufffd"},
		{silenceColumns, &alertingv1.ListSilencesResponse{Silences: []*alertingv1.Silence{{
			Name: "silences/1", Matchers: []*alertingv1.Matcher{{Label: "job", Value: "api"}, {Label: "zone", Value: "b", Negate: true}}, Comment: "mine",
		}}}, "NAME MATCHERS START TIME END TIME COMMENT silences/1 job=api,zone!=b mine"},
		{"kid permissions", &gatewayv1.GetCallerResponse{Kid: "k", Permissions: []string{"a.get", "a.list"}}, "KID PERMISSIONS k a.get,a.list"},
		{letterColumns, &eventv1.ListDeadLettersResponse{}, "NAME AGGREGATE VERSION TYPE ATTEMPTS REJECTED CREATE TIME ERROR"},
	} {
		if got := strings.Join(strings.Fields(shown(t, outputTable, test.m, test.columns)), " "); got != test.want {
			t.Errorf("%q, not %q", got, test.want)
		}
	}
}

func TestWhatHasNoNameIsIdentifiedOtherwise(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]proto.Message{
		"workspaces/x": &tenantv1.GetWorkspaceResponse{Workspace: &tenantv1.Workspace{Name: "workspaces/x"}},
		"0123":         &alertingv1.ListAlertsResponse{Alerts: []*alertingv1.Alert{{Fingerprint: "0123"}}},
		"id-7":         &eventv1.ListEventsResponse{Events: []*eventv1.Event{{Id: "id-7"}}},
		"kid7":         &gatewayv1.GetCallerResponse{Kid: "kid7"},
	} {
		if got := shown(t, outputName, m, ""); got != want+"\n" {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestFactsAreShownBesideTheirPayload(t *testing.T) {
	t.Parallel()
	fact := &tenantv1.WorkspaceDeleted{Workspace: "workspaces/x"}
	payload, err := proto.Marshal(fact)
	if err != nil {
		t.Fatal(err)
	}
	text := shown(t, outputJSON, &eventv1.ListEventsResponse{Events: []*eventv1.Event{
		{Type: string(fact.ProtoReflect().Descriptor().FullName()), Payload: payload},
		{Type: "naksha.tenant.v9.Unknown", Payload: payload},
		{Type: string(fact.ProtoReflect().Descriptor().FullName()), Payload: []byte{0xff}},
	}}, "")
	var got struct {
		Events []struct {
			Payload []byte
			Fact    map[string]any
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Events) != 3 {
		t.Fatalf("%s: %v", text, err)
	}
	if got.Events[0].Fact["workspace"] != "workspaces/x" || !bytes.Equal(got.Events[0].Payload, payload) {
		t.Errorf("%+v", got.Events[0])
	}
	if got.Events[1].Fact != nil || got.Events[2].Fact != nil {
		t.Errorf("what cannot be read is shown: %s", text)
	}
}

func TestCommandsOfThisMachineKnowEveryForm(t *testing.T) {
	t.Parallel()
	here := target{dir: t.TempDir()}
	for line, want := range map[string]string{
		"doctor -o name":  "PostgreSQL\n",
		"doctor -o yaml":  "name: PostgreSQL",
		"version -o yaml": "go: go1",
	} {
		if got := here.run(t.Context(), strings.Fields(line)...); got.code == exitUsage || !strings.Contains(got.out, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := here.run(t.Context(), "nats-users", "-o", "json"); got.code != exitUsage || !strings.Contains(got.out, "one form only") {
		t.Errorf("%+v", got)
	}
	for form, want := range map[output]string{outputName: "gateway\ntenant\n", outputTable: "tenant   info"} {
		var out bytes.Buffer
		if err := (&App{Out: &out, output: form}).printLevels(map[string]string{"tenant": "INFO", "gateway": "DEBUG"}); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("-o %s: %q, %v", form, out.String(), err)
		}
	}
}
