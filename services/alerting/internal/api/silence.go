package api

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/fault"
	alertingv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/alerting/v1"
	"github.com/naksha-cloud/naksha/services/alerting/internal/silence"
)

// Silences reads silences.
type Silences interface {
	// Silences lists those that end after a moment, newest first.
	Silences(ctx context.Context, after time.Time, limit int) ([]silence.Silence, error)
	// Now is the service's time.
	Now() time.Time
}

// Mute makes and ends silences.
type Mute interface {
	// Create makes one; SILENCE_INVALID.
	Create(ctx context.Context, s silence.Silence) (silence.Silence, error)
	// End ends one now; SILENCE_NOT_FOUND.
	End(ctx context.Context, id string) error
}

// maxSilences bounds a list of silences.
const maxSilences = 1000

type silences struct {
	alertingv1.UnimplementedSilenceServiceServer
	store Silences
	mute  Mute
}

// CreateSilence mutes matching alerts; SILENCE_INVALID.
func (s *silences) CreateSilence(ctx context.Context, r *alertingv1.CreateSilenceRequest) (*alertingv1.CreateSilenceResponse, error) {
	sent := r.GetSilence()
	start, err := timeOf("silence.start_time", sent.GetStartTime())
	if err == nil {
		_, err = timeOf("silence.end_time", sent.GetEndTime())
	}
	if err != nil {
		return nil, fault.Invalid("SILENCE_INVALID", "The silence is not valid: %v.", err).WithRemedy("Correct it and send it again.")
	}
	wanted := silence.Silence{
		StartsAt: start, EndsAt: sent.GetEndTime().AsTime(), Comment: sent.GetComment(), CreatedBy: who(ctx, ""),
	}
	for _, m := range sent.GetMatchers() {
		wanted.Matchers = append(wanted.Matchers, silence.Matcher{Name: m.GetLabel(), Value: m.GetValue(), Negate: m.GetNegate()})
	}
	made, err := s.mute.Create(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return &alertingv1.CreateSilenceResponse{Silence: silenceOf(made)}, nil
}

// ListSilences lists silences that have not ended, newest first.
func (s *silences) ListSilences(ctx context.Context, _ *alertingv1.ListSilencesRequest) (*alertingv1.ListSilencesResponse, error) {
	found, err := s.store.Silences(ctx, s.store.Now(), maxSilences)
	if err != nil {
		return nil, err
	}
	reply := &alertingv1.ListSilencesResponse{}
	for _, one := range found {
		reply.Silences = append(reply.Silences, silenceOf(one))
	}
	return reply, nil
}

// DeleteSilence ends a silence now; SILENCE_NOT_FOUND.
func (s *silences) DeleteSilence(ctx context.Context, r *alertingv1.DeleteSilenceRequest) (*alertingv1.DeleteSilenceResponse, error) {
	id, err := idOf(r.GetName(), "silences")
	if err != nil {
		return nil, err
	}
	if err := s.mute.End(ctx, id); err != nil {
		return nil, err
	}
	return &alertingv1.DeleteSilenceResponse{}, nil
}

// silenceOf shows a silence. The proto has no regular expressions: of those that came by HTTP it shows the text.
func silenceOf(s silence.Silence) *alertingv1.Silence {
	shown := &alertingv1.Silence{
		Name: "silences/" + s.ID, StartTime: timestamppb.New(s.StartsAt), EndTime: timestamppb.New(s.EndsAt), Comment: s.Comment,
	}
	for _, m := range s.Matchers {
		shown.Matchers = append(shown.Matchers, &alertingv1.Matcher{Label: m.Name, Value: m.Value, Negate: m.Negate})
	}
	return shown
}
