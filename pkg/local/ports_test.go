package local_test

import (
	"slices"
	"testing"

	"github.com/naksha-cloud/naksha/pkg/local"
)

func TestLastingPortsDifferAndStayClearOfOutgoingConnections(t *testing.T) {
	t.Parallel()
	ports, err := local.LastingPorts(10)
	if err != nil || len(ports) != 10 {
		t.Fatalf("got %v, %v", ports, err)
	}
	slices.Sort(ports)
	if len(slices.Compact(slices.Clone(ports))) != 10 || ports[9] >= 32000 { // Linux gives out 32768 and above
		t.Errorf("got %v", ports)
	}
}
