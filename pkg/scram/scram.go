// Package scram makes passwords, and what Postgres stores of them (SCRAM-SHA-256, RFC 5802 and RFC 7677), on our side of
// the connection: no password is ever part of an SQL statement. It checks no login; that is Postgres' own.
package scram

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

const (
	iterations = 4096 // RFC 7677's least, and Postgres' default (scram_iterations)
	saltSize   = 16   // bytes
)

// alphabet is base62: safe in a connection string, a shell and a statement without quoting.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// passwordSize is the number of base62 characters that hold 256 bits.
const passwordSize = 43

// Password returns a fresh password of 43 base62 characters, 256 bits.
func Password() string {
	text := make([]byte, 0, passwordSize)
	for buffer := make([]byte, 64); len(text) < passwordSize; {
		rand.Read(buffer)
		for _, b := range buffer {
			if b < 4*62 && len(text) < passwordSize { // the rest would make some characters likelier
				text = append(text, alphabet[b%62])
			}
		}
	}
	return string(text)
}

// Verifier returns what pg_authid.rolpassword holds of a password, with a fresh salt. The password must be ASCII:
// SASLprep is then the identity.
func Verifier(password string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return verifier(password, salt)
}

func verifier(password string, salt []byte) (string, error) {
	for i := range len(password) {
		if password[i] < ' ' || password[i] > '~' {
			return "", fmt.Errorf("password: byte %d is not printable ASCII", i)
		}
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive SCRAM key: %w", err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]),
		encode(mac(salted, "Server Key"))), nil
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
