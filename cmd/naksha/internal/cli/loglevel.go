package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/up"
	"github.com/naksha-cloud/naksha/pkg/fault"
)

func (a *App) logLevelCommand() *cobra.Command {
	var service string
	c := &cobra.Command{
		Use: "log-level [debug|info|warn|error]", Short: "Show the log level of each part of the running platform, or change it until its next start",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			level := ""
			if len(args) == 1 {
				var known slog.Level
				if err := known.UnmarshalText([]byte(args[0])); err != nil {
					return usageError{fmt.Errorf("%q is no level: give debug, info, warn or error", args[0])}
				}
				level = known.String()
			}
			levels, err := a.logLevels(cmd.Context(), service, level)
			if err != nil {
				return err
			}
			return a.printLevels(levels)
		},
	}
	c.Flags().StringVar(&service, "service", "", "change one part only, such as tenant; default: all")
	return c
}

// logLevels asks the platform of the state directory; a level that is not empty is set first.
func (a *App) logLevels(ctx context.Context, service, level string) (map[string]string, error) {
	dir, err := a.stateDir()
	if err != nil {
		return nil, err
	}
	e, err := up.ReadEndpoints(dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	method, address := http.MethodGet, e.Admin+"/loglevel"
	if level != "" {
		method, address = http.MethodPut, address+"?service="+url.QueryEscape(service)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(level))
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fault.Unavailable("NOT_RUNNING", "The platform of %s does not answer at %s.", dir, e.Admin).
			WithRemedy("Start it with `naksha up`.").WithCause(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, 64<<10))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read log levels: %w", err)
	case reply.StatusCode == http.StatusNotFound:
		return nil, fault.NotFound("PART_UNKNOWN", "No part is called %q.", service).WithRemedy("See `naksha log-level` for their names.")
	case reply.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("change log level: %s", strings.TrimSpace(string(text)))
	}
	var levels map[string]string
	if err := json.Unmarshal(text, &levels); err != nil {
		return nil, fmt.Errorf("read log levels: %w", err)
	}
	return levels, nil
}

func (a *App) printLevels(levels map[string]string) error {
	parts := slices.Sorted(maps.Keys(levels))
	return a.printOther(levels, parts, func(w io.Writer) error {
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(t, "PART\tLEVEL\t")
		for _, part := range parts {
			fmt.Fprintf(t, "%s\t%s\t\n", part, strings.ToLower(levels[part]))
		}
		return t.Flush()
	})
}
