package iam_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"

	"github.com/naksha-cloud/naksha/pkg/local/iam"
)

const file = "users.sealed"

func sealKey() []byte { return []byte("the sealing key of these tests!!") }

func open(t testing.TB, dir string) *iam.Store {
	t.Helper()
	s, cut, err := iam.Open(dir, sealKey())
	if err != nil || cut != 0 {
		t.Fatalf("open: %d bytes cut off, %v", cut, err)
	}
	return s
}

func closed(t testing.TB, s *iam.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// addUser makes a user with a policy and a key.
func addUser(t testing.TB, s *iam.Store, name string) {
	t.Helper()
	_, err := s.CreateUser(context.Background(), types.User{UserName: name, UserID: "ID" + name, Arn: "arn:" + name, Path: "/"})
	must(t, err)
	must(t, s.PutUserPolicy(context.Background(), storage.PutUserPolicyInput{UserName: name, PolicyName: "bucket", PolicyDocument: "{}"}))
	_, err = s.CreateAccessKey(context.Background(), storage.CreateAccessKeyInput{
		UserName: name, AccessKeyID: "AKIA" + name, SecretAccessKey: "secret of " + name, Status: "Active",
	})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e iamerr.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestUsersKeysAndPoliciesSurviveAnEndWithoutClose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	defer closed(t, s)
	for i := range 50 {
		addUser(t, s, fmt.Sprintf("User-%d", i))
	}
	must(t, s.UpdateAccessKey(t.Context(), storage.UpdateAccessKeyInput{UserName: "user-1", AccessKeyID: "AKIAUser-1", Status: "Inactive"}))
	must(t, s.DeleteAccessKey(t.Context(), "user-2", "AKIAUser-2"))
	must(t, s.DeleteUserPolicy(t.Context(), "user-2", "bucket"))
	must(t, s.DeleteUser(t.Context(), "user-2"))
	_, err := s.UpdateUser(t.Context(), storage.UpdateUserInput{UserName: "user-3", NewUserName: "renamed"})
	must(t, err)
	must(t, s.TagUser(t.Context(), "renamed", []types.Tag{{Key: "a", Value: "1"}, {Key: "A", Value: "2"}}))

	again := open(t, dir) // the first is as good as killed: nobody closed it
	defer closed(t, again)
	user, err := again.GetUserByAccessKeyID(t.Context(), "AKIAUser-1")
	if err != nil || user.UserName != "User-1" || user.AccessKeys[0].Status != "Inactive" || user.AccessKeys[0].SecretAccessKey != "secret of User-1" || len(user.Policies.Inline) != 1 {
		t.Errorf("user by key: %+v, %v", user, err)
	}
	_, err = again.GetUserByAccessKeyID(t.Context(), "AKIAUser-2")
	wantCode(t, "a deleted key", err, "NoSuchEntity")
	_, err = again.GetUser(t.Context(), "User-2")
	wantCode(t, "a deleted user", err, "NoSuchEntity")
	_, err = again.GetUser(t.Context(), "User-3")
	wantCode(t, "an old name", err, "NoSuchEntity")
	if user, err = again.GetUserByAccessKeyID(t.Context(), "AKIAUser-3"); err != nil || user.UserName != "renamed" || len(user.Tags) != 1 || user.Tags[0].Value != "2" {
		t.Errorf("renamed user by its key: %+v, %v", user, err)
	}
	list, err := again.ListUsers(t.Context(), storage.ListUsersInput{})
	if err != nil || len(list.Users) != 49 {
		t.Errorf("%d users, %v", len(list.Users), err)
	}
}

func TestRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer closed(t, s)
	addUser(t, s, "one")
	addUser(t, s, "two")
	_, err := s.CreateUser(t.Context(), types.User{UserName: "ONE", UserID: "other"})
	wantCode(t, "a name that differs in case", err, "EntityAlreadyExists")
	if _, err = s.CreateUser(t.Context(), types.User{UserName: "three", UserID: "IDone"}); !errors.Is(err, storage.ErrUserIDAlreadyExists) {
		t.Errorf("a taken id: %v", err)
	}
	_, err = s.UpdateUser(t.Context(), storage.UpdateUserInput{UserName: "one", NewUserName: "Two"})
	wantCode(t, "a taken new name", err, "EntityAlreadyExists")
	if _, err = s.CreateAccessKey(t.Context(), storage.CreateAccessKeyInput{UserName: "one", AccessKeyID: "AKIAtwo"}); !errors.Is(err, storage.ErrAccessKeyIDAlreadyExists) {
		t.Errorf("a taken key id: %v", err)
	}
	_, err = s.CreateAccessKey(t.Context(), storage.CreateAccessKeyInput{UserName: "one", AccessKeyID: "AKIA2"})
	must(t, err)
	_, err = s.CreateAccessKey(t.Context(), storage.CreateAccessKeyInput{UserName: "one", AccessKeyID: "AKIA3"})
	wantCode(t, "a third key", err, "LimitExceeded")
	wantCode(t, "a user with policies", s.DeleteUser(t.Context(), "one"), "DeleteConflict")
	must(t, s.DeleteUserPolicy(t.Context(), "one", "bucket"))
	wantCode(t, "a user with keys", s.DeleteUser(t.Context(), "one"), "DeleteConflict")
	long := storage.PutUserPolicyInput{UserName: "one", PolicyName: "long", PolicyDocument: strings.Repeat("x", storage.MaxInlinePolicyBytesPerUser+1)}
	wantCode(t, "a long policy", s.PutUserPolicy(t.Context(), long), "LimitExceeded")
	_, err = s.CreateRole(t.Context(), types.Role{})
	wantCode(t, "a role", err, "NotImplemented")
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	defer closed(t, s)
	for _, name := range []string{"c", "a", "e", "b", "d"} {
		addUser(t, s, name)
	}
	var seen string
	in := storage.ListUsersInput{MaxItems: 2}
	for {
		out, err := s.ListUsers(t.Context(), in)
		must(t, err)
		for _, user := range out.Users {
			seen += user.UserName
		}
		seen += "|"
		if in.Marker = out.Marker; !out.IsTruncated {
			break
		}
	}
	if seen != "ab|cd|e|" {
		t.Errorf("pages %s", seen)
	}
}

func TestUseOfAKeyIsSeenAtOnceAndSurvivesTheEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	addUser(t, s, "one")
	first := time.Now().UTC().Add(-time.Hour)
	for i := range 3 {
		must(t, s.RecordAccessKeyUsage(t.Context(), "AKIAone", "s3", "us-east-1", first.Add(time.Duration(i)*time.Second)))
	}
	wantUse(t, s, first.Add(2*time.Second))
	must(t, s.PutUserPolicy(t.Context(), storage.PutUserPolicyInput{UserName: "one", PolicyName: "other", PolicyDocument: "{}"}))
	wantUse(t, s, first.Add(2*time.Second))
	closed(t, s)
	s = open(t, dir)
	defer closed(t, s)
	wantUse(t, s, first.Add(2*time.Second))
	wantCode(t, "use of no key", s.RecordAccessKeyUsage(t.Context(), "AKIAx", "s3", "us-east-1", first), "NoSuchEntity")
}

func wantUse(t *testing.T, s *iam.Store, at time.Time) {
	t.Helper()
	out, err := s.GetAccessKeyLastUsed(t.Context(), "AKIAone")
	if err != nil || !out.LastUsedDate.Equal(at) || out.ServiceName != "s3" || out.UserName != "one" {
		t.Errorf("last use %+v, %v; want %s", out, err, at)
	}
}

func TestJournalStaysWithinItsContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	defer closed(t, s)
	addUser(t, s, "one")
	document := strings.Repeat("x", 2000)
	for range 500 {
		must(t, s.PutUserPolicy(t.Context(), storage.PutUserPolicyInput{UserName: "one", PolicyName: "bucket", PolicyDocument: document}))
	}
	info, err := os.Stat(filepath.Join(dir, file))
	must(t, err)
	if info.Size() > 300<<10 {
		t.Errorf("%d bytes after a megabyte of changes to one user", info.Size())
	}
	again := open(t, dir)
	defer closed(t, again)
	if p, err := again.GetUserPolicy(t.Context(), "one", "bucket"); err != nil || p.PolicyDocument != document {
		t.Errorf("policy: %v", err)
	}
}
