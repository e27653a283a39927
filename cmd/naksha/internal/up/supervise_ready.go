package up

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// readyWait bounds one question to the admin listener, which asks every service.
const readyWait = 15 * time.Second

// ServersTrouble is what is wrong with servers.
type ServersTrouble string

// Error names each server with its trouble.
func (t ServersTrouble) Error() string { return string(t) }

// ServersReady says what is wrong with the servers of the platform that runs, as its admin listener does, or nil. Any other
// error than ServersTrouble says why the listener did not tell.
func (e Endpoints) ServersReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Admin+"/readyz", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the admin listener does not answer: %w", err)
	}
	defer reply.Body.Close()
	var told struct {
		Checks []struct {
			Service, Check, Error string
			OK                    bool
		}
	}
	if err := json.NewDecoder(reply.Body).Decode(&told); err != nil {
		return fmt.Errorf("the admin listener: %w", err)
	}
	for _, c := range told.Checks {
		if c.Service == parts[0] && c.Check == serversCheck && !c.OK {
			return ServersTrouble(c.Error)
		}
	}
	return nil
}
