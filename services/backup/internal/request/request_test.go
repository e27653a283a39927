package request_test

import (
	"bytes"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/services/backup/internal/request"
)

const id = "01990000-0000-7000-8000-000000000000"

func TestRequestsAreTheSameWhenEverythingInThemIs(t *testing.T) {
	t.Parallel()
	digest := func(rest ...string) []byte {
		k, err := request.KeyOf("CreateRestore", "abc", id, rest...)
		if err != nil {
			t.Fatal(err)
		}
		return k.Digest
	}
	if !bytes.Equal(digest("a", "b"), digest("a", "b")) {
		t.Error("a repeat is another request")
	}
	for _, other := range [][]string{{"a", "c"}, {"ab"}, {"a"}, {"a", "b", ""}} {
		if bytes.Equal(digest("a", "b"), digest(other...)) {
			t.Errorf("%q is taken for the same request", other)
		}
	}
}

func TestAMalformedIDIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := request.KeyOf("CreateRestore", "abc", "'; DROP"); fault.ReasonOf(err) != "REQUEST_ID_INVALID" {
		t.Errorf("got %v", err)
	}
	if k, err := request.KeyOf("CreateRestore", "abc", "", "a"); err != nil || k.Digest != nil {
		t.Errorf("without an id: %v %v", k, err)
	}
}
