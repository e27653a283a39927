// Package demo runs the platform's main job from end to end on real parts, and checks each claim as its users would: from
// outside, with their own credentials. The platform itself is a child process, so that it can be killed. The package owns
// the story and its evidence; it refuses to look inside: it imports no service and opens no file of the platform but
// those that an operator is told of.
package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Config says what to run and where.
type Config struct {
	Binary   string         // the naksha program
	Dir      string         // working folder; empty = a temporary one, removed at the end unless Keep
	Keep     bool           // leave the working folder behind; a named Dir always stays
	Data     string         // world cities, gzipped CSV; see FindData
	Tell     func(Evidence) // told of each step when it has ended; nil = nobody
	Progress func(string)   // told what is being done right now; nil = nobody
	Kept     func(string)   // told of a working folder that is left behind; nil = nobody
}

// step is one claim and the act that shows it.
type step struct {
	name  string
	claim string
	needs []int // steps that must hold before this one makes sense
	run   func(ctx context.Context, w *world, f *finding) error
}

// patience bounds each wait, and twice that a step; a slow machine needs it, the bar does not.
const patience = 5 * time.Minute

// bar is how long the whole may take.
const bar = 3 * time.Minute

func steps() []step {
	return []step{
		{"start", "the platform starts, and creates workspaces in milliseconds", nil, start},
		{"load", "a customer loads its data with plain clients", []int{1}, load},
		{"walls", "no workspace sees another, by SQL, S3, key or facts", []int{1}, isolate},
		{"restore", "a damaged workspace returns to its snapshot, also without the primary region; its neighbour notices nothing", []int{1, 2}, restore},
		{"rotate", "a password is replaced under load without a failed query, and the old one is proven dead", []int{1, 2}, rotate},
		{"alert", "a critical alert reaches a person, then the next one, until somebody acknowledges", []int{1}, alert},
		{"crash", "kill -9 of everything loses nothing that was acknowledged, and does nothing twice", []int{1}, crash},
	}
}

// Run runs every step and returns the evidence, the summary last. The error is for what prevents a run at all.
func Run(ctx context.Context, c Config) (_ []Evidence, err error) {
	if c.Tell == nil {
		c.Tell = func(Evidence) {}
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	if c.Kept == nil {
		c.Kept = func(string) {}
	}
	w, err := newWorld(c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	begin := time.Now()
	var all []Evidence
	for i, s := range steps() {
		e := w.take(ctx, i+1, s, all)
		all = append(all, e)
		c.Tell(e)
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
	}
	all = append(all, summary(all, time.Since(begin)))
	c.Tell(all[len(all)-1])
	return all, nil
}

// take runs one step, or says which earlier one it misses.
func (w *world) take(ctx context.Context, number int, s step, before []Evidence) Evidence {
	e := Evidence{Step: number, Name: s.name, Claim: s.claim, Evidence: map[string]any{}}
	for _, needed := range s.needs {
		if !before[needed-1].Holds {
			e.Problem = fmt.Sprintf("not tried: it needs step %d", needed)
			return e
		}
	}
	ctx, cancel := bounded(ctx, 2*patience, "the step")
	defer cancel()
	f := newFinding()
	begin := time.Now()
	err := s.run(ctx, w, f)
	e.Seconds, e.Says, e.Evidence = seconds(time.Since(begin)), f.sentence(), f.numbers
	if err != nil {
		e.Problem = err.Error()
		return e
	}
	e.Holds = true
	return e
}

func summary(all []Evidence, took time.Duration) Evidence {
	held := len(slices.DeleteFunc(slices.Clone(all), func(e Evidence) bool { return !e.Holds }))
	e := Evidence{
		Step: len(all) + 1, Name: "summary", Claim: "every claim holds", Holds: held == len(all), Seconds: seconds(took),
		Says:     fmt.Sprintf("%d of %d claims hold (the bar is %s)", held, len(all), Took(bar)),
		Evidence: map[string]any{"held": held, "claims": len(all), "bar_seconds": bar.Seconds(), "within_bar": took <= bar},
	}
	if !e.Holds {
		e.Problem, e.Says = fmt.Sprintf("%d of %d claims do not hold", len(all)-held, len(all)), ""
	}
	return e
}

// Holds says whether every claim holds.
func Holds(all []Evidence) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(e Evidence) bool { return !e.Holds })
}
