package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/alerting/internal/alert"
)

var now = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

// at is minutes after now.
func at(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }

func TestFillsInMissingTimesAsAlertmanagerDoes(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"alertname": "X"}
	for name, c := range map[string]struct {
		post       alert.Post
		start, end time.Time
		timeout    bool
	}{
		"nothing":           {alert.Post{}, now, at(5), true},
		"start":             {alert.Post{StartsAt: at(-3)}, at(-3), at(5), true},
		"end in the future": {alert.Post{EndsAt: at(4)}, at(4), at(4), false},
		"end in the past":   {alert.Post{EndsAt: at(-4)}, at(-4), at(-4), false},
		"both":              {alert.Post{StartsAt: at(-9), EndsAt: at(4)}, at(-9), at(4), false},
	} {
		c.post.Labels = labels
		a, err := c.post.Settle(now, 5*time.Minute)
		if err != nil || !a.StartsAt.Equal(c.start) || !a.EndsAt.Equal(c.end) || a.Timeout != c.timeout {
			t.Errorf("%s: %v to %v, timeout %v, %v", name, a.StartsAt, a.EndsAt, a.Timeout, err)
		}
	}
}

func TestRefusesWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	name := map[string]string{"alertname": "X"}
	for why, p := range map[string]alert.Post{
		"at least one label":    {Labels: map[string]string{"empty": ""}},
		"before end time":       {Labels: name, StartsAt: at(9), EndsAt: at(8)},
		"a label has no name":   {Labels: map[string]string{"": "x"}},
		"UTF-8":                 {Labels: map[string]string{"a": "\xff"}},
		"without NUL":           {Labels: name, Annotations: map[string]string{"summary": "a\x00b"}},
		"generatorURL":          {Labels: name, GeneratorURL: "\x00"},
		"at most 16384":         {Labels: map[string]string{"a": strings.Repeat("x", 17000)}},
		"a label name of":       {Labels: map[string]string{strings.Repeat("x", 1100): "v"}},
		"annotations: at most":  {Labels: name, Annotations: many(5, strings.Repeat("y", 15000))},
		"labels: at most 128":   {Labels: many(200, "v")},
		"between the years 1 a": {Labels: name, EndsAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := p.Settle(now, time.Minute); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("want %q, got %v", why, err)
		}
	}
}

func many(n int, value string) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[strings.Repeat("n", i+1)] = value
	}
	return m
}

func TestDropsEmptyLabelsAndTakesAnyUTF8(t *testing.T) {
	t.Parallel()
	a, err := alert.Post{Labels: map[string]string{"gone": "", "имя": "ελ", "with space": "🔥"}}.Settle(now, time.Minute)
	if err != nil || len(a.Labels) != 2 || a.Labels["имя"] != "ελ" {
		t.Errorf("%v, %v", a.Labels, err)
	}
}

func TestMergesPostsOfOneCondition(t *testing.T) {
	t.Parallel()
	post := func(from, to, seen int) alert.Alert {
		return alert.Alert{StartsAt: at(from), EndsAt: at(to), UpdatedAt: at(seen)}
	}
	timeout := func(a alert.Alert) alert.Alert {
		a.Timeout = true
		return a
	}
	for name, c := range map[string]struct {
		old, fresh alert.Alert
		from, to   int
	}{
		"the same again, later end":                {post(-5, 4, -1), post(-5, 5, 0), -5, 5},
		"earlier start is kept":                    {post(-9, 4, -1), post(-5, 5, 0), -9, 5},
		"later report of an earlier start":         {post(-5, 4, -1), post(-9, 5, 0), -9, 5},
		"shorter end does not cut a named one":     {post(-5, 9, -1), post(-5, 5, 0), -5, 9},
		"shorter end cuts a time-out":              {timeout(post(-5, 9, -1)), post(-5, 5, 0), -5, 5},
		"a named end outlasts a time-out":          {post(-5, 9, -1), timeout(post(-5, 5, 0)), -5, 9},
		"resolved ends it":                         {post(-5, 9, -1), post(-5, -1, 0), -5, -1},
		"resolved twice keeps the later":           {post(-5, -1, -1), post(-5, -2, 0), -5, -1},
		"resolved without a start ends it":         {post(-5, 9, -1), post(-1, -1, 0), -5, -1},
		"fires again within the episode":           {post(-5, -1, -1), post(-5, 4, 0), -5, 4},
		"a later start is a new episode":           {post(-9, -5, -1), post(-2, 4, 0), -2, 4},
		"ends that touch are two episodes":         {post(-9, -5, -1), post(-5, 4, 0), -5, 4},
		"an older episode that was late is over":   {post(-2, 4, -1), post(-9, -5, 0), -2, 4},
		"an end alone is no episode of its own":    {post(90, 90, -1), post(-5, -1, 0), -5, -1},
		"posts that arrive in the other order":     {post(-5, -1, 0), post(-5, 9, -1), -5, -1},
		"a post that contains the known":           {post(-5, 4, -1), post(-9, 9, 0), -9, 9},
		"a post that the known contains, resolved": {post(-9, 9, -2), post(-5, -3, 0), -9, -3},
	} {
		got := alert.Merge(c.old, c.fresh)
		if !got.StartsAt.Equal(at(c.from)) || !got.EndsAt.Equal(at(c.to)) {
			t.Errorf("%s: %v to %v, want %d to %d", name, got.StartsAt.Sub(now), got.EndsAt.Sub(now), c.from, c.to)
		}
	}
}

func TestKeepsTheNewestWordsAndTheIncidentOfTheEpisode(t *testing.T) {
	t.Parallel()
	old := alert.Alert{StartsAt: at(-5), EndsAt: at(4), UpdatedAt: at(-1), Incident: "i1", Annotations: map[string]string{"summary": "old"}}
	fresh := alert.Alert{StartsAt: at(-5), EndsAt: at(5), UpdatedAt: at(0), Annotations: map[string]string{"summary": "new"}}
	if got := alert.Merge(old, fresh); got.Incident != "i1" || got.Annotations["summary"] != "new" {
		t.Errorf("%+v", got)
	}
	fresh.StartsAt = at(4)
	if got := alert.Merge(old, fresh); got.Incident != "" {
		t.Errorf("a new episode kept the old incident %+v", got)
	}
}

func TestMergeDoesNotCareWhoComesFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, seen int) alert.Alert {
			from := rapid.IntRange(-20, 20).Draw(t, name+" from")
			return alert.Alert{
				StartsAt: at(from), EndsAt: at(from + rapid.IntRange(0, 20).Draw(t, name+" length")), UpdatedAt: at(seen),
				Timeout: rapid.Bool().Draw(t, name+" timeout"),
			}
		}
		a, b := draw("a", 0), draw("b", 1)
		x, y := alert.Merge(a, b), alert.Merge(b, a)
		if !x.StartsAt.Equal(y.StartsAt) || !x.EndsAt.Equal(y.EndsAt) || x.Timeout != y.Timeout {
			t.Fatalf("%v and %v", x, y)
		}
		if again := alert.Merge(x, b); !again.StartsAt.Equal(x.StartsAt) || !again.EndsAt.Equal(x.EndsAt) {
			t.Fatalf("merged once %v, twice %v", x, again)
		}
		if x.EndsAt.Before(x.StartsAt) {
			t.Fatalf("ends before it starts: %v", x)
		}
	})
}

func TestFingerprintIsPrometheus(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "labels")
		set := model.LabelSet{}
		for k, v := range labels {
			set[model.LabelName(k)] = model.LabelValue(v)
		}
		if got, want := alert.Fingerprint(labels), set.Fingerprint().String(); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func TestGroupsByConfiguredLabels(t *testing.T) {
	t.Parallel()
	by := []string{"alertname", "job"}
	a := alert.GroupOf(map[string]string{"alertname": "Down", "job": "api", "instance": "1"}, by)
	b := alert.GroupOf(map[string]string{"alertname": "Down", "job": "api", "instance": "2"}, by)
	c := alert.GroupOf(map[string]string{"alertname": "Down", "instance": "1"}, by)
	if a != b || a.ID == c.ID || a.Key != `{alertname="Down", job="api"}` {
		t.Errorf("%v %v %v", a, b, c)
	}
	if long := alert.GroupOf(map[string]string{"job": strings.Repeat("é", 4000)}, by); len(long.Key) > 500 || len(long.ID) != 32 {
		t.Errorf("a long group key has %d bytes", len(long.Key))
	}
}

func TestTitleIsOneLineOfText(t *testing.T) {
	t.Parallel()
	a := alert.Alert{Annotations: map[string]string{"summary": "down\r\nBcc: x@y\u202e  now"}}
	if got := a.Title(); got != "down Bcc: x@y now" {
		t.Errorf("%q", got)
	}
	b := alert.Alert{Labels: map[string]string{"alertname": "Down", "job": "api"}}
	if got := b.Title(); got != "Down api" {
		t.Errorf("%q", got)
	}
}
