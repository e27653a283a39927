package sim

import (
	"fmt"
	"strings"
	"time"
)

// shown is how many steps a failure shows.
const shown = 80

// history is what happened.
type history []entry

type entry struct {
	at        time.Time
	who, what string
	fate      fate
}

func (h *history) add(at time.Time, who, what string, f fate) {
	*h = append(*h, entry{at, who, what, f})
}

// line is one step in words.
func (h history) line(i int) string {
	if i >= len(h) {
		return "nothing"
	}
	e := h[i]
	text := fmt.Sprintf("%6d %s %-12s %s", i+1, e.at.Format("01-02 15:04:05.000"), e.who, e.what)
	if e.fate.String() != "" {
		text += " [" + e.fate.String() + "]"
	}
	return text
}

// parts is the first step that two histories do not share; ok is false when they are equal.
func (h history) parts(other history) (step int, ok bool) {
	for i := range max(len(h), len(other)) {
		if i >= min(len(h), len(other)) || h[i] != other[i] {
			return i, true
		}
	}
	return 0, false
}

// String is the last steps, one a line.
func (h history) String() string {
	var b strings.Builder
	for i := max(0, len(h)-shown); i < len(h); i++ {
		b.WriteString(h.line(i) + "\n")
	}
	return b.String()
}
