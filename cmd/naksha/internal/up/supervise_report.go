package up

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/naksha-cloud/naksha/pkg/clock"
	"github.com/naksha-cloud/naksha/pkg/conf"
	"github.com/naksha-cloud/naksha/services/alerting"
)

const (
	// reportEvery is how often it is looked for something to tell.
	reportEvery = time.Second
	// repeatEvery is how often alerting is told again of what lasts; it ends an alert by itself after alertLife.
	repeatEvery, alertLife = time.Minute, 5 * time.Minute
)

// report tells alerting of every trouble when it begins and ends, until it takes that: as Prometheus would, on its own
// listener, since that needs neither the bus nor the gateway.
func (p *Platform) report(ctx context.Context) {
	for clock.Sleep(ctx, clock.System(), reportEvery) == nil {
		now := time.Now()
		var news []trouble
		for _, one := range p.supervisor.troubles.all() {
			if !one.ended.IsZero() || now.Sub(one.told) > repeatEvery {
				news = append(news, one)
			}
		}
		if len(news) == 0 {
			continue
		}
		if err := p.postAlerts(ctx, news, now); err != nil {
			p.log("up").DebugContext(ctx, "alerting does not take alerts yet", "error", err)
			continue
		}
		p.supervisor.troubles.tell(news, now)
	}
}

// postedAlert is an alert of Alertmanager's API v2.
type postedAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// alertOf is the trouble as an alert. One that ended before alerting could take it is told as if it lasted, and its end
// afterwards: it happened.
func alertOf(one trouble, now time.Time) postedAlert {
	a := postedAlert{
		Labels: map[string]string{"alertname": "ServerFails", "severity": "sev2", "area": "platform", "server": one.server},
		Annotations: map[string]string{
			"summary":     one.server + " of this platform does not work",
			"description": one.why.Error(),
		},
		StartsAt: one.began, EndsAt: one.ended,
	}
	if one.ended.IsZero() || one.told.IsZero() {
		a.EndsAt = now.Add(alertLife)
	}
	return a
}

// postAlerts returns when alerting has the alerts durably.
func (p *Platform) postAlerts(ctx context.Context, news []trouble, now time.Time) error {
	var alerts []postedAlert
	for _, one := range news {
		alerts = append(alerts, alertOf(one, now))
	}
	content, err := json.Marshal(alerts)
	if err != nil {
		return err
	}
	config, err := p.alertingConfig()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	url := "http://" + p.address(p.config.Ports.Alerting) + "/api/v2/alerts"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if config.HTTPToken != "" {
		request.Header.Set("Authorization", "Bearer "+config.HTTPToken.Reveal())
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("post alerts: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("post alerts: %s: %s", response.Status, text)
	}
	return nil
}

// alertingConfig is what the alerting service is told by its file and the environment.
func (p *Platform) alertingConfig() (alerting.Config, error) {
	c := alerting.DefaultConfig()
	if p.config.Alerting == "" {
		return c, nil
	}
	err := conf.Load(&c, conf.Options{Prefix: "NAKSHA_ALERTING", File: p.config.Alerting, Environ: os.Environ()})
	return c, err
}
