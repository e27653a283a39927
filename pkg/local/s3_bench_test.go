package local_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

const (
	benchWorkspaces = 2000
	benchObject     = 100_000 // bytes
)

// BenchmarkWorkspacePut compares a PUT with a workspace's own key, in a region with 2,000 workspaces, with a PUT of the
// root user's in a region with one: in turns, so that both meet the same machine. It also says what the processes take.
func BenchmarkWorkspacePut(b *testing.B) {
	small, large := localtest.Region(b, "small"), localtest.Region(b, "large")
	rootOfSmall := s3Client(b, small, localtest.RootAccess, localtest.RootSecret)
	benchWorkspace(b, iamClient(small), rootOfSmall, 0)
	idle := resident(small.PID())
	rootOfLarge := s3Client(b, large, localtest.RootAccess, localtest.RootSecret)
	api := iamClient(large)
	var key, secret string
	for i := range benchWorkspaces {
		key, secret = benchWorkspace(b, api, rootOfLarge, i)
	}
	own := s3Client(b, large, key, secret)
	ownBucketName := fmt.Sprint("w-", benchWorkspaces-1)
	var peer, ours []time.Duration
	for n := 0; b.Loop(); n++ {
		peer = append(peer, benchPut(b, rootOfSmall, "w-0", n))
		ours = append(ours, benchPut(b, own, ownBucketName, n))
	}
	b.ReportMetric(p50(ours), "own-p50-ms")
	b.ReportMetric(p50(peer), "root-p50-ms")
	b.ReportMetric(p50(ours)/p50(peer), "ratio")
	b.ReportMetric(idle, "RSS-MB-idle")
	b.ReportMetric(resident(large.PID()), "RSS-MB-2000")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkConcurrentPut is eight clients at once, each with objects of its own, and what the process takes after it.
func BenchmarkConcurrentPut(b *testing.B) {
	region := localtest.Region(b, "primary")
	root := s3Client(b, region, localtest.RootAccess, localtest.RootSecret)
	benchWorkspace(b, iamClient(region), root, 0)
	var clients sync.WaitGroup
	begin := time.Now()
	for b.Loop() {
		for i := range writers {
			clients.Go(func() { benchPut(b, root, "w-0", i) })
		}
		clients.Wait()
	}
	b.ReportMetric(float64(b.N*writers)/time.Since(begin).Seconds(), "puts/s")
	b.ReportMetric(resident(region.PID()), "RSS-MB")
}

// benchWorkspace makes a versioned bucket with a user and a key of its own.
func benchWorkspace(b testing.TB, api *iam.Client, root *minio.Client, i int) (key, secret string) {
	b.Helper()
	name := fmt.Sprint("w-", i)
	makeBucket(b, root, name)
	user := aws.String(name)
	if _, err := api.CreateUser(b.Context(), &iam.CreateUserInput{UserName: user}); err != nil {
		b.Fatal(err)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::%[1]s","arn:aws:s3:::%[1]s/*"]}]}`, name)
	if _, err := api.PutUserPolicy(b.Context(), &iam.PutUserPolicyInput{UserName: user, PolicyName: aws.String("own"), PolicyDocument: &policy}); err != nil {
		b.Fatal(err)
	}
	out, err := api.CreateAccessKey(b.Context(), &iam.CreateAccessKeyInput{UserName: user})
	if err != nil {
		b.Fatal(err)
	}
	return *out.AccessKey.AccessKeyId, *out.AccessKey.SecretAccessKey
}

func benchPut(b *testing.B, client *minio.Client, bucket string, n int) time.Duration {
	b.Helper()
	content := bytes.Repeat([]byte{byte(n)}, benchObject)
	begin := time.Now()
	if _, err := client.PutObject(b.Context(), bucket, fmt.Sprint("object-", n), bytes.NewReader(content), benchObject, minio.PutObjectOptions{DisableMultipart: true}); err != nil {
		b.Error(err)
	}
	return time.Since(begin)
}

// p50 returns the median in milliseconds.
func p50(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

// resident returns the resident set size of a process in MB.
func resident(pid int) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kilobytes, _ := strconv.ParseFloat(fields[1], 64)
			return kilobytes / 1024
		}
	}
	return 0
}
