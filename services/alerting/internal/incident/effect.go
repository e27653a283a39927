package incident

import "time"

// Effect is something that has to be done because of a Step, in the transaction that keeps the new state.
type Effect interface{ effect() }

// Page tells one target.
type Page struct {
	Cycle    int
	Level    int // 1 = first
	Target   string
	Channels []string
	DueAt    time.Time // when the level was due
}

// CancelPages withdraws the pages that no provider has taken yet.
type CancelPages struct{}

// Kinds of notices.
const (
	KindAcknowledged = "acknowledged"
	KindResolved     = "resolved"
)

// TellPaged sends a notice to everybody who was paged, by the same channels.
type TellPaged struct{ Kind string }

// Note adds a line to the incident's history.
type Note struct{ Text string }

// Opened is the fact that people are being told.
type Opened struct {
	Incident string
	Severity string
	Title    string
	At       time.Time
}

// Escalated is the fact that a level after the incident's first is being told.
type Escalated struct {
	Incident string
	Level    int
}

// WasAcknowledged is the fact that somebody works on it.
type WasAcknowledged struct {
	Incident string
	By       string
}

// WasResolved is the fact that it is over.
type WasResolved struct {
	Incident string
	At       time.Time
}

func (Page) effect()            {}
func (CancelPages) effect()     {}
func (TellPaged) effect()       {}
func (Note) effect()            {}
func (Opened) effect()          {}
func (Escalated) effect()       {}
func (WasAcknowledged) effect() {}
func (WasResolved) effect()     {}
