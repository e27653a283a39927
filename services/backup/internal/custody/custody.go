// Package custody holds the login with which backup reads a server. Rotation mints it and says when there is a new one;
// custody redeems it, tries it, keeps it sealed, and only then acknowledges: from that moment the old one may die. Every
// new session uses the newest one held, in every replica, so a switch interrupts nothing.
package custody

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/backup/internal/cell"
)

// Held is the state of one server's reader.
type Held struct {
	Server       string // servers/{id}
	Announced    int    // newest generation that rotation announced
	Generation   int    // in use; 0 = none yet
	Login        string
	Secret       []byte // password, sealed
	Acknowledged bool
	Failures     int
}

// Store keeps what is held.
type Store interface {
	// Reader is what is held for a server; false when nothing is.
	Reader(ctx context.Context, server string) (Held, bool, error)
	// NextReader takes the next reader to redeem or acknowledge; false when there is none.
	NextReader(ctx context.Context, delay func(failures int) time.Duration) (Held, bool, error)
	// KeepReader stores a redeemed generation, unless a newer one is there.
	KeepReader(ctx context.Context, h Held) error
	// Acknowledged notes that rotation knows which generation is used.
	Acknowledged(ctx context.Context, server string, generation int) error
}

// Redeemed is a generation as rotation hands it out.
type Redeemed struct {
	Generation int
	Login      string
	Password   conf.Secret
}

// Peers are the other services that custody asks.
type Peers interface {
	// Redeem hands out the newest announced generation.
	Redeem(ctx context.Context, server string) (Redeemed, error)
	// Acknowledge says that a generation is in use. FailedPrecondition and NotFound: nobody waits for that.
	Acknowledge(ctx context.Context, server string, generation int) error
	// Cell is how to reach a workspace's cell, or a server's first one, without a login.
	Cell(ctx context.Context, name string) (target cell.Target, server string, err error)
}

// Custody keeps the readers of all servers.
type Custody struct {
	store Store
	peers Peers
	box   *seal.Box
}

// New returns a Custody that seals with box.
func New(store Store, peers Peers, box *seal.Box) *Custody {
	return &Custody{store: store, peers: peers, box: box}
}

// Reader is the target to read a workspace with the newest login held.
func (c *Custody) Reader(ctx context.Context, workspace string) (cell.Target, error) {
	target, server, err := c.peers.Cell(ctx, workspace)
	if err != nil {
		return cell.Target{}, fmt.Errorf("ask for cell: %w", err)
	}
	held, found, err := c.store.Reader(ctx, server)
	if err != nil {
		return cell.Target{}, err
	}
	if !found || held.Generation == 0 {
		if held, err = c.redeem(ctx, server); err != nil {
			return cell.Target{}, err
		}
	}
	return c.login(target, held)
}

// Next brings one reader up to date; false when all are.
func (c *Custody) Next(ctx context.Context, delay func(failures int) time.Duration) (worked bool, err error) {
	held, found, err := c.store.NextReader(ctx, delay)
	if err != nil || !found {
		return false, err
	}
	if held.Generation == 0 || held.Generation < held.Announced {
		if held, err = c.redeem(ctx, held.Server); err != nil {
			return true, err
		}
	}
	return true, c.acknowledge(ctx, held)
}

// redeem fetches the newest generation, tries it at the server and keeps it. Once acknowledged it cannot be redeemed
// again, so it is kept first.
func (c *Custody) redeem(ctx context.Context, server string) (Held, error) {
	r, err := c.peers.Redeem(ctx, server)
	if err != nil {
		return Held{}, notYet(fmt.Errorf("redeem credential of %s: %w", server, err))
	}
	held := Held{Server: server, Announced: r.Generation, Generation: r.Generation, Login: r.Login}
	held.Secret = c.box.Seal(place(server, r.Generation), []byte(r.Password.Reveal()))
	target, _, err := c.peers.Cell(ctx, server)
	if err != nil {
		return Held{}, fmt.Errorf("ask for cell: %w", err)
	}
	if target, err = c.login(target, held); err != nil {
		return Held{}, err
	}
	if err := target.Check(ctx); err != nil {
		return Held{}, fmt.Errorf("try generation %d: %w", r.Generation, err)
	}
	return held, c.store.KeepReader(ctx, held)
}

// notYet makes a credential that rotation has not made yet something to wait for.
func notYet(err error) error {
	switch fault.CodeOf(err) {
	case codes.NotFound, codes.FailedPrecondition:
		return fault.Unavailable("READER_MISSING", "The platform's login to the customer database is not made yet.").
			WithRemedy("Try again in a moment.").WithCause(err)
	default:
		return err
	}
}

func (c *Custody) acknowledge(ctx context.Context, held Held) error {
	err := c.peers.Acknowledge(ctx, held.Server, held.Generation)
	if code := fault.CodeOf(err); code == codes.FailedPrecondition || code == codes.NotFound {
		err = nil // nobody waits for it: the first generation, or acknowledged before a crash
	}
	if err != nil {
		return fmt.Errorf("acknowledge generation %d of %s: %w", held.Generation, held.Server, err)
	}
	return c.store.Acknowledged(ctx, held.Server, held.Generation)
}

func (c *Custody) login(target cell.Target, held Held) (cell.Target, error) {
	password, err := c.box.Open(place(held.Server, held.Generation), held.Secret)
	if err != nil {
		return cell.Target{}, errors.Join(errors.New("open the reader's password"), err)
	}
	target.User, target.Password = held.Login, conf.Secret(password)
	return target, nil
}

func place(server string, generation int) string {
	return server + "/reader/" + strconv.Itoa(generation)
}
