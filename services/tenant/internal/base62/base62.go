// Package base62 draws random digits that need no quoting anywhere, and writes numbers with them.
package base62

import "crypto/rand"

// Alphabet is the digits in order.
const Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Draw returns n random digits, each equally likely: 5.95 bits a digit.
func Draw(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		var pool [64]byte
		rand.Read(pool[:])
		for _, b := range pool {
			if b < 248 && len(out) < n { // 248 = 4 × 62
				out = append(out, Alphabet[b%62])
			}
		}
	}
	return string(out)
}

// Format writes v as n digits, with leading zeros.
func Format(v uint32, n int) string {
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		out[i] = Alphabet[v%62]
		v /= 62
	}
	return string(out)
}
