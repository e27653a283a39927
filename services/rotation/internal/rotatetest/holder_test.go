package rotatetest_test

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/sim"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
	"github.com/naksha-cloud/naksha/services/rotation/internal/custody"
)

// holder follows the protocol: redeem, log in with the new one, write it down, leave the old one, acknowledge.
type holder struct {
	*house
	name    credential.Name
	owner   string
	service string // for backup's own credential; empty = a customer
	gone    bool   // its workspace was deleted

	// What follows is its configuration, a file: it survives the holder's death, and changes in effects alone.
	config
	previous string // password of the generation before
}

// config is what a holder has written down.
type config struct {
	current  int32 // generation that it uses; 0 = none yet
	password string
}

// session is one of the cell's, and who has it.
type session struct {
	owner  string
	number int32
	life   *sim.Process // nil: a forgotten program's
	held   atomic.Bool  // its opener knows of it
}

// life is one life of a holder: what it has in memory.
type life struct {
	*holder
	p            *sim.Process
	custody      *custody.Custody
	now          config
	mine         []*session
	acknowledged int32
}

func (o *holder) run(p *sim.Process) {
	l := &life{holder: o, p: p, custody: o.custody(o.record.Connect(p), o.cell.Driver(p))}
	for p.Pause(time.Duration(p.Float64() * float64(4*time.Second))) {
		var err error
		if l.now, err = sim.Ask(p.Context(), p, "read its configuration", func() (config, error) { return o.config, nil }); err != nil {
			continue
		}
		l.work()
		got, err := l.custody.Redeem(p.Context(), o.name, o.caller())
		if err != nil || got.Generation > l.now.current && !l.change(got) {
			continue
		}
		if p.Float64() < 0.5 {
			l.leave()
		}
		if l.acknowledged < l.now.current && (p.Float64() < 0.3 || !slices.ContainsFunc(l.mine, l.old)) {
			l.acknowledge()
		}
	}
}

func (o *holder) caller() caller.Caller {
	if o.service != "" {
		return caller.Caller{Kind: caller.Service, Principal: o.service}
	}
	return caller.Caller{Kind: caller.Secret, Principal: "key"}
}

// work opens and closes sessions of the generation in use.
func (l *life) work() {
	switch {
	case l.now.current == 0:
	case l.p.Float64() < 0.6 && len(l.mine) < 3:
		_ = l.open(l.now)
	case len(l.mine) > 0 && l.close(l.mine[0]):
		l.mine = l.mine[1:]
	}
}

// change goes over to a new generation, if it works.
func (l *life) change(got custody.Redeemed) bool {
	next := config{current: got.Generation, password: got.Password.Reveal()}
	if l.open(next) != nil {
		return false
	}
	o := l.holder
	err := sim.Tell(l.p.Context(), l.p, "write its configuration", func() error {
		if next.current > o.current {
			o.previous, o.config = o.password, next
		}
		return nil
	})
	if err == nil {
		l.now = next
	}
	return err == nil
}

// leave closes what is open of older generations.
func (l *life) leave() {
	l.mine = slices.DeleteFunc(l.mine, func(s *session) bool { return l.old(s) && l.close(s) })
}

func (l *life) old(s *session) bool { return s.number < l.now.current }

func (l *life) acknowledge() {
	_, err := l.custody.Acknowledge(l.p.Context(), l.name, l.now.current, l.service)
	if err == nil || fault.ReasonOf(err) == "GENERATION_SUPERSEDED" {
		l.acknowledged = l.now.current
	}
}

// open opens a session, which the server may have though nobody hears of it.
func (l *life) open(c config) error {
	s, err := sim.Ask(l.p.Context(), l.p, "connect", func() (*session, error) { return l.connect(l.p, l.owner, c.current, c.password) })
	if err == nil {
		s.held.Store(true)
		l.mine = append(l.mine, s)
	}
	return err
}

func (l *life) close(s *session) bool {
	return sim.Tell(l.p.Context(), l.p, "disconnect", func() error { l.disconnect(s); return nil }) == nil
}

func (h *house) connect(p *sim.Process, owner string, number int32, password string) (*session, error) {
	if err := h.cell.Open(owner, number, password); err != nil {
		return nil, err
	}
	s := &session{owner: owner, number: number, life: p}
	h.sessions = append(h.sessions, s)
	return s, nil
}

func (h *house) disconnect(s *session) {
	i := slices.Index(h.sessions, s)
	if i < 0 {
		return
	}
	h.sessions = slices.Delete(h.sessions, i, i+1)
	h.cell.Close(s.owner, s.number)
}

// keepalive is the server noticing that clients are gone.
func (h *house) keepalive(p *sim.Process) {
	for p.Pause(7 * time.Second) {
		_ = sim.Tell(p.Context(), p, "notice dead clients", func() error {
			for _, s := range slices.Clone(h.sessions) {
				forgotten := s.life == nil && (h.calm.Load() || h.Chance(3))
				if forgotten || s.life != nil && (s.life.Context().Err() != nil || !s.held.Load()) {
					h.disconnect(s)
				}
			}
			return nil
		})
	}
}

// forgotten is a program that nobody told of the new generation: it still logs in with the old one.
func (h *house) forgotten() {
	o := h.holders[h.Rand.IntN(len(h.holders))]
	r, found := h.underWay(o.name)
	if !found || o.previous == "" || r.Old == 0 || r.Old == o.current {
		return
	}
	_, _ = h.connect(nil, o.owner, r.Old, o.previous)
}
