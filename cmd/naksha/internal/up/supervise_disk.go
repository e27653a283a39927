package up

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/local"
)

// diskEvery is the time between two looks at the servers' disks; each writes a few bytes durably.
const diskEvery = 3 * time.Second

// watchDisks notes disks that are full, or nearly, and those that fail: a server that meets one refuses some orders and
// takes others, and believes that it is well.
func (p *Platform) watchDisks(ctx context.Context) {
	for clock.Sleep(ctx, clock.System(), diskEvery) == nil {
		for _, s := range p.privateServers() {
			p.worry(ctx, "disk of "+s.name, local.CheckDisk(s.dir))
		}
	}
}
