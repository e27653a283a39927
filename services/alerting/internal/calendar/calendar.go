// Package calendar says when people work: hours by the wall clock of a time zone, days of the week, holidays. It owns
// no schedule of who is on call.
package calendar

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // time zones also where the system has none
)

// Calendar is one team's working hours. The zero Calendar is not valid; Default is.
type Calendar struct {
	Zone     string         `json:"zone"`     // IANA name, e.g. "Asia/Kolkata"
	Days     []time.Weekday `json:"days"`     // working days
	Open     Clock          `json:"open"`     // wall clock at which the day begins
	Close    Clock          `json:"close"`    // wall clock at which it ends; later than Open
	Holidays []string       `json:"holidays"` // days off, YYYY-MM-DD
}

// Clock is a time of day, in minutes after midnight of the wall clock.
type Clock int

// Default is Monday to Friday, 09:00 to 17:00 UTC (DESIGN §10).
func Default() Calendar {
	return Calendar{
		Zone: "UTC", Open: 9 * 60, Close: 17 * 60,
		Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
	}
}

// ParseClock reads "09:00" to "24:00".
func ParseClock(text string) (Clock, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day: give hours and minutes such as 09:00", text)
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

// ParseDay reads "mon" to "sun".
func ParseDay(text string) (time.Weekday, error) {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	at := slices.Index(names, text)
	if at < 0 {
		return 0, fmt.Errorf("%q is no day: give mon, tue, wed, thu, fri, sat or sun", text)
	}
	return time.Weekday(at), nil
}

// Validate says what makes the calendar unusable. One without a working day in it would defer a page for ever.
func (c Calendar) Validate() error {
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		return fmt.Errorf("time zone %q is unknown: give an IANA name such as Europe/Berlin", c.Zone)
	}
	if len(c.Days) == 0 {
		return errors.New("no working days: give at least one")
	}
	if c.Open < 0 || c.Close > 24*60 || c.Open >= c.Close {
		return errors.New("the day must open before it closes, between 00:00 and 24:00")
	}
	for _, day := range c.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return fmt.Errorf("holiday %q: give YYYY-MM-DD", day)
		}
	}
	return nil
}

// NextOpen is t when t lies in working hours, else the next opening.
func (c Calendar) NextOpen(t time.Time) time.Time {
	zone := c.location()
	local := t.In(zone)
	if c.works(local) {
		open, end := c.at(local, c.Open), c.at(local, c.Close)
		if t.Before(open) {
			return open.UTC()
		}
		if t.Before(end) {
			return t.UTC()
		}
	}
	return c.openingAfter(local)
}

// NextDayOpen is the opening of the first working day after the day that t lies on, by the wall clock.
func (c Calendar) NextDayOpen(t time.Time) time.Time { return c.openingAfter(t.In(c.location())) }

// horizon bounds the search for a working day: more than a year of holidays is a mistake, and the page goes out.
const horizon = 400

func (c Calendar) openingAfter(local time.Time) time.Time {
	for days := 1; days <= horizon; days++ {
		day := time.Date(local.Year(), local.Month(), local.Day()+days, 12, 0, 0, 0, local.Location())
		if c.works(day) {
			return c.at(day, c.Open).UTC()
		}
	}
	return local.UTC()
}

// at is the wall clock on local's day. A time that the change to summer time skips becomes one on the other side of the
// gap; of a time that the change back doubles it is the first.
func (c Calendar) at(local time.Time, clock Clock) time.Time {
	t := time.Date(local.Year(), local.Month(), local.Day(), 0, int(clock), 0, 0, local.Location())
	_, before := t.Add(-3 * time.Hour).Zone()
	_, after := t.Zone()
	if first := t.Add(-time.Duration(before-after) * time.Second); before > after && first.Format("15:04") == t.Format("15:04") {
		return first
	}
	return t
}

func (c Calendar) works(local time.Time) bool {
	return slices.Contains(c.Days, local.Weekday()) && !slices.Contains(c.Holidays, local.Format(time.DateOnly))
}

// location is the zone, or UTC for a calendar that Validate refuses.
func (c Calendar) location() *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}
