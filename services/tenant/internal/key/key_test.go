package key_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
)

func TestNewKeyHasTheFixedForm(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^nk_(sec|pub|adm)_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$`)
	for _, kind := range []key.Kind{key.Secret, key.Public, key.Admin} {
		kid, text := key.New(kind)
		gotKind, gotKid, err := key.Parse(text)
		if !form.MatchString(text) || err != nil || gotKind != kind || gotKid != kid {
			t.Errorf("%s key %q parses as %s, %s, %v", kind, text, gotKind, gotKid, err)
		}
	}
}

func TestChecksumIsFixed(t *testing.T) {
	t.Parallel()
	// Written down once: keys that were handed out must parse for ever.
	const text = "nk_sec_AAAAAAAAAAAA_0000000000000000000000000000000000000000000_228H9d"
	if _, _, err := key.Parse(text); err != nil {
		body := text[:len(text)-6]
		t.Errorf("%s…: %v", body, err)
	}
}

func TestRefusesEveryAlteredKey(t *testing.T) {
	t.Parallel()
	_, text := key.New(key.Secret)
	for i := range text {
		altered := text[:i] + string(rune(text[i]^1)) + text[i+1:]
		if _, _, err := key.Parse(altered); fault.ReasonOf(err) != "KEY_MALFORMED" {
			t.Errorf("altered at %d: %v", i, err)
		}
	}
	for _, other := range []string{"", "nk_", text + "0", text[1:], strings.ToUpper(text), strings.Replace(text, "sec", "oth", 1)} {
		if _, _, err := key.Parse(other); err == nil {
			t.Errorf("%q is taken for a key", other)
		}
	}
}

func TestHashDependsOnPepperAndText(t *testing.T) {
	t.Parallel()
	one, two := key.Pepper{Version: 1, Key: []byte("a")}, key.Pepper{Version: 2, Key: []byte("b")}
	if string(one.Hash("x")) == string(two.Hash("x")) || string(one.Hash("x")) == string(one.Hash("y")) || len(one.Hash("x")) != key.HashSize {
		t.Error("hashes of different inputs are equal")
	}
}

func TestKeyIsRefusedFromItsLastMomentOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for reason, k := range map[string]key.Key{
		"":            {ExpireTime: at(now.Add(time.Nanosecond))},
		"KEY_EXPIRED": {ExpireTime: &now},
		"KEY_REVOKED": {RevokeTime: &now, ExpireTime: &now},
	} {
		if got := fault.ReasonOf(k.Usable(now)); got != reason {
			t.Errorf("%+v: reason %q, want %q", k, got, reason)
		}
	}
}

func at(t time.Time) *time.Time { return &t }

func FuzzParse(f *testing.F) {
	_, text := key.New(key.Public)
	for _, seed := range []string{text, "", "nk_sec", text[:40], text + text, "nk_sec_\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kind, kid, err := key.Parse(text)
		if err == nil && (!kind.Known() || len(kid) != key.KidLength || !strings.Contains(text, kid)) {
			t.Errorf("%q parses as %q, %q", text, kind, kid)
		}
		if err != nil && fault.ReasonOf(err) != "KEY_MALFORMED" {
			t.Error(err)
		}
	})
}
