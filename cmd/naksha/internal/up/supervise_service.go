package up

import (
	"context"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
)

const (
	// watchEvery is the time between two looks at the services' readiness; one look may take watchWait.
	watchEvery, watchWait = 3 * time.Second, 2 * time.Second
	// serviceGrace is how long a service may not be ready before somebody is told: most faults are healed by then.
	serviceGrace = 10 * time.Second
)

// watchServices notes services that stay unready, whatever keeps them so: also what is not ours to bring back, such as a
// broker or a database that runs elsewhere.
func (p *Platform) watchServices(ctx context.Context) {
	unready := map[string]time.Time{}
	for clock.Sleep(ctx, clock.System(), watchEvery) == nil {
		for _, name := range Services {
			err := p.lookAtService(ctx, name)
			switch since, known := unready[name]; {
			case ctx.Err() != nil:
				return
			case err == nil:
				delete(unready, name)
				p.worry(ctx, "service "+name, nil)
			case !known:
				unready[name] = time.Now()
			case time.Since(since) > serviceGrace:
				p.worry(ctx, "service "+name, err)
			}
		}
	}
}

func (p *Platform) lookAtService(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, watchWait)
	defer cancel()
	return p.serviceReady(ctx, name)
}
