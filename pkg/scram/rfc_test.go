package scram

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

func TestVerifierPassesTheExampleOfRFC7677(t *testing.T) {
	t.Parallel()
	const authMessage = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	v, err := verifier("pencil", decode(t, "W22ZaJ0SNY7soEsUEjb6gQ=="))
	if err != nil {
		t.Fatal(err)
	}
	keys, ok := strings.CutPrefix(v, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
	stored, server, found := strings.Cut(keys, ":")
	if !ok || !found {
		t.Fatalf("the verifier is %s", v)
	}
	// The server's view of the example: the client's proof opens StoredKey, ServerKey signs the reply.
	proof, signature := decode(t, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), mac(decode(t, stored), authMessage)
	for i := range proof {
		proof[i] ^= signature[i]
	}
	if sum := sha256.Sum256(proof); !hmac.Equal(sum[:], decode(t, stored)) {
		t.Error("the client's proof does not open StoredKey")
	}
	if !bytes.Equal(mac(decode(t, server), authMessage), decode(t, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")) {
		t.Error("ServerKey does not make the server's signature")
	}
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
