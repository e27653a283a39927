// Package generation is one version of a credential and its secret: how far it is, and what opens it. It makes no secret,
// which is a driver's work, owns no storage, and refuses to show a secret.
package generation

// State is how far a generation is.
type State string

// The states of a generation, in order.
const (
	Minted      State = "minted"      // a secret exists, sealed; perhaps at the target, perhaps not
	Announced   State = "announced"   // it works, and its holder may redeem it
	Active      State = "active"      // what holders use
	Retiring    State = "retiring"    // its successor is the active one; it still works
	Quarantined State = "quarantined" // disabled, reversibly
	Destroyed   State = "destroyed"   // gone from the target; its secret is erased
)

// Change moves a generation to a state.
type Change struct {
	Generation int32
	State      State
	Erase      bool // forget the secret: nothing can be opened with it any more
}
