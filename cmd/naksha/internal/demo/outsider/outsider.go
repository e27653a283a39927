// Package outsider speaks to the platform the way its users do: Postgres, S3, NATS, gRPC and REST with their own
// credentials; and it is at the other end of mail and webhooks. It owns the outside of every wall, and refuses to know
// anything of the inside: no package of a service is imported here, so what it reports was seen from outside.
package outsider

import (
	"context"
	"fmt"
	"sync"
)

// Inbox keeps what arrived, in order, for whoever waits for it.
type Inbox[T any] struct {
	mu      sync.Mutex
	items   []T
	changed chan struct{} // closed and replaced at each arrival
}

// NewInbox returns an empty inbox.
func NewInbox[T any]() *Inbox[T] { return &Inbox[T]{changed: make(chan struct{})} }

// Add keeps an arrival.
func (b *Inbox[T]) Add(item T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, item)
	close(b.changed)
	b.changed = make(chan struct{})
}

// All returns what arrived so far and matches.
func (b *Inbox[T]) All(match func(T) bool) []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []T
	for _, item := range b.items {
		if match(item) {
			found = append(found, item)
		}
	}
	return found
}

// Await returns the first arrival that matches, also an earlier one. The error says how much else arrived.
func (b *Inbox[T]) Await(ctx context.Context, match func(T) bool) (T, error) {
	for {
		b.mu.Lock()
		changed, seen := b.changed, len(b.items)
		for _, item := range b.items {
			if match(item) {
				b.mu.Unlock()
				return item, nil
			}
		}
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("it did not arrive (%d others did): %w", seen, context.Cause(ctx))
		}
	}
}
