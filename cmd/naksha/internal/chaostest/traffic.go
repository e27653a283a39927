package chaostest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// admit waits until clients are not held.
func (h *History) admit(ctx context.Context) {
	h.mu.Lock()
	gate := h.gate
	h.mu.Unlock()
	select {
	case <-gate:
	case <-ctx.Done():
	}
}

const (
	placeTime = 10 * time.Second      // a client waits so long for an answer
	pause     = 50 * time.Millisecond // and so long before it asks again
)

// Crowd is a number of clients that place one kind of order.
type Crowd struct {
	Kind
	Clients int
	Rest    time.Duration // of each client between two orders
}

// Traffic is all the crowds around a platform.
type Traffic []Crowd

// Run lets the clients place orders until the returned stop, which waits for them.
func (h *History) Run(ctx context.Context, traffic Traffic, chance *rand.Rand) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for _, crowd := range traffic {
		for range crowd.Clients {
			own := rand.New(rand.NewPCG(chance.Uint64(), chance.Uint64()))
			clients.Go(func() { h.client(ctx, crowd, own) })
		}
	}
	return func() {
		cancel()
		clients.Wait()
	}
}

// client places an order, repeats it under the same id until it is acknowledged, and places the next. One in four orders
// that got no answer is given up instead: whether it has an effect stays open, but never two.
func (h *History) client(ctx context.Context, crowd Crowd, chance *rand.Rand) {
	for ctx.Err() == nil {
		if h.admit(ctx); ctx.Err() != nil {
			return
		}
		one := h.open(crowd.Name())
		for ctx.Err() == nil {
			h.flying.Add(1)
			err := h.place(ctx, crowd.Kind, one)
			h.flying.Add(-1)
			if h.answered(one, err) || chance.IntN(4) == 0 {
				break
			}
			rest(ctx, pause)
		}
		rest(ctx, crowd.Rest)
	}
}

// rest waits for d, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (h *History) place(ctx context.Context, kind Kind, one *order) error {
	ctx, cancel := context.WithTimeout(ctx, placeTime)
	defer cancel()
	return kind.Place(ctx, one.id)
}
