package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// rpc is a method of a generated client.
type rpc[Q, R proto.Message] func(ctx context.Context, request Q, options ...grpc.CallOption) (R, error)

// verb describes a command that is one call.
type verb[Q, R proto.Message] struct {
	use, short string
	args       cobra.PositionalArgs
	columns    string                         // of the table, as field paths
	sure       string                         // what to ask before; empty = nothing
	flags      func(c *cobra.Command)         // adds the command's own flags
	request    func(args []string) (Q, error) // made from the arguments and flags
	client     func(conn grpc.ClientConnInterface) rpc[Q, R]
	after      func(ctx context.Context, r R) (R, error) // e.g. waits for the end of long work; nil = nothing
}

// command makes the cobra command of a verb.
func command[Q, R proto.Message](a *App, v verb[Q, R]) *cobra.Command {
	c := &cobra.Command{Use: v.use, Short: v.short, Args: v.args}
	if v.args == nil {
		c.Args = cobra.NoArgs
	}
	if v.flags != nil {
		v.flags(c)
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := v.request(args)
		if err != nil {
			return usageError{err}
		}
		if _, err := proto.Marshal(request); err != nil {
			return usageError{errors.New("what was given is no UTF-8 text")}
		}
		if v.sure != "" {
			if err := a.confirm(cmd.Context(), fmt.Sprintf(v.sure, strings.Join(args, " "))); err != nil {
				return err
			}
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		defer conn.Close()
		call := v.client(conn)
		reply, err := call(cmd.Context(), request)
		if err == nil && !onePage(cmd) {
			err = following(cmd.Context(), call, request, reply)
		}
		if err == nil && v.after != nil {
			reply, err = v.after(cmd.Context(), reply)
		}
		if err != nil {
			return err
		}
		if reply.ProtoReflect().Descriptor().Fields().Len() == 0 { // what is gone is shown by the name that it was called by
			return a.print(request, v.columns)
		}
		if err := a.print(reply, v.columns); err != nil {
			return err
		}
		a.tellNext(reply)
		return nil
	}
	return c
}

// named puts the collection before an id that came without it: `shop` for workspaces is workspaces/shop.
func named(collection, id string) string {
	if strings.HasPrefix(id, collection+"/") {
		return id
	}
	return collection + "/" + id
}

// within puts parent and collection before an id that came alone.
func within(parent, collection, id string) string {
	if strings.Contains(id, "/") {
		return id
	}
	return parent + "/" + collection + "/" + id
}

// poll calls f until it says that the work has ended, and shows each change on stderr.
func (a *App) poll(ctx context.Context, f func(ctx context.Context) (state string, ended bool, err error)) error {
	shown := ""
	for {
		state, ended, err := f(ctx)
		if err != nil {
			return err
		}
		if state != shown {
			fmt.Fprintln(a.Err, state)
			shown = state
		}
		if ended {
			return nil
		}
		pause := time.NewTimer(200 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
