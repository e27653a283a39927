package durable

import "sync"

// keys lets one change of an object's newest version happen at a time. versitygw serialises writers, but not those who
// delete: a delete marker could be set on a version that was written, and answered, a moment before.
type keys struct {
	mu   sync.Mutex
	held map[string]*held
}

type held struct {
	sync.Mutex
	users int // who has or waits for it
}

// lock waits for the key and returns what lets it go.
func (k *keys) lock(bucket, key string) (unlock func()) {
	name := bucket + "/" + key
	k.mu.Lock()
	h, ok := k.held[name]
	if !ok {
		h = &held{}
		k.held[name] = h
	}
	h.users++
	k.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(k.held, name)
		}
	}
}
