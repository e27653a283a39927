package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	eventv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/event/v1"
)

func (a *App) eventCommand() *cobra.Command {
	c := &cobra.Command{Use: "event", Aliases: []string{"events"}, Short: "Facts as a service recorded them"}
	var after int64
	c.AddCommand(command(a, verb[*eventv1.ListEventsRequest, *eventv1.ListEventsResponse]{
		use: "list SERVICE AGGREGATE", short: "List an aggregate's facts, e.g. tenant workspaces/{ref}; -o json shows what each says, as fact",
		args: cobra.ExactArgs(2), columns: "version type time id",
		flags: func(c *cobra.Command) { c.Flags().Int64Var(&after, "after", 0, "only versions greater than this") },
		request: func(args []string) (*eventv1.ListEventsRequest, error) {
			return &eventv1.ListEventsRequest{Service: named("services", args[0]), Aggregate: args[1], AfterVersion: after}, nil
		},
		client: func(c grpc.ClientConnInterface) rpc[*eventv1.ListEventsRequest, *eventv1.ListEventsResponse] {
			return record{eventv1.NewEventServiceClient(c)}.list
		},
	}))
	return c
}

// record lists facts to their end: they have versions in the place of page tokens.
type record struct{ api eventv1.EventServiceClient }

func (s record) list(ctx context.Context, r *eventv1.ListEventsRequest, o ...grpc.CallOption) (*eventv1.ListEventsResponse, error) {
	all := &eventv1.ListEventsResponse{}
	r.PageSize = 1000
	for {
		reply, err := s.api.ListEvents(ctx, r, o...)
		if err != nil {
			return nil, err
		}
		all.Events = append(all.Events, reply.GetEvents()...)
		if len(reply.GetEvents()) == 0 { // a page may be short because it is heavy
			return all, nil
		}
		r.AfterVersion = all.Events[len(all.Events)-1].GetVersion()
	}
}

// showFacts puts beside each payload of an event what it says, as `fact`, wherever in v the event is.
func showFacts(v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			showFacts(one)
		}
	case map[string]any:
		for _, one := range v {
			showFacts(one)
		}
		kind, _ := v["type"].(string)
		payload, _ := v["payload"].(string)
		if said, ok := factOf(kind, payload); ok {
			v["fact"] = said
		}
	}
}

// factOf reads a payload of an event's JSON; false for a type that this program does not know.
func factOf(kind, payload string) (said any, ok bool) {
	known, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(kind))
	if err != nil {
		return nil, false
	}
	m := known.New().Interface()
	content, err := base64.StdEncoding.DecodeString(payload)
	if err != nil || proto.Unmarshal(content, m) != nil {
		return nil, false
	}
	text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil || json.Unmarshal(text, &said) != nil {
		return nil, false
	}
	return said, true
}
