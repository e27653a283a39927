package blob

import (
	"sync"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/naksha-cloud/naksha/pkg/conf"
)

// keyring is a credentials.Provider whose key can be replaced.
type keyring struct {
	mu     sync.Mutex
	access string
	secret conf.Secret
	stale  bool // the key was replaced since it was last retrieved
}

func newKeyring(access string, secret conf.Secret) *keyring {
	return &keyring{access: access, secret: secret, stale: true}
}

func (k *keyring) credentials() *credentials.Credentials { return credentials.New(k) }

func (k *keyring) set(access string, secret conf.Secret) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.access, k.secret, k.stale = access, secret, true
}

// RetrieveWithCredContext returns the key of now.
func (k *keyring) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stale = false
	return credentials.Value{
		AccessKeyID: k.access, SecretAccessKey: k.secret.Reveal(), SignerType: credentials.SignatureV4,
	}, nil
}

// Retrieve is RetrieveWithCredContext, which the interface still asks for.
func (k *keyring) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// IsExpired makes minio-go retrieve the key again after a change.
func (k *keyring) IsExpired() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.stale
}
