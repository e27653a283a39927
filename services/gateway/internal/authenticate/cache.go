package authenticate

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/naksha-cloud/naksha/services/gateway/internal/key"
)

// Digest is what a key is remembered under: its text is nowhere in memory.
func Digest(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// Cache remembers who a key stands for. An eviction also forgets what was being asked while it came: an answer from
// before a revocation must not be remembered after it.
type Cache struct {
	ttl   time.Duration
	limit int

	mu      sync.RWMutex
	entries map[[32]byte]entry
	epoch   uint64 // counts evictions
}

type entry struct {
	who   key.Identity
	until time.Time
}

// NewCache makes a Cache of at most limit keys, each remembered for ttl.
func NewCache(ttl time.Duration, limit int) *Cache {
	return &Cache{ttl: ttl, limit: limit, entries: map[[32]byte]entry{}}
}

// Get finds the identity under a digest, unless it is too old.
func (c *Cache) Get(digest [32]byte, now time.Time) (key.Identity, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[digest]
	return e.who, ok && now.Before(e.until)
}

// Epoch counts evictions; ask for it before the question whose answer Put gets.
func (c *Cache) Epoch() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.epoch
}

// Put remembers an answer, unless something was evicted since epoch.
func (c *Cache) Put(digest [32]byte, who key.Identity, now time.Time, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch || c.limit <= 0 {
		return
	}
	if len(c.entries) >= c.limit {
		c.makeRoom(now)
	}
	c.entries[digest] = entry{who: who, until: now.Add(c.ttl)}
}

// makeRoom drops what is too old, and something else when nothing is.
func (c *Cache) makeRoom(now time.Time) {
	for digest, e := range c.entries {
		if !now.Before(e.until) {
			delete(c.entries, digest)
		}
	}
	for digest := range c.entries {
		if len(c.entries) < c.limit {
			return
		}
		delete(c.entries, digest)
	}
}

// EvictKey forgets the key with this id.
func (c *Cache) EvictKey(kid string) {
	c.evict(func(who key.Identity) bool { return who.KID == kid })
}

// EvictWorkspace forgets every key of the workspace.
func (c *Cache) EvictWorkspace(ref string) {
	c.evict(func(who key.Identity) bool { return who.Workspace == ref })
}

// Clear forgets everything.
func (c *Cache) Clear() { c.evict(func(key.Identity) bool { return true }) }

func (c *Cache) evict(gone func(key.Identity) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for digest, e := range c.entries {
		if gone(e.who) {
			delete(c.entries, digest)
		}
	}
}
