package up

import (
	"fmt"
	"net/netip"
	"syscall"
)

// reservation holds a TCP port without listening on it: the kernel gives the port to nobody else, while a process that
// names it may listen there, and again after it died (SO_REUSEADDR, socket(7)).
type reservation struct{ socket int }

// reserve picks a free port of host, an IP address.
func reserve(host string) (port int, _ *reservation, err error) {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return 0, nil, fmt.Errorf("%q is no IP address: give one such as 127.0.0.1", host)
	}
	family, address := syscall.AF_INET, syscall.Sockaddr(&syscall.SockaddrInet4{Addr: ip4(ip)})
	if ip.Is6() {
		family, address = syscall.AF_INET6, &syscall.SockaddrInet6{Addr: ip.As16()}
	}
	socket, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	r := &reservation{socket: socket}
	if err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		err = syscall.Bind(socket, address)
	}
	if err == nil {
		port, err = boundPort(socket)
	}
	if err != nil {
		r.release()
		return 0, nil, fmt.Errorf("reserve a port of %s: %w", host, err)
	}
	return port, r, nil
}

func ip4(ip netip.Addr) (four [4]byte) {
	if ip.Is4() {
		four = ip.As4()
	}
	return four
}

func boundPort(socket int) (int, error) {
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	switch a := bound.(type) {
	case *syscall.SockaddrInet4:
		return a.Port, nil
	case *syscall.SockaddrInet6:
		return a.Port, nil
	}
	return 0, syscall.EAFNOSUPPORT
}

func (r *reservation) release() { _ = syscall.Close(r.socket) }
