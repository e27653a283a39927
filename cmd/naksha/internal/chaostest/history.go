package chaostest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// A Kind is one way to give the platform work, and to count from outside what came of it.
type Kind interface {
	// Name is what the history calls such orders.
	Name() string
	// Place gives the order of that id, once; the same id again must have no second effect. nil = acknowledged.
	Place(ctx context.Context, id string) error
	// Effects counts what is there now, by order id.
	Effects(ctx context.Context) (map[string]int, error)
}

// order is one order and what its client knows of it.
type order struct {
	kind, id string
	acked    bool
}

// History remembers every order that was placed and whether it was acknowledged. It is safe for concurrent use.
type History struct {
	flying atomic.Int64

	mu      sync.Mutex
	orders  []*order
	acked   map[string]int   // by kind
	refused map[string]error // the last refusal, by kind
	changed chan struct{}    // closed and replaced at each acknowledgement
	gate    chan struct{}    // closed while clients may place new orders
	held    bool
}

// NewHistory returns an empty history, whose clients are held.
func NewHistory() *History {
	return &History{
		acked: map[string]int{}, refused: map[string]error{}, changed: make(chan struct{}), gate: make(chan struct{}), held: true,
	}
}

// Hold lets clients finish their orders and place no new ones.
func (h *History) Hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.held {
		h.held, h.gate = true, make(chan struct{})
	}
}

// Release lets all clients place orders again, at the same moment.
func (h *History) Release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held {
		h.held = false
		close(h.gate)
	}
}

func (h *History) open(kind string) *order {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := &order{kind: kind, id: uuid.NewString()}
	h.orders = append(h.orders, one)
	return one
}

func (h *History) answered(one *order, err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.refused[one.kind] = err
		return false
	}
	one.acked = true
	h.acked[one.kind]++
	close(h.changed)
	h.changed = make(chan struct{})
	return true
}

// Flying is how many orders wait for their answer now.
func (h *History) Flying() int { return int(h.flying.Load()) }

// Drained waits until no order waits for its answer.
func (h *History) Drained(ctx context.Context) error {
	return until(ctx, func() error {
		if n := h.Flying(); n > 0 {
			return fmt.Errorf("%d orders still wait for their answer", n)
		}
		return nil
	})
}

// Acknowledged is how many orders of each kind were.
func (h *History) Acknowledged() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	counts := map[string]int{}
	for kind, n := range h.acked {
		counts[kind] = n
	}
	return counts
}

// AwaitMore waits until n more orders of every kind of the traffic were acknowledged, and returns the kind that was last.
// Its error holds the last refusals.
func (h *History) AwaitMore(ctx context.Context, traffic Traffic, n int) (last string, err error) {
	first := h.Acknowledged()
	for {
		h.mu.Lock()
		changed, behind := h.changed, h.behind(traffic, first, n)
		h.mu.Unlock()
		if len(behind) == 0 {
			return last, nil
		}
		last, _, _ = strings.Cut(behind[0], " ")
		select {
		case <-changed:
		case <-ctx.Done():
			return last, fmt.Errorf("%w: no further orders are acknowledged: %s", context.Cause(ctx), strings.Join(behind, "; "))
		}
	}
}

func (h *History) behind(traffic Traffic, first map[string]int, n int) []string {
	var behind []string
	for _, crowd := range traffic {
		if name := crowd.Name(); h.acked[name] < first[name]+n {
			behind = append(behind, fmt.Sprintf("%s (last refusal: %v)", name, h.refused[name]))
		}
	}
	slices.Sort(behind)
	return behind
}
