package policy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// The channels.
const (
	Email   = "email"
	Webhook = "webhook"
)

// Address is where a target is reached by one channel.
type Address struct {
	To     string // mail address or URL
	Secret Secret // that signs, for a webhook
}

// Address is where a target is reached by a channel; false when the target or the address is unknown, or the channel is
// not set up.
func (b Book) Address(target, channel string) (Address, bool) {
	t, ok := b.Targets[target]
	if !ok || !b.Channels[channel] {
		return Address{}, false
	}
	switch channel {
	case Email:
		return Address{To: t.Email}, t.Email != ""
	case Webhook:
		hook := t.Webhook
		if hook.URL == "" {
			hook = b.Hook
		}
		return Address{To: hook.URL, Secret: hook.Secret}, hook.URL != ""
	}
	return Address{}, false
}

// secretPrefix and the key's bounds are those of Standard Webhooks.
const (
	secretPrefix = "whsec_"
	minKey       = 24 // bytes
	maxKey       = 64 // bytes
)

// SigningKey is the key inside a webhook's secret.
func SigningKey(s Secret) ([]byte, error) {
	text, ok := strings.CutPrefix(s.Reveal(), secretPrefix)
	if !ok {
		return nil, errors.New("give whsec_ followed by base64")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("give whsec_ followed by base64 of %d to %d random bytes", minKey, maxKey)
	}
	return key, nil
}
