package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestRegionRefusesAnotherSealKeyWithTheRemedy(t *testing.T) {
	t.Parallel()
	config := regionConfig(localtest.TempDir(t))
	region := startRegion(t, config)
	makeBucket(t, s3Client(t, region, config.RootAccess, config.RootSecret), ownBucket)
	makeUser(t, region, "own", ownBucket)
	if err := region.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := config
	other.SealKey = []byte(strings.Repeat("x", len(config.SealKey)))
	if _, err := local.StartRegion(t.Context(), other); err == nil || !strings.Contains(err.Error(), "root key that this state directory was made with") {
		t.Errorf("another key: %v", err)
	}
	startRegion(t, config)
}

func TestRegionOfAnOlderVersionKeepsItsUsersAndSealsThem(t *testing.T) {
	t.Parallel()
	config := regionConfig(localtest.TempDir(t))
	dir := filepath.Join(config.Dir, "iam")
	must(t, os.MkdirAll(dir, 0o700))
	old, err := storage.New(storage.Config{Dir: dir})
	must(t, err)
	const secret = "secret-from-before-in-forty-characters-x"
	_, err = old.CreateUser(t.Context(), types.User{UserName: "own", UserID: "1", Arn: "arn:aws:iam::000000000000:user/own"})
	must(t, err)
	_, err = old.CreateAccessKey(t.Context(), storage.CreateAccessKeyInput{UserName: "own", AccessKeyID: "AKIAOLDKEYOLDKEYOLDK", SecretAccessKey: secret, Status: "Active"})
	must(t, err)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::w-own","arn:aws:s3:::w-own/*"]}]}`
	must(t, old.PutUserPolicy(t.Context(), storage.PutUserPolicyInput{UserName: "own", PolicyName: "own", PolicyDocument: policy}))

	region := startRegion(t, config)
	makeBucket(t, s3Client(t, region, config.RootAccess, config.RootSecret), ownBucket)
	put(t, s3Client(t, region, "AKIAOLDKEYOLDKEYOLDK", secret), ownBucket, "a", "content")
	wantNoSecret(t, config.Dir, []string{secret})
}

func TestFullDiskRefusesObjectsAndHealsByItself(t *testing.T) {
	t.Parallel()
	disk := localtest.Disk(t, 4<<20)
	config := regionConfig(filepath.Join(disk.Dir, "region"))
	region := startRegion(t, config)
	root := s3Client(t, region, config.RootAccess, config.RootSecret)
	makeBucket(t, root, ownBucket)
	key := makeUser(t, region, "own", ownBucket)
	own := s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey)
	content := strings.Repeat("x", 100_000)
	put(t, own, ownBucket, "before", content)
	must(t, disk.Fill())
	if err := tryPut(t, own, ownBucket, "full", content); err == nil {
		t.Error("a full disk takes an object")
	}
	if got := get(t, own, ownBucket, "before", ""); got != content {
		t.Errorf("on the full disk the object has %d bytes", len(got))
	}
	if err := tryGet(t, own, ownBucket, "full"); err == nil {
		t.Error("a refused object is visible")
	}
	must(t, disk.Free())
	put(t, own, ownBucket, "after", content)
	makeUser(t, region, "second", "w-second")
}
