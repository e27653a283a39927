package local

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

const (
	// settleEvery is how long a region may keep what a burst of requests made it take. Giving it back costs milliseconds.
	settleEvery = 5 * time.Second
	// settled in bytes is the resident set of a region that has nothing to give back.
	settled = 32 << 20
)

// settle gives memory back once S3 answers, and then whenever there is some, until ctx ends.
func settle(ctx context.Context, address string) {
	if poll(ctx, func() bool { return accepts("tcp", address) }) != nil {
		return
	}
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for size := settled + 1; ; size = residentSet() {
		if size > settled {
			_ = giveBack() // it is a courtesy
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// residentSet returns this process's size in bytes; 0 if the kernel does not tell.
func residentSet() int {
	var total, resident int
	content, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(content), &total, &resident)
	}
	if err != nil {
		return 0
	}
	return resident * os.Getpagesize()
}

// giveBack returns memory that only the start of the process needed: the heap's free pages, and the pages of the program
// file. Most of that file is not about S3, yet initialising its packages, and the kernel's reading ahead, brought tens of
// megabytes of it in. What is needed again comes back from the page cache by itself.
func giveBack() error {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer smaps.Close()
	var start, end uintptr
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) > 2 && fields[0] == "Anonymous:":
			// Without pages of its own the mapping is the file's content and nothing else.
			if end == 0 || fields[1] != "0" {
				break
			}
			if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, start, end-start, syscall.MADV_DONTNEED); errno != 0 {
				return errno
			}
		case len(fields) > 4 && strings.Contains(fields[0], "-"):
			start, end = 0, 0
			if len(fields) == 6 && fields[5] == program && strings.HasPrefix(fields[1], "r-") {
				_, err = fmt.Sscanf(fields[0], "%x-%x", &start, &end)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
