package workspace

import (
	"strings"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Filter selects workspaces; an empty field selects all. State is Active when a filter names none.
type Filter struct {
	DisplayName string
	Plan        string
	State       State
	Cell        string
}

// ParseFilter reads `field = "value"` joined by AND (a subset of AIP-160), each field at most once.
func ParseFilter(text string) (Filter, error) {
	f := Filter{State: Active}
	rest := strings.TrimSpace(text)
	seen := map[string]bool{}
	for rest != "" {
		var field, value string
		var err error
		if field, value, rest, err = term(rest); err != nil {
			return Filter{}, err
		}
		if seen[field] {
			return Filter{}, malformed("the field " + field + " is named twice")
		}
		seen[field] = true
		if err := f.set(field, value); err != nil {
			return Filter{}, err
		}
	}
	return f, nil
}

// term cuts one `field = "value"` and the AND behind it off the text.
func term(text string) (field, value, rest string, err error) {
	field, rest, ok := strings.Cut(text, "=")
	field = strings.TrimSpace(field)
	rest = strings.TrimSpace(rest)
	if !ok || !strings.HasPrefix(rest, `"`) {
		return "", "", "", malformed("it is not a list of terms")
	}
	value, rest, ok = quoted(rest[1:])
	if !ok {
		return "", "", "", malformed("a quotation mark is not closed")
	}
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return field, value, "", nil
	}
	after, ok := strings.CutPrefix(rest, "AND ")
	if !ok || strings.TrimSpace(after) == "" {
		return "", "", "", malformed("terms are joined by AND")
	}
	return field, value, strings.TrimSpace(after), nil
}

// quoted reads up to the closing quotation mark; \" and \\ stand for " and \.
func quoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], true
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", false
}

func (f *Filter) set(field, value string) error {
	if value == "" {
		return malformed("the value of " + field + " is empty")
	}
	switch field {
	case "display_name":
		f.DisplayName = value
	case "plan":
		f.Plan = value
	case "cell":
		f.Cell = strings.TrimPrefix(value, "cells/")
	case "state":
		f.State = State(strings.ToLower(strings.TrimPrefix(value, "STATE_")))
		if f.State != Active && f.State != Deleted && f.State != Erased {
			return malformed("the state is STATE_ACTIVE, STATE_DELETED or STATE_ERASED")
		}
	default:
		return malformed("a field is not known")
	}
	return nil
}

func malformed(why string) error {
	return fault.Invalid("FILTER_INVALID", "The filter is malformed: %s.", why).
		WithRemedy(`Write field = "value", joined by AND; the fields are display_name, plan, state and cell.`).
		WithField("filter", why)
}
