package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

// crashWriters is how many clients write at once; one more changes users.
const crashWriters = 6

// crash is a region that is killed again and again, and what was answered to its clients.
type crash struct {
	config local.RegionConfig

	mu      sync.Mutex
	acked   map[string]string // content by "key?version"
	deleted map[string]bool   // keys whose last answered change is a deletion
	open    map[string]bool   // keys with a change that was not answered
	keys    map[string]types.AccessKey
	off     map[string]bool // access keys that were deactivated; false as long as that was not answered
	secrets []string
	acks    chan struct{}
}

func TestKilledRegionKeepsWhatItAnswered(t *testing.T) {
	t.Parallel()
	c := &crash{
		config: regionConfig(localtest.TempDir(t)),
		acked:  map[string]string{}, deleted: map[string]bool{}, open: map[string]bool{}, keys: map[string]types.AccessKey{}, off: map[string]bool{},
	}
	random, rounds := localtest.Seed(t), localtest.Rounds(4, 60)
	region := startRegion(t, c.config)
	makeBucket(t, s3Client(t, region, c.config.RootAccess, c.config.RootSecret), ownBucket)
	for round := range rounds {
		c.loadAndKill(t, region, round, random)
		region = startRegion(t, c.config)
		c.verify(t, region)
	}
	t.Logf("%d versions and %d keys were answered and are there after %d kills", len(c.acked), len(c.keys), rounds)
	if err := region.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	wantNoSecret(t, c.config.Dir, append(c.secrets, c.config.RootSecret, localtest.SealKey))
}

// loadAndKill lets the clients work until so many changes were answered, and kills the region in the midst of others.
func (c *crash) loadAndKill(t *testing.T, region *local.Region, round int, random *rand.Rand) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.acks = make(chan struct{}, 1<<16)
	var clients sync.WaitGroup
	for i := range crashWriters {
		name, client := fmt.Sprintf("%d-%d", round, i), s3Client(t, region, c.config.RootAccess, c.config.RootSecret)
		dice := rand.New(rand.NewPCG(random.Uint64(), 0))
		clients.Go(func() { c.write(ctx, client, dice, name) })
	}
	api := iamClient(region)
	clients.Go(func() { c.changeUsers(ctx, api, round) })
	for range 30 + random.IntN(120) {
		select {
		case <-c.acks:
		case <-t.Context().Done():
		}
	}
	if err := region.Kill(); err != nil {
		t.Error(err)
	}
	cancel()
	clients.Wait()
}

// write puts and deletes objects until the region is gone. Its keys are its own, three of them are written again and again.
func (c *crash) write(ctx context.Context, client *minio.Client, dice *rand.Rand, name string) {
	for n := 0; ctx.Err() == nil; n++ {
		key := fmt.Sprintf("dir-%d/%s-%d", dice.IntN(3), name, dice.IntN(3))
		c.begin(key)
		if dice.IntN(8) == 0 {
			if client.RemoveObject(ctx, ownBucket, key, minio.RemoveObjectOptions{}) != nil {
				return
			}
			c.end(key, "", "", true)
			continue
		}
		size, options := 100+dice.IntN(200<<10), minio.PutObjectOptions{ContentType: "application/x-crash", DisableMultipart: true}
		if dice.IntN(10) == 0 {
			size, options = 6<<20, minio.PutObjectOptions{ContentType: "application/x-crash", PartSize: partSize}
		}
		content := crashContent(key, n, size)
		info, err := client.PutObject(ctx, ownBucket, key, strings.NewReader(content), int64(size), options)
		if err != nil {
			return
		}
		c.end(key, info.VersionID, content, false)
	}
}

// crashContent names its object and its own length, so that whoever reads it knows whether it is whole.
func crashContent(key string, n, size int) string {
	line := fmt.Sprintf("%s %d %d\n", key, n, size)
	return strings.Repeat(line, size/len(line)+1)[:size]
}

func (c *crash) begin(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[key] = true
}

func (c *crash) end(key, version, content string, deleted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, key)
	c.deleted[key] = deleted
	if !deleted {
		c.acked[key+"?"+version] = content
	}
	c.acks <- struct{}{}
}

// changeUsers makes users with keys and deactivates every second one, until the region is gone.
func (c *crash) changeUsers(ctx context.Context, api *iam.Client, round int) {
	for n := 0; ctx.Err() == nil; n++ {
		name := aws.String(fmt.Sprintf("user-%d-%d", round, n))
		key, err := makeKey(ctx, api, name)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.keys[*name] = *key
		c.secrets = append(c.secrets, *key.SecretAccessKey)
		c.mu.Unlock()
		if n%2 == 0 {
			continue
		}
		c.deactivated(*key.AccessKeyId, false)
		if _, err := api.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}); err != nil {
			return
		}
		c.deactivated(*key.AccessKeyId, true)
		c.acks <- struct{}{}
	}
}

func (c *crash) deactivated(key string, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off[key] = answered
}

func makeKey(ctx context.Context, api *iam.Client, name *string) (*types.AccessKey, error) {
	if _, err := api.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		return nil, err
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::%[1]s","arn:aws:s3:::%[1]s/*"]}]}`, ownBucket)
	if _, err := api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("own"), PolicyDocument: &policy}); err != nil {
		return nil, err
	}
	out, err := api.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return nil, err
	}
	return out.AccessKey, nil
}

// verify reads everything back: what was answered is there, and what is there is whole.
func (c *crash) verify(t *testing.T, region *local.Region) {
	t.Helper()
	root := s3Client(t, region, c.config.RootAccess, c.config.RootSecret)
	found, latest := map[string]bool{}, map[string]bool{}
	for object := range root.ListObjects(t.Context(), ownBucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if object.Err != nil {
			t.Fatal(object.Err)
		}
		id := object.Key + "?" + object.VersionID
		if found[id] {
			t.Errorf("%s is listed twice (marker %v, latest %v)", id, object.IsDeleteMarker, object.IsLatest)
		}
		found[id] = true
		if object.IsLatest && !object.IsDeleteMarker {
			latest[object.Key] = true
		}
		if !object.IsDeleteMarker {
			c.wantWhole(t, root, object.Key, object.VersionID)
		}
	}
	for id := range c.acked {
		if !found[id] {
			t.Errorf("%s was answered and is lost", id)
		}
	}
	for key, deleted := range c.deleted {
		if !c.open[key] && deleted == latest[key] {
			t.Errorf("%s: deleted is %v, visible is %v", key, deleted, latest[key])
		}
	}
	c.verifyKeys(t, region)
}

func (c *crash) wantWhole(t *testing.T, root *minio.Client, key, version string) {
	t.Helper()
	object, err := root.GetObject(t.Context(), ownBucket, key, minio.GetObjectOptions{VersionID: version})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	info, statErr := object.Stat()
	if err := errors.Join(err, statErr); err != nil {
		t.Errorf("%s?%s: %v", key, version, err)
		return
	}
	want, answered := c.acked[key+"?"+version]
	if !answered {
		var n, size int
		_, _ = fmt.Sscanf(string(content), key+" %d %d\n", &n, &size)
		want = crashContent(key, n, size)
	}
	if string(content) != want || info.ContentType != "application/x-crash" || info.ETag == "" {
		t.Errorf("%s?%s (answered: %v) has %d bytes of %d, type %q, ETag %q", key, version, answered, len(content), len(want), info.ContentType, info.ETag)
	}
}

func (c *crash) verifyKeys(t *testing.T, region *local.Region) {
	t.Helper()
	for name, key := range c.keys {
		err := tryGet(t, s3Client(t, region, *key.AccessKeyId, *key.SecretAccessKey), ownBucket, "nothing")
		status := minio.ToErrorResponse(err).StatusCode
		off, asked := c.off[*key.AccessKeyId]
		if works, refused := status == 404, status == 403; !works && !refused || works && off || refused && !asked {
			t.Errorf("key of %s, deactivated: %v: status %d (%v)", name, off, status, err)
		}
	}
}

// wantNoSecret reads every file below dir.
func wantNoSecret(t *testing.T, dir string, secrets []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds a secret in the clear", path)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
