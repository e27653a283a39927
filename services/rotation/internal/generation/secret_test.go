package generation

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// secret is one of the shapes that occur.
func secret() Secret {
	return Secret{Password: "0PasswordOfFortyThreeLettersAndDigits000000", Verifier: "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"}
}

func TestPasswordShowsItselfToNobody(t *testing.T) {
	t.Parallel()
	s := secret()
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("said", "p", s.Password, "s", s)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(text) + fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s.Password, s.Password, s.Password)
	if strings.Contains(all, s.Password.Reveal()) || strings.Contains(all, s.Verifier.Reveal()) {
		t.Error("the secret is shown")
	}
}

func TestSecretSurvivesEncoding(t *testing.T) {
	t.Parallel()
	s := secret()
	if got, err := DecodeSecret(s.Encode()); err != nil || got != s {
		t.Errorf("got %v, %v", got == s, err)
	}
	for _, broken := range []string{"", "\n", "password", "password\n", "\nverifier"} {
		if _, err := DecodeSecret([]byte(broken)); err == nil {
			t.Errorf("reads %q", broken)
		}
	}
}
