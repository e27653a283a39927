package event

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	"github.com/naksha-cloud/naksha/services/alerting/internal/incident"
)

// Emitter returns the function that records an incident's facts in the outbox.
func Emitter(o *outbox.Outbox) func(ctx context.Context, tx *pg.Tx, fact any) error {
	return func(ctx context.Context, tx *pg.Tx, fact any) error {
		id, message, err := convert(fact)
		if err != nil {
			return err
		}
		return o.Emit(ctx, tx, outbox.Fact{Aggregate: "incidents/" + id, Message: message})
	}
}

func convert(fact any) (id string, m proto.Message, err error) {
	switch f := fact.(type) {
	case incident.Opened:
		return f.Incident, &alertingv1.IncidentOpened{
			Incident: name(f.Incident), Severity: f.Severity, Title: f.Title, CreateTime: timestamppb.New(f.At),
		}, nil
	case incident.Escalated:
		return f.Incident, &alertingv1.IncidentEscalated{Incident: name(f.Incident), Level: int32(f.Level)}, nil
	case incident.WasAcknowledged:
		return f.Incident, &alertingv1.IncidentAcknowledged{Incident: name(f.Incident), By: f.By}, nil
	case incident.WasResolved:
		return f.Incident, &alertingv1.IncidentResolved{Incident: name(f.Incident), ResolveTime: timestamppb.New(f.At)}, nil
	}
	return "", nil, fmt.Errorf("fact %T is unknown", fact)
}

func name(id string) string { return "incidents/" + id }
