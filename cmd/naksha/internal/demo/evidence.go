package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Evidence is what one step claimed and what was seen.
type Evidence struct {
	Step     int            `json:"step"`
	Name     string         `json:"name"`
	Claim    string         `json:"claim"`
	Holds    bool           `json:"holds"`
	Seconds  float64        `json:"seconds"`
	Says     string         `json:"says"`              // the numbers as a sentence
	Problem  string         `json:"problem,omitempty"` // why it does not hold
	Evidence map[string]any `json:"evidence"`          // the numbers
}

// finding collects what a step sees while it runs.
type finding struct {
	numbers map[string]any
	says    []string
}

func newFinding() *finding { return &finding{numbers: map[string]any{}} }

// note keeps a number for the evidence file. Durations become seconds.
func (f *finding) note(name string, value any) {
	if d, ok := value.(time.Duration); ok {
		value = seconds(d)
	}
	f.numbers[name] = value
}

// say adds a clause to the line that people read.
func (f *finding) say(format string, args ...any) {
	f.says = append(f.says, fmt.Sprintf(format, args...))
}

func (f *finding) sentence() string { return strings.Join(f.says, " · ") }

// seconds keeps a tenth of a millisecond.
func seconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Second)
}

// Took is a duration for people: 3.2 ms, 840 ms, 1.24 s, 2m05s.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", d.Seconds())
	default:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
}

// Printer writes one line for each step.
type Printer struct {
	Out    io.Writer
	Colour bool
}

// Line prints a step: whether it holds, its number, name and time, and what was seen or what is wrong.
func (p Printer) Line(e Evidence) {
	mark, colour, text := "✓", green, e.Says
	if !e.Holds {
		mark, colour, text = "✗", red, e.Problem
		if e.Says != "" {
			text += " · before that: " + e.Says
		}
	}
	took := Took(time.Duration(e.Seconds * float64(time.Second)))
	fmt.Fprintf(p.Out, "%s %d  %-8s %s  %s\n", p.paint(colour, mark), e.Step, e.Name, p.paint(grey, fmt.Sprintf("%8s", took)), text)
}

// ANSI colours.
const (
	green = "32"
	red   = "31"
	grey  = "90"
)

func (p Printer) paint(colour, text string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// WriteEvidence writes the steps as a JSON list, for programs and auditors.
func WriteEvidence(path string, steps []Evidence) error {
	content, err := json.MarshalIndent(steps, "", "  ")
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("evidence: %w: name a file that can be written with --evidence", err)
	}
	return nil
}
