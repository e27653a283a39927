package local_test

import (
	"path/filepath"
	"strings"
	"testing"

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
