package demo

import (
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// Where free ports are looked for: below those that Linux gives to outgoing connections (ip_local_port_range), one of
// which could take a port between two starts of the platform.
const lowestPort, highestPort = 20000, 32000

// freePorts returns ports that nobody listens on.
func freePorts(n int) ([]int, error) {
	var free []int
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if slices.Contains(free, port) || local.CheckPort("127.0.0.1", port, "") != nil {
			continue
		}
		if free = append(free, port); len(free) == n {
			return free, nil
		}
	}
	return nil, errors.New("no free ports between 20000 and 32000: stop what listens there")
}
