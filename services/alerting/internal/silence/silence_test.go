package silence_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

var now = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

func TestReadsMatchersAsAmtoolWritesThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]silence.Matcher{
		`job="api"`:         {Name: "job", Value: "api"},
		`job=api`:           {Name: "job", Value: "api"},
		` job != "a=b" `:    {Name: "job", Value: "a=b", Negate: true},
		`job=~"a.*|b"`:      {Name: "job", Value: "a.*|b", Regex: true},
		`job!~a`:            {Name: "job", Value: "a", Regex: true, Negate: true},
		`"with = sign"="x"`: {Name: "with = sign", Value: "x"},
		`имя="ελ\n"`:        {Name: "имя", Value: "ελ\n"},
		`job=""`:            {Name: "job"},
	} {
		got, err := silence.ParseMatcher(text)
		if err != nil || got.String() != want.String() {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "job", "=x", `job="`, `"job=x`, "job=~(", "job!x", strings.Repeat("x", 5000) + "=y", "a=\x00"} {
		if m, err := silence.ParseMatcher(text); err == nil {
			t.Errorf("%.40q is taken as %v", text, m)
		}
	}
}

func TestReadsBackWhatItWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := silence.Matcher{
			Name:   rapid.StringMatching(`[a-z_][a-z0-9_]{0,10}`).Draw(t, "name"),
			Value:  rapid.StringMatching(`[ -~а-я\n]{0,20}`).Draw(t, "value"),
			Negate: rapid.Bool().Draw(t, "negate"),
		}
		back, err := silence.ParseMatcher(m.String())
		if err != nil || back.String() != m.String() {
			t.Fatalf("%s: %v, %v", m, back, err)
		}
	})
}

func TestMatchesWholeValuesAndAbsentLabels(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"job": "api", "text": "a\nb"}
	for matcher, want := range map[string]bool{
		`job="api"`: true, `job="ap"`: false, `job!="web"`: true, `job!="api"`: false, `job=~"a.+"`: true, `job=~"a"`: false,
		`job!~"a"`: true, `nope=""`: true, `nope!="x"`: true, `nope=~".+"`: false, `text=~"a.b"`: true,
	} {
		m, err := silence.ParseMatcher(matcher)
		if err != nil {
			t.Fatal(err)
		}
		s := silence.Silence{Matchers: []silence.Matcher{m}}
		if s.Matches(labels) != want {
			t.Errorf("%s: not %v", matcher, want)
		}
	}
	if (silence.Silence{}).Matches(labels) {
		t.Error("a silence without matchers mutes")
	}
}

func TestHoldsFromStartUntilEnd(t *testing.T) {
	t.Parallel()
	s := silence.Silence{StartsAt: now, EndsAt: now.Add(time.Hour), Matchers: []silence.Matcher{{Name: "a", Value: "b"}}}
	for at, want := range map[time.Duration]silence.State{
		-time.Second: silence.Pending, 0: silence.Active, time.Hour - 1: silence.Active, time.Hour: silence.Expired,
	} {
		when := now.Add(at)
		if got := s.StateAt(when); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
		_, muted := silence.Muting([]silence.Silence{s}, map[string]string{"a": "b"}, when)
		if muted != (want == silence.Active) {
			t.Errorf("%v: muted %v", at, muted)
		}
	}
	var changes []time.Duration
	for at := s.NextChange(now.Add(-time.Second)); !at.IsZero(); at = s.NextChange(at) {
		changes = append(changes, at.Sub(now))
	}
	if want := []time.Duration{0, time.Hour, time.Hour + 5*time.Second}; !slices.Equal(changes, want) {
		t.Errorf("changes at %v, want %v", changes, want)
	}
}

func TestRefusesASilenceOfEverything(t *testing.T) {
	t.Parallel()
	for _, m := range []silence.Matcher{
		{Name: "a"}, {Name: "a", Value: "x", Negate: true}, {Name: "a", Value: ".*", Regex: true},
	} {
		s := silence.Silence{EndsAt: now.Add(time.Hour), Matchers: []silence.Matcher{m}}
		if _, err := s.Settle(now); err == nil {
			t.Errorf("%s alone is taken", m)
		}
		s.Matchers = append(s.Matchers, silence.Matcher{Name: "b", Value: "c"})
		if settled, err := s.Settle(now); err != nil || !settled.StartsAt.Equal(now) {
			t.Errorf("%s with another: %v", m, err)
		}
	}
}
