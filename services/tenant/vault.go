package tenant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/naksha-cloud/naksha/pkg/seal"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

// vault holds what the service reads from files when it starts: the root key, and the CA certificate that customers get.
type vault struct {
	rootFile string
	caFile   string
	opened   atomic.Pointer[opened]
}

type opened struct {
	root seal.Root
	box  *seal.Box
	ca   string // PEM
}

// errSealed says that a secret was asked for before the start.
var errSealed = errors.New("the root key is not read yet")

// Start reads the files.
func (v *vault) Start(context.Context) error {
	root, err := seal.ReadRoot(v.rootFile)
	if err != nil {
		return err
	}
	box, err := root.Box("tenant")
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(v.caFile)
	if err != nil {
		return fmt.Errorf("read the CA for customers: %w", err)
	}
	v.opened.Store(&opened{root: root, box: box, ca: string(ca)})
	return nil
}

// Stop keeps what was read: calls under way may still need it.
func (v *vault) Stop(context.Context) error { return nil }

// Seal encrypts a value under a name.
func (v *vault) Seal(name string, value []byte) ([]byte, error) {
	o := v.opened.Load()
	if o == nil {
		return nil, errSealed
	}
	return o.box.Seal(name, value), nil
}

// Open decrypts what was sealed under the name.
func (v *vault) Open(name string, sealed []byte) ([]byte, error) {
	o := v.opened.Load()
	if o == nil {
		return nil, errSealed
	}
	return o.box.Open(name, sealed)
}

// Pepper is the one that new keys are hashed under.
func (v *vault) Pepper() (key.Pepper, error) { return v.PepperOf(key.FirstPepper) }

// PepperOf is the pepper of a version.
func (v *vault) PepperOf(version int32) (key.Pepper, error) {
	o := v.opened.Load()
	if o == nil {
		return key.Pepper{}, errSealed
	}
	return key.Pepper{Version: version, Key: o.root.Key("tenant/pepper/" + strconv.Itoa(int(version)))}, nil
}

// ca is the CA certificate for customers, PEM; empty before the start.
func (v *vault) ca() string {
	if o := v.opened.Load(); o != nil {
		return o.ca
	}
	return ""
}
