package chaostest

import (
	"context"
	"fmt"
	"strings"
)

// Verdict is what outsiders found of a history's orders.
type Verdict struct {
	Acknowledged int // orders that the platform took
	Open         int // orders that nobody answered: they may have an effect or none
	Lost         int // acknowledged, and nothing is there
	Twice        int // more than one effect
	Unasked      int // effects of orders that were never placed
	examples     []string
}

// Judge counts the effects of every kind and holds them against the orders as they were known before it looked: orders
// may be placed meanwhile.
func (h *History) Judge(ctx context.Context, traffic Traffic) (Verdict, error) {
	var v Verdict
	known := h.known()
	for _, kind := range traffic {
		effects, err := kind.Effects(ctx)
		if err != nil {
			return v, fmt.Errorf("count the effects of %s orders: %w", kind.Name(), err)
		}
		v.judge(kind.Name(), known[kind.Name()], effects)
		after := h.known()[kind.Name()]
		for id := range effects {
			if _, placed := after[id]; !placed {
				v.note(&v.Unasked, "%s %s was never ordered", kind.Name(), id)
			}
		}
	}
	return v, nil
}

// known are the orders so far by kind and id, and whether each is acknowledged.
func (h *History) known() map[string]map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := map[string]map[string]bool{}
	for _, o := range h.orders {
		if known[o.kind] == nil {
			known[o.kind] = map[string]bool{}
		}
		known[o.kind][o.id] = o.acked
	}
	return known
}

func (v *Verdict) judge(kind string, orders map[string]bool, effects map[string]int) {
	for id, acked := range orders {
		if acked {
			v.Acknowledged++
		} else {
			v.Open++
		}
		switch n := effects[id]; {
		case acked && n == 0:
			v.note(&v.Lost, "%s %s was acknowledged and is lost", kind, id)
		case n > 1:
			v.note(&v.Twice, "%s %s is there %d times", kind, id, n)
		}
	}
}

func (v *Verdict) note(count *int, format string, args ...any) {
	if *count++; len(v.examples) < 5 {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

// Err is nil when nothing is lost, there twice, or there unasked.
func (v Verdict) Err() error {
	if v.Lost+v.Twice+v.Unasked == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", v, strings.Join(v.examples, "; "))
}

// String is one line.
func (v Verdict) String() string {
	return fmt.Sprintf("acknowledged %d, open %d, lost %d, twice %d, unasked %d", v.Acknowledged, v.Open, v.Lost, v.Twice, v.Unasked)
}
