package local_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local"
)

func TestLastingPortsDifferAndStayClearOfOutgoingConnections(t *testing.T) {
	t.Parallel()
	ports, err := local.LastingPorts(5)
	more, moreErr := local.LastingPorts(5)
	if err := errors.Join(err, moreErr); err != nil {
		t.Fatal(err)
	}
	ports = append(ports, more...)
	slices.Sort(ports)
	if len(slices.Compact(slices.Clone(ports))) != 10 || ports[9] >= 32000 { // Linux gives out 32768 and above
		t.Errorf("got %v", ports)
	}
}
