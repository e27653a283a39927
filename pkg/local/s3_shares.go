package local

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3err"
)

// shares hold each access key to a share of the requests that a region serves at once, so that no key's requests keep out
// those of the others. Requests without a key have one share together. A key is believed before its signature is
// checked: a stranger's request under it is refused at once, before anything of its body is read.
type shares struct {
	most  int
	mu    sync.Mutex
	taken map[string]int
}

func newShares(most int) *shares { return &shares{most: most, taken: map[string]int{}} }

// place is one request's, until it is answered.
type place struct {
	shares *shares
	key    string
	conn   net.Conn
	users  atomic.Int32 // the request, and its answer's content
}

// placeKey finds the place in a request's context.
type placeKey struct{}

// handle is the middleware.
func (s *shares) handle(ctx fiber.Ctx) error {
	p := &place{shares: s, key: claimedKey(ctx), conn: ctx.RequestCtx().Conn()}
	defer p.await()
	if !s.take(p.key) {
		return answer(ctx, s3err.GetAPIError(s3err.ErrSlowDown))
	}
	p.users.Store(1)
	defer p.leave()
	ctx.Locals(placeKey{}, p)
	return ctx.Next()
}

// await gives the client time to take what is sent next.
func (p *place) await() { awaitTaker(p.conn, p) }

func (p *place) leave() {
	if p.users.Add(-1) == 0 {
		p.shares.give(p.key)
	}
}

func (s *shares) take(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[key] == s.most {
		return false
	}
	s.taken[key]++
	return true
}

func (s *shares) give(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[key]--; s.taken[key] == 0 {
		delete(s.taken, key)
	}
}

// claimedKey is the id of the access key by which a request is signed; empty where it is not.
func claimedKey(ctx fiber.Ctx) string {
	credential := ctx.Query("X-Amz-Credential")
	if header := ctx.Get("Authorization"); header != "" {
		_, credential, _ = strings.Cut(header, "Credential=")
	}
	key, _, _ := strings.Cut(credential, "/")
	return strings.Clone(key) // fiber reuses the memory
}
