package obs

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// newMetricExporter is a reader that serves OTel's metrics to reg under Prometheus' form of their semantic names.
func newMetricExporter(reg prometheus.Registerer) (*otelprom.Exporter, error) {
	return otelprom.New(otelprom.WithRegisterer(reg), otelprom.WithoutScopeInfo())
}

// secondsView gives durations the boundaries that OTel's semantic conventions advise; the SDK's own start at 5 s.
func secondsView() sdkmetric.View {
	return sdkmetric.NewView(
		sdkmetric.Instrument{Kind: sdkmetric.InstrumentKindHistogram, Unit: "s"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{
			Boundaries: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
			NoMinMax:   true,
		}},
	)
}

func registerRuntime(reg prometheus.Registerer) error {
	return errors.Join(
		reg.Register(collectors.NewGoCollector()),
		reg.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	)
}
