package calendar_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/naksha-cloud/naksha/services/alerting/internal/calendar"
)

// week is Monday to Friday, nine to five, somewhere.
func week(zone string, holidays ...string) calendar.Calendar {
	c := calendar.Default()
	c.Zone, c.Holidays = zone, holidays
	return c
}

// stamp reads "2026-11-27 17:55 +0000".
func stamp(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04 -0700", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestOpens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone      string
		holidays        []string
		at, open, dayOn string // dayOn: the opening of the next working day
	}{
		{"in hours", "UTC", nil, "2026-11-25 10:00 +0000", "2026-11-25 10:00 +0000", "2026-11-26 09:00 +0000"},
		{"at opening", "UTC", nil, "2026-11-25 09:00 +0000", "2026-11-25 09:00 +0000", "2026-11-26 09:00 +0000"},
		{"before", "UTC", nil, "2026-11-25 03:00 +0000", "2026-11-25 09:00 +0000", "2026-11-26 09:00 +0000"},
		{"at closing", "UTC", nil, "2026-11-25 17:00 +0000", "2026-11-26 09:00 +0000", "2026-11-26 09:00 +0000"},
		{"Friday at the end", "UTC", nil, "2026-11-27 16:55 +0000", "2026-11-27 16:55 +0000", "2026-11-30 09:00 +0000"},
		{"Friday evening", "UTC", nil, "2026-11-27 20:00 +0000", "2026-11-30 09:00 +0000", "2026-11-30 09:00 +0000"},
		{"Saturday", "UTC", nil, "2026-11-28 10:00 +0000", "2026-11-30 09:00 +0000", "2026-11-30 09:00 +0000"},
		{"holiday on Monday", "UTC", []string{"2026-11-30"}, "2026-11-28 10:00 +0000", "2026-12-01 09:00 +0000", "2026-12-01 09:00 +0000"},
		{
			"Christmas", "UTC",
			[]string{"2026-12-24", "2026-12-25", "2026-12-28"},
			"2026-12-23 18:00 +0000",
			"2026-12-29 09:00 +0000", "2026-12-29 09:00 +0000",
		},
		{"India", "Asia/Kolkata", nil, "2026-11-25 02:00 +0000", "2026-11-25 09:00 +0530", "2026-11-26 09:00 +0530"},
		{"Friday in Tokyo is Saturday", "Asia/Tokyo", nil, "2026-11-27 16:00 +0000", "2026-11-30 09:00 +0900", "2026-11-30 09:00 +0900"},
		{"Sunday in Honolulu", "Pacific/Honolulu", nil, "2026-11-30 08:00 +0000", "2026-11-30 09:00 -1000", "2026-11-30 09:00 -1000"},
		{"Berlin before summer time", "Europe/Berlin", nil, "2026-03-27 18:00 +0100", "2026-03-30 09:00 +0200", "2026-03-30 09:00 +0200"},
		{"Berlin before winter time", "Europe/Berlin", nil, "2026-10-23 18:00 +0200", "2026-10-26 09:00 +0100", "2026-10-26 09:00 +0100"},
		{"New York before summer time", "America/New_York", nil, "2026-03-06 18:00 -0500", "2026-03-09 09:00 -0400", "2026-03-09 09:00 -0400"},
		{"Lord Howe's half hour", "Australia/Lord_Howe", nil, "2026-10-02 18:00 +1030", "2026-10-05 09:00 +1100", "2026-10-05 09:00 +1100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := week(c.zone, c.holidays...)
			if got, want := w.NextOpen(stamp(t, c.at)), stamp(t, c.open); !got.Equal(want) {
				t.Errorf("opens %v, want %v", got, want.UTC())
			}
			if got, want := w.NextDayOpen(stamp(t, c.at)), stamp(t, c.dayOn); !got.Equal(want) {
				t.Errorf("next day opens %v, want %v", got, want.UTC())
			}
		})
	}
}

// A shift over the hour that is skipped or doubled opens and closes by the wall clock.
func TestNightShiftsFollowTheWallClock(t *testing.T) {
	t.Parallel()
	c := week("Europe/Berlin")
	c.Days, c.Open, c.Close = []time.Weekday{time.Sunday}, 2*60+30, 4*60
	for name, pair := range map[string][2]string{
		"skipped hour":          {"2026-03-29 00:00 +0100", "2026-03-29 01:30 +0000"}, // 02:30 does not exist: 03:30 summer time
		"doubled hour, first":   {"2026-10-25 00:00 +0200", "2026-10-25 00:30 +0000"}, // 02:30 happens twice: the first
		"between the two hours": {"2026-10-25 02:45 +0100", "2026-10-25 01:45 +0000"},
		"closed by the clock":   {"2026-10-25 04:00 +0100", "2026-11-01 01:30 +0000"},
	} {
		if got, want := c.NextOpen(stamp(t, pair[0])), stamp(t, pair[1]); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", name, got, want.UTC())
		}
	}
}

func TestOpeningNeverLiesInThePastAndIsWorkingTime(t *testing.T) {
	t.Parallel()
	zones := []string{"UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		c := week(rapid.SampledFrom(zones).Draw(t, "zone"))
		from := time.Unix(rapid.Int64Range(1.5e9, 2.2e9).Draw(t, "unix"), 0)
		open, dayOn := c.NextOpen(from), c.NextDayOpen(from)
		if open.Before(from) || !dayOn.After(from) || dayOn.Before(open) {
			t.Fatalf("from %v: opens %v, next day %v", from, open, dayOn)
		}
		if again := c.NextOpen(open); !again.Equal(open) {
			t.Fatalf("%v is no working time: %v", open, again)
		}
	})
}

func TestRefusesACalendarThatWouldDeferForEver(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*calendar.Calendar){
		"no days":     func(c *calendar.Calendar) { c.Days = nil },
		"zone":        func(c *calendar.Calendar) { c.Zone = "Mars/Olympus" },
		"no zone":     func(c *calendar.Calendar) { c.Zone = "" },
		"local zone":  func(c *calendar.Calendar) { c.Zone = "Local" },
		"closes":      func(c *calendar.Calendar) { c.Close = c.Open },
		"bad holiday": func(c *calendar.Calendar) { c.Holidays = []string{"25.12."} },
	} {
		c := calendar.Default()
		change(&c)
		if c.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := calendar.Default().Validate(); err != nil {
		t.Error(err)
	}
}
