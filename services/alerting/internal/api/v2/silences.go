package v2

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

const (
	maxSilences = 10_000
	retention   = 5 * 24 * time.Hour // how long ended silences are shown
)

// jsonSilence is a silence as clients send and see it.
type jsonSilence struct {
	ID        string         `json:"id,omitempty"`
	Matchers  []jsonMatcher  `json:"matchers"`
	StartsAt  moment         `json:"startsAt"`
	EndsAt    moment         `json:"endsAt"`
	CreatedBy string         `json:"createdBy"`
	Comment   string         `json:"comment"`
	UpdatedAt *time.Time     `json:"updatedAt,omitempty"`
	Status    *silenceStatus `json:"status,omitempty"`
}

type jsonMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"` // absent = true
}

type silenceStatus struct {
	State silence.State `json:"state"`
}

func (a *api) postSilence(r *http.Request) (any, error) {
	content, err := body(r)
	if err != nil {
		return nil, err
	}
	var sent jsonSilence
	if err := json.Unmarshal(content, &sent); err != nil {
		return nil, badRequest("The body must be a JSON object of a silence: %s.", jsonError(err))
	}
	wanted := silence.Silence{
		ID: sent.ID, StartsAt: sent.StartsAt.Time, EndsAt: sent.EndsAt.Time, CreatedBy: sent.CreatedBy, Comment: sent.Comment,
	}
	for _, m := range sent.Matchers {
		wanted.Matchers = append(wanted.Matchers, silence.Matcher{
			Name: m.Name, Value: m.Value, Regex: m.IsRegex, Negate: m.IsEqual != nil && !*m.IsEqual,
		})
	}
	keep := a.Mute.Create
	if sent.ID != "" {
		if wanted.ID, err = readID(sent.ID); err != nil {
			return nil, err
		}
		keep = a.Mute.Replace
	}
	made, err := keep(r.Context(), wanted)
	if err != nil {
		return nil, err
	}
	return map[string]string{"silenceID": made.ID}, nil
}

func readID(id string) (string, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return "", badRequest("The silence's id must be a UUID.")
	}
	return parsed.String(), nil
}

func (a *api) getSilence(r *http.Request) (any, error) {
	id, err := readID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	found, err := a.Store.Silence(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return showSilence(found, a.Store.Now()), nil
}

func (a *api) deleteSilence(r *http.Request) (any, error) {
	id, err := readID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return nil, a.Mute.End(r.Context(), id)
}

func (a *api) getSilences(r *http.Request) (any, error) {
	wanted, err := readMatchers(r.URL.Query()["filter"])
	if err != nil {
		return nil, err
	}
	now := a.Store.Now()
	found, err := a.Store.Silences(r.Context(), now.Add(-retention), maxSilences)
	if err != nil {
		return nil, err
	}
	shown := []jsonSilence{}
	for _, one := range found {
		if speaksOf(one, wanted) {
			shown = append(shown, showSilence(one, now))
		}
	}
	return shown, nil
}

// speaksOf reports whether the silence has a matcher for each wanted one: the same label, with a value that it takes.
func speaksOf(s silence.Silence, wanted []silence.Matcher) bool {
	for _, w := range wanted {
		found := false
		for _, m := range s.Matchers {
			found = found || m.Name == w.Name && w.Matches(m.Value)
		}
		if !found {
			return false
		}
	}
	return true
}

func showSilence(s silence.Silence, now time.Time) jsonSilence {
	shown := jsonSilence{
		ID: s.ID, StartsAt: moment{s.StartsAt}, EndsAt: moment{s.EndsAt}, CreatedBy: s.CreatedBy, Comment: s.Comment,
		UpdatedAt: &s.UpdatedAt, Status: &silenceStatus{State: s.StateAt(now)}, Matchers: []jsonMatcher{},
	}
	for _, m := range s.Matchers {
		equal := !m.Negate
		shown.Matchers = append(shown.Matchers, jsonMatcher{Name: m.Name, Value: m.Value, IsRegex: m.Regex, IsEqual: &equal})
	}
	return shown
}
