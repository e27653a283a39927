package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of one alert. Prometheus' own defaults stay far below.
const (
	maxPairs = 128      // labels, and annotations
	maxName  = 1 << 10  // bytes of a name
	maxValue = 16 << 10 // bytes of a value
	maxTotal = 64 << 10 // bytes of all names and values
)

// check says in one sentence what is wrong.
func (a Alert) check() error {
	switch {
	case len(a.Labels) == 0:
		return errors.New("at least one label pair required")
	case a.EndsAt.Before(a.StartsAt):
		return errors.New("start time must be before end time")
	case !storable(a.StartsAt) || !storable(a.EndsAt):
		return errors.New("times must lie between the years 1 and 9999")
	}
	if err := checkPairs("label", a.Labels); err != nil {
		return err
	}
	if err := checkPairs("annotation", a.Annotations); err != nil {
		return err
	}
	if len(a.GeneratorURL) > maxValue || !storableText(a.GeneratorURL) {
		return fmt.Errorf("generatorURL must be UTF-8 of at most %d bytes without NUL", maxValue)
	}
	return nil
}

func checkPairs(what string, pairs map[string]string) error {
	if len(pairs) > maxPairs {
		return fmt.Errorf("%d %ss: at most %d are taken", len(pairs), what, maxPairs)
	}
	total := 0
	for name, value := range pairs {
		total += len(name) + len(value)
		switch {
		case name == "":
			return fmt.Errorf("a %s has no name", what)
		case len(name) > maxName:
			return fmt.Errorf("a %s name of %d bytes: at most %d are taken", what, len(name), maxName)
		case len(value) > maxValue:
			return fmt.Errorf("%s %q has %d bytes: at most %d are taken", what, clip(name, 64), len(value), maxValue)
		case !storableText(name) || !storableText(value):
			return fmt.Errorf("%s %q is not UTF-8 without NUL", what, clip(name, 64))
		}
	}
	if total > maxTotal {
		return fmt.Errorf("%d bytes of %ss: at most %d are taken", total, what, maxTotal)
	}
	return nil
}

// storableText reports whether Postgres keeps s as it is: it has no NUL character.
func storableText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func storable(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

// line makes s one line of printable text: titles go into mail headers.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// clip cuts s to at most n bytes at a character's edge, and shows that it did.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const mark = "…"
	cut := n - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}
