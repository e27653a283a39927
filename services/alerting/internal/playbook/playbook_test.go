package playbook_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/playbook"
	"github.com/naksha-cloud/naksha/services/alerting/internal/policy"
	"github.com/naksha-cloud/naksha/services/alerting/internal/severity"
)

// noFile stands for a file system without files.
func noFile(string) ([]byte, error) { return nil, os.ErrNotExist }

func read(t *testing.T, over string) playbook.Playbook {
	t.Helper()
	p, err := playbook.Read([]byte(over), noFile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEmbeddedMatrixIsTheSeeds(t *testing.T) {
	t.Parallel()
	book := read(t, "").Book
	begin := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	for s, want := range map[severity.Severity]string{
		severity.Sev1: "0s platform-oncall, 15m0s engineering-manager, 30m0s cto, 1h0m0s ceo",
		severity.Sev2: "0s platform-oncall, 30m0s engineering-manager, 2h0m0s cto",
		severity.Sev3: "0s platform-oncall, 23h0m0s engineering-manager", // the next working day at nine
		severity.Sev4: "0s platform-oncall",
	} {
		plan := book.Plan(s, "")
		var got []string
		for i, due := range plan.Schedule(begin) {
			got = append(got, due.Sub(begin).String()+" "+plan.Levels[i].Target)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", s, got, want)
		}
	}
	for area, want := range map[string]string{
		"platform": "platform-oncall", "security": "security-oncall", "infrastructure": "infra-oncall",
		"slo": "platform-oncall", "": "platform-oncall",
	} {
		if got := book.OnCallOf(area); got != want {
			t.Errorf("area %s: %s, want %s", area, got, want)
		}
	}
	for target, want := range map[string]string{
		"platform-oncall": "platform-oncall@naksha.com", "security-oncall": "security-oncall@naksha.com",
		"infra-oncall": "infra-oncall@naksha.com",
	} {
		if got := book.Targets[target].Email; got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

func TestAFileReplacesWholeSections(t *testing.T) {
	t.Parallel()
	p, err := playbook.Read([]byte(`
policies:
  sev1: {levels: [{at: 1s, target: ada, via: [email]}], ack_timeout: 5s}
targets:
  ada: {email: ada@example.com, webhook: {url: "http://127.0.0.1:1/x", secret_file: hook}}
areas: {default: ada}
calendar: {zone: Asia/Kolkata, days: [sat], open: "10:00", close: "24:00", holidays: ["2026-12-26"]}
resolve_hold: 3s
group_by: [alertname]
`), func(path string) ([]byte, error) {
		if path != "hook" {
			return nil, errors.New("another file")
		}
		return []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := p.Book
	if len(b.Policies[severity.Sev1].Levels) != 1 || len(b.Policies[severity.Sev2].Levels) != 3 || b.ResolveHold != 3*time.Second ||
		b.OnCallOf("x") != "ada" || b.OnCallOf("security") != "security-oncall" || !slices.Equal(p.GroupBy, []string{"alertname"}) ||
		b.Calendar.Zone != "Asia/Kolkata" || b.Targets["ada"].Webhook.Secret.Reveal() == "" || b.Targets["cto"].Email == "" {
		t.Errorf("%+v", p)
	}
}

func TestRefusesAFileThatCouldTellNobody(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"polices: {}":                                      "field polices not found",
		"policies: {sev5: {}}":                             "sev1, sev2, sev3 and sev4",
		"policies: {SEV1: {}}":                             "sev1, sev2, sev3 and sev4",
		"policies: {sev1: {levels: []}}":                   "policy sev1 has no levels",
		"policies: {sev1: {ack_timeout: -1s, levels: []}}": "negative",
		"policies: {sev1: {levels: [{at: soon, target: cto, via: [email]}]}}":   "give a duration",
		"policies: {sev1: {levels: [{at: -1s, target: cto, via: [email]}]}}":    "give a duration",
		"policies: {sev1: {levels: [{at: 0s, target: nobody, via: [email]}]}}":  `target "nobody"`,
		"policies: {sev1: {levels: [{at: 0s, target: cto, via: [pigeon]}]}}":    `channel "pigeon"`,
		"policies: {sev1: {levels: [{at: 0s, target: cto}]}}":                   "no channels",
		"areas: {security: nobody}":                                             `target "nobody"`,
		"areas: {default: nobody}":                                              "areas.default",
		"targets: {cto: {email: nonsense}}":                                     "no address",
		"targets: {cto: {webhook: {url: 'ftp://x'}}}":                           "http:// or https://",
		"targets: {cto: {webhook: {url: 'http://x', secret: short}}}":           "whsec_",
		"targets: {cto: {webhook: {url: 'http://x', secret_file: /no}}}":        "secret_file",
		"calendar: {zone: Nowhere, days: [mon], open: '09:00', close: '17:00'}": "time zone",
		"calendar: {zone: UTC, days: [monday], open: '09:00', close: '17:00'}":  "no day",
		"calendar: {zone: UTC, days: [mon], open: '9', close: '17:00'}":         "calendar.open",
		"calendar: {zone: UTC, days: [mon], open: '19:00', close: '17:00'}":     "open before it closes",
		"calendar: {zone: UTC, days: [mon], open: '09:00', close: '25:00'}":     "calendar.close",
		"resolve_hold: -1s": "negative",
		"[]":                "cannot unmarshal",
	} {
		if _, err := playbook.Read([]byte(text), noFile); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: want %q, got %v", text, says, err)
		}
	}
}

func TestAPlanNamesOnlyChannelsThatReach(t *testing.T) {
	t.Parallel()
	book := read(t, "").Book
	book.Channels = map[string]bool{policy.Email: true, policy.Webhook: true}
	if got := book.Plan(severity.Sev1, "").Levels[0].Channels; !slices.Equal(got, []string{policy.Email}) {
		t.Errorf("without a webhook: %v", got)
	}
	book.Hook = policy.Hook{URL: "http://x"}
	book.Channels[policy.Email] = false
	if got := book.Plan(severity.Sev1, "").Levels[0].Channels; !slices.Equal(got, []string{policy.Webhook}) {
		t.Errorf("without mail: %v", got)
	}
}
