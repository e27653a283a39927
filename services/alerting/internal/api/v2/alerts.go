package v2

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
	"github.com/naksha-cloud/naksha/services/alerting/internal/ingest"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// receiver is the one receiver that this API knows: who is told is the policies' matter.
const receiver = "naksha"

// postAlerts keeps what it can: 200 when that is all, 400 with a line for each refused alert otherwise.
func (a *api) postAlerts(r *http.Request) (any, error) {
	content, err := body(r)
	if err != nil {
		return nil, err
	}
	batch, err := DecodeAlerts(content)
	if err != nil {
		return nil, err
	}
	result, err := a.Intake.Receive(r.Context(), batch.Posts)
	if err != nil {
		return nil, err
	}
	refusals := batch.Refusals
	for _, refusal := range result.Refusals {
		refusals = append(refusals, ingest.Refusal{At: batch.Places[refusal.At], Why: refusal.Why})
	}
	if len(refusals) > 0 {
		return nil, badRequest("%d of %d alerts were refused; the others are kept.\n%s",
			len(refusals), len(refusals)+result.Accepted, describe(refusals))
	}
	return nil, nil
}

// maxDescribed bounds the refusals that an answer lists.
const maxDescribed = 100

// describe is a line for each refusal, in the order of the batch.
func describe(refusals []ingest.Refusal) string {
	slices.SortFunc(refusals, func(a, b ingest.Refusal) int { return a.At - b.At })
	var lines []string
	for _, r := range refusals[:min(len(refusals), maxDescribed)] {
		lines = append(lines, fmt.Sprintf("alert %d: %s", r.At+1, r.Why))
	}
	if len(refusals) > maxDescribed {
		lines = append(lines, "…")
	}
	return strings.Join(lines, "\n")
}

// shownAlert is an alert as clients see it.
type shownAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	UpdatedAt    time.Time         `json:"updatedAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
	Receivers    []named           `json:"receivers"`
	Status       shownStatus       `json:"status"`
}

type named struct {
	Name string `json:"name"`
}

type shownStatus struct {
	State       string   `json:"state"` // active or suppressed
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
}

func (a *api) getAlerts(r *http.Request) (any, error) { return a.visible(r) }

// visible are the firing alerts that the request's parameters ask for.
func (a *api) visible(r *http.Request) ([]shownAlert, error) {
	wanted, err := readFilter(r)
	if err != nil {
		return nil, err
	}
	firing, err := a.Store.Firing(r.Context())
	if err != nil {
		return nil, err
	}
	now := a.Store.Now()
	silences, err := a.Store.Silences(r.Context(), now, maxSilences)
	if err != nil {
		return nil, err
	}
	shown := []shownAlert{}
	for _, one := range firing {
		status := statusOf(one, silences, now)
		if wanted.takes(one.Labels, status) {
			shown = append(shown, show(one, status))
		}
	}
	return shown, nil
}

func show(one alert.Alert, status shownStatus) shownAlert {
	return shownAlert{
		Labels: one.Labels, Annotations: one.Annotations, StartsAt: one.StartsAt, EndsAt: one.EndsAt,
		UpdatedAt: one.UpdatedAt, GeneratorURL: one.GeneratorURL, Fingerprint: alert.Fingerprint(one.Labels),
		Receivers: []named{{receiver}}, Status: status,
	}
}

func statusOf(one alert.Alert, silences []silence.Silence, now time.Time) shownStatus {
	status := shownStatus{State: "active", SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}}
	for _, s := range silences {
		if s.StateAt(now) == silence.Active && s.Matches(one.Labels) {
			status.State = "suppressed"
			status.SilencedBy = append(status.SilencedBy, s.ID)
		}
	}
	return status
}

// filter is which alerts a client wants.
type filter struct {
	active, silenced bool
	receiver         bool // the one receiver is among those wanted
	matchers         []silence.Matcher
}

func (f filter) takes(labels map[string]string, status shownStatus) bool {
	suppressed := len(status.SilencedBy) > 0
	if !f.receiver || suppressed && !f.silenced || !suppressed && !f.active {
		return false
	}
	for _, m := range f.matchers {
		if !m.Matches(labels[m.Name]) {
			return false
		}
	}
	return true
}

func readFilter(r *http.Request) (f filter, err error) {
	q := r.URL.Query()
	flags := map[string]bool{}
	for _, name := range []string{"active", "silenced", "inhibited", "unprocessed", "muted"} {
		flags[name] = true
		if given := q.Get(name); given != "" {
			if flags[name], err = strconv.ParseBool(given); err != nil {
				return f, badRequest("Parameter %s must be true or false.", name)
			}
		}
	}
	f = filter{active: flags["active"], silenced: flags["silenced"], receiver: true}
	if f.matchers, err = readMatchers(q["filter"]); err != nil {
		return f, err
	}
	if pattern := q.Get("receiver"); pattern != "" {
		expression, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return f, badRequest("Parameter receiver must be a regular expression.")
		}
		f.receiver = expression.MatchString(receiver)
	}
	return f, nil
}

func readMatchers(filters []string) (all []silence.Matcher, err error) {
	for _, one := range filters {
		m, err := silence.ParseMatcher(one)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// shownGroup is a group of alerts as clients see it.
type shownGroup struct {
	Labels   map[string]string `json:"labels"`
	Receiver named             `json:"receiver"`
	Alerts   []shownAlert      `json:"alerts"`
}

func (a *api) getGroups(r *http.Request) (any, error) {
	shown, err := a.visible(r)
	if err != nil {
		return nil, err
	}
	groups, place := []shownGroup{}, map[string]int{}
	for _, one := range shown {
		id := alert.GroupOf(one.Labels, a.GroupBy).ID
		at, known := place[id]
		if !known {
			at = len(groups)
			place[id] = at
			groups = append(groups, shownGroup{Labels: only(one.Labels, a.GroupBy), Receiver: named{receiver}})
		}
		groups[at].Alerts = append(groups[at].Alerts, one)
	}
	return groups, nil
}

func only(labels map[string]string, names []string) map[string]string {
	kept := map[string]string{}
	for _, name := range names {
		if v := labels[name]; v != "" {
			kept[name] = v
		}
	}
	return kept
}
