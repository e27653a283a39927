package local

import (
	"context"
	"os/exec"
	"sync"
	"testing"
)

func TestFolderThatIsGivenBackIsFreeThoughProcessesAreStartedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			for ctx.Err() == nil {
				if err := exec.Command("/bin/sh", "-c", ":").Run(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 500 {
		f, err := lockFolder(dir)
		if err == nil {
			err = Unlock(f)
		}
		if err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	others.Wait()
}
