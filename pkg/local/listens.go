package local

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// stateListen is how /proc/net/tcp writes a listening socket (include/net/tcp_states.h).
const stateListen = "0A"

// listens says whether process pid itself listens on a TCP port: who only asks whether the port answers may be talking to
// another server that took it first.
func listens(pid, port int) bool {
	sockets := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		listening(fmt.Sprintf("/proc/%d/net/%s", pid, table), port, sockets)
	}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && sockets[target] {
			return true
		}
	}
	return false
}

// listening adds the sockets of a table that listen on port, named as in /proc/<pid>/fd.
func listening(table string, port int, sockets map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && strings.HasSuffix(fields[1], suffix) && fields[3] == stateListen {
			sockets["socket:["+fields[9]+"]"] = true
		}
	}
}
