package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// World is one run. Its methods are for the scenario's goroutine alone, which is also where all effects happen.
type World struct {
	// Rand is the source of all chance.
	Rand *rand.Rand
	// Skew is how far a machine's clock may be wrong in either direction; default 2 s.
	Skew time.Duration
	// Lateness is how long after its caller gave up a call may still have its effect; default 5 s.
	Lateness time.Duration

	actors  []*actor
	lives   int
	events  []event
	rules   []func() error
	faults  faults
	history history

	mu      sync.Mutex
	arrived []*call // since the last look

	waiting []*call // for an answer, in order of arrival
	serving *call   // in hand
	late    []*call // that nobody waits for any more, and that will have their effect
}

// event is something that happens by itself while the storm lasts.
type event struct {
	name string
	do   func()
}

func newWorld(seed uint64) *World {
	return &World{
		Rand: rand.New(rand.NewPCG(seed, seed)), Skew: 2 * time.Second, Lateness: 5 * time.Second,
	}
}

// Actor starts run as a process, and again some time after it returned or was killed. run must return when the Process's
// context ends and wait for what it started.
func (w *World) Actor(name string, run func(p *Process)) {
	a := &actor{name: name, number: len(w.actors), run: run}
	w.actors = append(w.actors, a)
	w.start(a)
}

// Event may happen at any moment while the storm lasts.
func (w *World) Event(name string, do func()) { w.events = append(w.events, event{name, do}) }

// Always is asked after every effect; an error ends the run.
func (w *World) Always(rule func() error) { w.rules = append(w.rules, rule) }

// Now is the true time; machines' clocks may be wrong.
func (w *World) Now() time.Time { return time.Now().UTC() }

// Chance is true once in n times.
func (w *World) Chance(n int) bool { return w.Rand.IntN(n) == 0 }

// Storm takes steps, with faults that differ from seed to seed in kind and frequency.
func (w *World) Storm(steps int) {
	w.faults = drawFaults(w.Rand)
	for range steps {
		w.settle()
		w.step()
	}
}

// healSteps bounds a Heal in which calls follow each other without a pause.
const healSteps = 10_000

// Heal ends all faults, starts what is down, and lets everything go well until nothing is open, at most for the time given.
func (w *World) Heal(open func() error, within time.Duration) {
	w.mend()
	end, steps := w.Now().Add(within), len(w.history)+healSteps
	for why := open(); why != nil; why = open() {
		w.settle()
		switch {
		case w.Now().After(end), len(w.history) > steps:
			w.Fail("not done %s and %d steps after the faults ended: %v",
				w.Now().Sub(end.Add(-within)).Round(time.Second), len(w.history)+healSteps-steps, why)
		case w.revive():
		case len(w.waiting) > 0:
			w.serve(w.take(0), well)
		default:
			w.pass(50*time.Millisecond + time.Duration(w.Rand.Int64N(int64(2*time.Second))))
		}
	}
}

// mend undoes what the storm left behind.
func (w *World) mend() {
	w.faults = faults{}
	w.settle()
	for len(w.late) > 0 {
		w.land(0)
	}
	for _, a := range w.actors {
		a.frozen = time.Time{}
		a.skew.Store(0)
	}
}

// submit is called by processes.
func (w *World) submit(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrived = append(w.arrived, c)
}

// settle waits until every process waits, and takes their calls in an order that does not depend on the machine.
func (w *World) settle() {
	synctest.Wait()
	for _, a := range w.actors {
		if text := a.life.panics.Load(); text != nil {
			w.Fail("%s", *text)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.arrived, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.by.number, b.by.number), cmp.Compare(a.name, b.name))
	})
	w.waiting = append(w.waiting, w.arrived...)
	w.arrived = nil
}

// step lets one thing happen.
func (w *World) step() {
	switch roll := w.Rand.IntN(100); {
	case roll < 3 && w.disturb():
	case roll < 8 && w.happen():
	case roll < 14 && len(w.late) > 0:
		w.land(w.Rand.IntN(len(w.late)))
	case roll < 20 && w.revive():
	case roll < 92 && w.answerOne():
	default:
		w.pass(w.interval())
	}
}

// answerOne serves one of the calls that wait, any of them: this is where orders get mixed.
func (w *World) answerOne() bool {
	now := w.Now()
	var ready []int
	for i, c := range w.waiting {
		if !c.by.frozen.After(now) {
			ready = append(ready, i)
		}
	}
	if len(ready) == 0 {
		return false
	}
	c := w.take(ready[w.Rand.IntN(len(ready))])
	w.serve(c, w.faults.fate(w.Rand, c))
	return true
}

func (w *World) take(i int) *call {
	c := w.waiting[i]
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return c
}

func (w *World) happen() bool {
	if len(w.events) == 0 {
		return false
	}
	e := w.events[w.Rand.IntN(len(w.events))]
	w.history.add(w.Now(), "", e.name, 0)
	e.do()
	w.hold()
	return true
}

// revive starts one actor that is down.
func (w *World) revive() bool {
	for _, a := range w.actors {
		if a.life.down() && !a.frozen.After(w.Now()) {
			w.history.add(w.Now(), a.name, "starts", 0)
			w.start(a)
			return true
		}
	}
	return false
}

// pass moves the clock. What may not be later than that has its effect before.
func (w *World) pass(d time.Duration) {
	end := w.Now().Add(d)
	for i := 0; i < len(w.late); {
		if w.late[i].expires.Before(end) {
			w.land(i)
		} else {
			i++
		}
	}
	w.history.add(end, "", "time passes", 0)
	time.Sleep(d)
}

// interval is short or long: races happen within milliseconds, deadlines within minutes.
func (w *World) interval() time.Duration {
	scale := []time.Duration{time.Millisecond, 50 * time.Millisecond, time.Second, 10 * time.Second, time.Minute}
	return time.Duration(1 + w.Rand.Int64N(int64(scale[w.Rand.IntN(len(scale))])))
}

// land lets a call that nobody waits for have its effect.
func (w *World) land(i int) {
	c := w.late[i]
	w.late = slices.Delete(w.late, i, i+1)
	w.history.add(w.Now(), c.by.name, c.name, landed)
	w.apply(c)
}

// apply lets a call have its effect, and wants all rules to hold after it.
func (w *World) apply(c *call) answer {
	value, err := c.effect()
	w.hold()
	return answer{value: value, err: err}
}

func (w *World) hold() {
	for _, rule := range w.rules {
		if err := rule(); err != nil {
			w.Fail("%v", err)
		}
	}
}

// end kills everything that runs: no goroutine outlives its run.
func (w *World) end() {
	synctest.Wait()
	for _, a := range w.actors {
		a.life.kill()
	}
	w.mu.Lock()
	left := append(w.waiting, w.arrived...)
	w.mu.Unlock()
	if w.serving != nil { // its effect broke a rule
		left = append(left, w.serving)
	}
	for _, c := range left {
		c.answer <- answer{dead: true}
	}
	synctest.Wait()
}
