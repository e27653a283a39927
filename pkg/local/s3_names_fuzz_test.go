package local

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"
	"github.com/versity/versitygw/backend"
)

// inside says whether name, as a part of a path, leads to something below the folder, and to one file only.
func inside(name string) bool {
	path := filepath.Join("bucket", "folder", name)
	return path == "bucket/folder/"+strings.TrimSuffix(name, "/") && !strings.ContainsRune(name, 0)
}

func FuzzNamesThatPassLeadNowhereElse(f *testing.F) {
	for _, name := range []string{
		"a", "a/b", "a/", "..", "a/../../b", "../../../../../../run.json", "null", ulid.Make().String(), "0190163d-8694-739b-aea5-966c26f8ad91", "b/..%2fk", "bucket/k?versionId=..", "%00",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key := "k"
		if name != "" && checkKey(&name) == nil && !inside(name) {
			t.Errorf("the key %q passes", name)
		}
		if checkUpload(&key, &name) == nil && (!inside(name) || strings.Contains(name, "/")) {
			t.Errorf("the upload %q passes", name)
		}
		if name != "" && checkVersion(&name) == nil && (!inside(name) || strings.Contains(name, "/")) {
			t.Errorf("the version %q passes", name)
		}
		if checkSource(&name) != nil {
			return
		}
		if bucket, key, version, err := backend.ParseCopySource(name); err != nil || !inside(bucket) || key != "" && !inside(key) || version != "" && !inside(version) {
			t.Errorf("the source %q passes", name)
		}
	})
}
