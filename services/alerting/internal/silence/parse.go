package silence

import (
	"strconv"
	"strings"
)

// ParseMatcher reads a matcher as Alertmanager's API and amtool write it: `name="value"`, with =, !=, =~ or !~; quotes
// may be left out, and names may be quoted.
func ParseMatcher(s string) (Matcher, error) {
	name, operator, value, ok := cutOperator(strings.TrimSpace(s))
	if !ok {
		return Matcher{}, invalid("matcher %q has no operator: give =, !=, =~ or !~", clip(s))
	}
	m := Matcher{Regex: strings.Contains(operator, "~"), Negate: strings.HasPrefix(operator, "!")}
	var err error
	if m.Name, err = unquote(name); err != nil {
		return Matcher{}, invalid("matcher %q: the name's quotes are malformed", clip(s))
	}
	if m.Value, err = unquote(value); err != nil {
		return Matcher{}, invalid("matcher %q: the value's quotes are malformed", clip(s))
	}
	return m, m.compile()
}

func cutOperator(s string) (name, operator, value string, ok bool) {
	from := 0
	if strings.HasPrefix(s, `"`) { // a quoted name may hold an operator
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return "", "", "", false
		}
		from = len(quoted)
	}
	at := strings.IndexAny(s[from:], "=!")
	if at < 0 {
		return "", "", "", false
	}
	at += from
	for _, operator := range []string{"=~", "!~", "!=", "="} {
		if rest, found := strings.CutPrefix(s[at:], operator); found {
			return strings.TrimSpace(s[:at]), operator, strings.TrimSpace(rest), true
		}
	}
	return "", "", "", false
}

func unquote(s string) (string, error) {
	if strings.HasPrefix(s, `"`) {
		return strconv.Unquote(s)
	}
	return s, nil
}

// clip keeps messages short.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
