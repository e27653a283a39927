package local

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// ErrAddressInUse is in the chain of every error that a taken port caused; its message names the setting to change.
var ErrAddressInUse = errors.New("address already in use")

// FreePort returns a TCP port of the loopback interface that was free a moment ago. Another process may take it before
// it is used, so a caller that listens later must be ready to ask again.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Where LastingPorts looks: below those that Linux gives to outgoing connections (ip_local_port_range), one of which could
// take a port between two starts of a server.
const lowestPort, highestPort = 20000, 32000

// walked counts the ports that LastingPorts looked at. Each process begins at a place of its own and walks on, so that neither
// two callers nor two processes are given a port that nobody listens on yet.
var walked atomic.Int64

// LastingPorts returns ports of the loopback interface that nobody listens on, for servers that are stopped and started
// again on the same ports.
func LastingPorts(n int) ([]int, error) {
	var free []int
	for range 1000 {
		port := lowestPort + (97*os.Getpid()+int(walked.Add(1)))%(highestPort-lowestPort)
		if CheckPort("127.0.0.1", port, "") != nil {
			continue
		}
		if free = append(free, port); len(free) == n {
			return free, nil
		}
	}
	return nil, fmt.Errorf("fewer than %d ports are free between %d and %d: stop what listens there", n, lowestPort, highestPort)
}

// CheckPort returns nil when host:port can be listened on, and else an error that says how to choose another one.
// The setting is the flag or field that holds the port, such as "--nats-port".
func CheckPort(host string, port int, setting string) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return ExplainListen(err, host, port, setting)
	}
	return l.Close()
}

// ExplainListen turns the error of a failed listen into one sentence with its remedy. It recognises a taken port, a
// port that needs privileges and an address that this machine does not have; anything else is wrapped as it is.
func ExplainListen(err error, host string, port int, setting string) error {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %w by another process: stop that process or choose another port with %s", address, ErrAddressInUse, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: this user may not listen on port %d: choose one above 1023 with %s: %w", address, port, setting, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: this machine has no address %s: choose another host: %w", address, host, err)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// portOrFree returns the port, or a free one for 0; a chosen port must be free now.
func portOrFree(host string, port int, setting string) (int, error) {
	if port == 0 {
		return FreePort()
	}
	return port, CheckPort(host, port, setting)
}
