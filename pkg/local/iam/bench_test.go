package iam_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"

	"github.com/naksha-cloud/naksha/pkg/local/iam"
)

// BenchmarkChange is one durable change of a user among few and among many, as a multiple of the least that it can cost:
// an append of the same size, flushed.
func BenchmarkChange(b *testing.B) {
	for _, users := range []int{10, 10_000} {
		b.Run(fmt.Sprint("users=", users), func(b *testing.B) {
			s := crowd(b, b.TempDir(), users)
			defer closed(b, s)
			peer, err := os.Create(filepath.Join(b.TempDir(), "peer"))
			must(b, err)
			defer peer.Close()
			var ours, theirs time.Duration
			for n := 0; b.Loop(); n++ {
				begin := time.Now()
				must(b, s.UpdateAccessKey(context.Background(), storage.UpdateAccessKeyInput{UserName: "u0", AccessKeyID: "AKIAu0", Status: fmt.Sprint(n)}))
				ours += time.Since(begin)
				begin = time.Now()
				_, err := peer.Write(make([]byte, 500))
				must(b, err)
				must(b, peer.Sync())
				theirs += time.Since(begin)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "x-of-append")
			b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "µs/change")
		})
	}
}

// BenchmarkLookup is what each request of a customer costs here.
func BenchmarkLookup(b *testing.B) {
	for _, users := range []int{10, 10_000} {
		b.Run(fmt.Sprint("users=", users), func(b *testing.B) {
			s := crowd(b, b.TempDir(), users)
			defer closed(b, s)
			for b.Loop() {
				_, err := s.GetUserByAccessKeyID(context.Background(), "AKIAu0")
				must(b, err)
			}
		})
	}
}

// BenchmarkOpen is what a start pays for 10,000 users.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	closed(b, crowd(b, dir, 10_000))
	for b.Loop() {
		closed(b, open(b, dir))
	}
}

// crowd makes a store with many users, each with a key and a policy.
func crowd(b *testing.B, dir string, users int) *iam.Store {
	b.Helper()
	s := open(b, dir)
	for i := range users {
		name := fmt.Sprint("u", i)
		_, err := s.CreateUser(b.Context(), types.User{UserName: name, UserID: "ID" + name, Arn: "arn:aws:iam::000000000000:user/" + name})
		must(b, err)
		_, err = s.CreateAccessKey(b.Context(), storage.CreateAccessKeyInput{
			UserName: name, AccessKeyID: "AKIA" + name, SecretAccessKey: "secret of " + name, Status: "Active",
		})
		must(b, err)
		must(b, s.PutUserPolicy(b.Context(), storage.PutUserPolicyInput{UserName: name, PolicyName: "own", PolicyDocument: string(make([]byte, 600))}))
	}
	return s
}
