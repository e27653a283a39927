package local_test

import (
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/naksha-cloud/naksha/pkg/local"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
)

func TestRegionNeverLeavesItsBucket(t *testing.T) {
	t.Parallel()
	config := local.RegionConfig{Name: "primary", Dir: filepath.Join(localtest.TempDir(t), "region"), RootAccess: localtest.RootAccess, RootSecret: localtest.RootSecret, SealKey: []byte(localtest.SealKey)}
	region := startRegion(t, config)
	root := s3Client(t, region, config.RootAccess, config.RootSecret)
	makeBucket(t, root, "w-own")
	makeBucket(t, root, "w-other")
	put(t, root, "w-other", "secret", "x")
	impossible := []string{
		"../x", "../../x", "..", ".", "./x", "a/../../x", "a/../../w-other/secret", "../w-other/secret", "a//b", "//x", "/x",
		"a/./b", "a/..", "x\x00y", "x\x00/../../y", "\xff\xfe", ".sgwtmp/x", "../versions/x", "../../iam/iam.json", "x/",
		strings.Repeat("k", 300), strings.Repeat("k", 2000), strings.Repeat("k/", 1000), strings.Repeat("ü", 600), strings.Repeat("../", 40) + "etc/x",
	}
	before := files(t, filepath.Dir(config.Dir))
	for _, key := range impossible {
		for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodDelete} {
			status, body := raw(t, region, method, "w-own", key, "content")
			if status >= 500 || status < 300 && method != http.MethodDelete {
				t.Errorf("%s %.40q: %d %s", method, key, status, body)
			}
		}
	}
	for path := range files(t, filepath.Dir(config.Dir)) {
		if !before[path] {
			t.Errorf("a refused key left %s", path)
		}
	}
	possible := []string{"..%2f..%2fx", `\..\x`, "a\nb", "\u202egpj.exe", "...", "C:\\x", "-rf *", strings.Repeat("k/", 500) + "k", strings.Repeat("k", 255)}
	for _, key := range possible {
		if status, body := raw(t, region, http.MethodPut, "w-own", key, "content of "+key); status != http.StatusOK {
			t.Errorf("PUT %.40q: %d %s", key, status, body)
		}
	}
	for _, key := range possible {
		if status, body := raw(t, region, http.MethodGet, "w-own", key, ""); status != http.StatusOK || body != "content of "+key {
			t.Errorf("GET %.40q: %d %.100s", key, status, body)
		}
	}
	if got := get(t, root, "w-other", "secret", ""); got != "x" {
		t.Errorf("the other bucket's object holds %q", got)
	}
}

// raw sends a signed request for a key that no client library would send.
func raw(t *testing.T, region *local.Region, method, bucket, key, content string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, region.Endpoint(), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.URL = &url.URL{Scheme: "http", Host: request.URL.Host, Path: "/" + bucket + "/" + key}
	request.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	request = signer.SignV4(*request, localtest.RootAccess, localtest.RootSecret, "", local.S3Region)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// files lists everything below a folder, and that nothing appeared beside it.
func files(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		found[path] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
