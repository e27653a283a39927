package sim

import (
	"math/rand/v2"
	"slices"
	"testing/synctest"
	"time"
)

// fate is what becomes of a call, or what is noted of a step.
type fate int

const (
	well      fate = iota + 1
	lost           // it never arrives
	unheard        // it has its effect, the reply is lost
	delayed        // the caller gives up, and it has its effect later
	doubled        // it has its effect twice
	diesFirst      // the caller dies before it arrives
	diesAfter      // the caller dies after its effect
	diesLate       // the caller dies, and it has its effect later
	landed         // a delayed one has its effect
	expired        // the caller's deadline is over
)

func (f fate) String() string {
	return [...]string{
		"", "", "lost", "reply lost", "delayed", "twice", "caller dies before", "caller dies after",
		"caller dies, delayed", "arrives late", "deadline exceeded",
	}[f]
}

// dies says that the caller does not survive the call.
func (f fate) dies() bool { return f == diesFirst || f == diesAfter || f == diesLate }

// faults are how often things go wrong, per thousand.
type faults struct {
	fates   [diesLate + 1]int
	disturb [3]int // weights of disturbances; see disturb
}

// drawFaults makes a storm of its own for each seed: some kinds of fault are absent, so that others get their turn.
func drawFaults(r *rand.Rand) (f faults) {
	for kind := lost; kind <= diesLate; kind++ {
		f.fates[kind] = []int{0, 0, 3, 10, 40}[r.IntN(5)]
	}
	for kind := range f.disturb {
		f.disturb[kind] = r.IntN(3)
	}
	return f
}

// fate throws the dice for one call.
func (f faults) fate(r *rand.Rand, c *call) fate {
	if c.ctx.Err() != nil {
		return expired
	}
	roll := r.IntN(1000)
	for kind, often := range f.fates {
		if roll -= often; roll < 0 {
			return c.possible(fate(kind))
		}
	}
	return well
}

// possible makes a fate that the call cannot have a good one.
func (c *call) possible(f fate) fate {
	switch {
	case f == doubled && !slices.Contains(c.traits, Repeatable), (f == delayed || f == diesLate) && slices.Contains(c.traits, Prompt):
		return well
	}
	return f
}

// serve gives a call its fate.
func (w *World) serve(c *call, f fate) {
	if c.ctx.Err() != nil {
		f = expired
	}
	w.history.add(w.Now(), c.by.name, c.name, f)
	w.serving = c
	a := answer{err: ErrLost}
	switch f {
	case well:
		a = w.apply(c)
	case unheard, diesAfter:
		w.apply(c)
	case doubled:
		w.apply(c)
		a = w.apply(c)
	case delayed, diesLate:
		c.expires = w.Now().Add(w.Lateness)
		w.late = append(w.late, c)
	case expired:
		a.err = c.ctx.Err()
	}
	w.serving = nil
	if f.dies() {
		w.waiting = append(w.waiting, c)
		w.kill(c.by)
		return
	}
	c.answer <- a
}

// kill ends a process wherever it is: none of its calls is answered any more.
func (w *World) kill(p *Process) {
	p.kill()
	w.waiting = slices.DeleteFunc(w.waiting, func(c *call) bool {
		if c.by == p {
			c.answer <- answer{dead: true}
		}
		return c.by == p
	})
	synctest.Wait()
	if !p.down() {
		w.Fail("%s was killed and does not end: it waits for something that is not outside of it", p.name)
	}
	p.frozen = w.Now().Add(time.Duration(w.Rand.Int64N(int64(10 * time.Second)))) // until somebody starts it again
}

func (p *Process) kill() {
	p.dead.Store(true)
	p.cancel()
}

// disturb hits one machine: kill, orderly stop, freeze, wrong clock.
func (w *World) disturb() bool {
	if len(w.actors) == 0 {
		return false
	}
	a := w.actors[w.Rand.IntN(len(w.actors))]
	note := func(what string) { w.history.add(w.Now(), a.name, what, 0) }
	switch total := w.faults.disturb; pick(w.Rand, total[:]) {
	case 0:
		if a.life.down() {
			return false
		}
		if w.Chance(3) {
			note("is told to stop")
			a.life.cancel()
			return true
		}
		note("is killed")
		w.kill(a.life)
	case 1:
		note("is frozen")
		a.frozen = w.Now().Add(w.interval())
	case 2:
		note("has its clock moved")
		a.skew.Store(w.Rand.Int64N(2*int64(w.Skew)+1) - int64(w.Skew))
	default:
		return false
	}
	return true
}

// pick chooses an index by weight; -1 when all are zero.
func pick(r *rand.Rand, weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	if total == 0 {
		return -1
	}
	roll := r.IntN(total)
	for i, w := range weights {
		if roll -= w; roll < 0 {
			return i
		}
	}
	return -1
}
