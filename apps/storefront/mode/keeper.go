package mode

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Config is what a Keeper needs; every field is required.
type Config struct {
	Log           *slog.Logger
	MeterProvider metric.MeterProvider
}

// Keeper keeps mode and weights. A new one begins as usual: nothing that was asked for outlives the process.
type Keeper struct {
	log     *slog.Logger
	mode    *hold[Setting]
	weights *hold[Weights]
}

// NewKeeper makes a Keeper in the usual mode, and its gauges.
func NewKeeper(cfg Config) (*Keeper, error) {
	if cfg.Log == nil || cfg.MeterProvider == nil {
		return nil, errors.New("mode: a keeper needs Log and MeterProvider")
	}
	k := &Keeper{log: cfg.Log}
	k.mode = newHold(Setting{Mode: Normal}, func(a, b Setting) bool { return a.Mode == b.Mode }, func(over Held[Setting]) {
		k.log.Warn("mode ran out and nobody renewed it; back to normal", "mode", over.Value.Mode, "by", over.By)
	})
	k.weights = newHold(Usual(), func(a, b Weights) bool { return a == b }, func(over Held[Weights]) {
		k.log.Warn("weights ran out and nobody renewed them; back to stable alone",
			"stable", over.Value.Stable, "standby", over.Value.Standby, "by", over.By)
	})
	return k, k.measure(cfg.MeterProvider)
}

// Mode is how checkouts are treated now.
func (k *Keeper) Mode() Held[Setting] { return k.mode.view() }

// Weights are the shares of the groups now.
func (k *Keeper) Weights() Held[Weights] { return k.weights.view() }

// tooLate refuses a change that was taken back before it arrived.
func tooLate(key string) error {
	return apierror.New(apierror.Conflict, "the change of key %q has been taken back already; send another key to make it anew", key)
}

// SetMode changes the mode or renews it. Its error is a conflict when the present mode is neither the one asked for nor the
// one that the asker expected, and when the change of this key was taken back before.
func (k *Keeper) SetMode(ctx context.Context, change Change[Setting]) error {
	before, came := k.mode.set(change)
	switch came {
	case changed:
	case late:
		return tooLate(change.Key)
	case another:
		return apierror.New(apierror.Conflict, "the mode is %s, by %q; read GET /v1/state, and send it as \"if\" to change it all the same",
			before.Value.Mode, before.By)
	}
	if before.Value.Mode != change.Value.Mode {
		k.log.InfoContext(ctx, "mode changed", "mode", change.Value.Mode, "mode_before", before.Value.Mode,
			"by", change.By, "duration_ms", change.For.Milliseconds())
	}
	return nil
}

// SetWeights changes the weights or renews them; its error is as that of SetMode.
func (k *Keeper) SetWeights(ctx context.Context, change Change[Weights]) error {
	before, came := k.weights.set(change)
	switch came {
	case changed:
	case late:
		return tooLate(change.Key)
	case another:
		return apierror.New(apierror.Conflict, "the weights are %d to %d, by %q; read GET /v1/state, and send them as \"if\" to change them all the same",
			before.Value.Stable, before.Value.Standby, before.By)
	}
	if before.Value != change.Value {
		k.log.InfoContext(ctx, "weights changed", "stable", change.Value.Stable, "standby", change.Value.Standby,
			"by", change.By, "duration_ms", change.For.Milliseconds())
	}
	return nil
}

func (k *Keeper) measure(meters metric.MeterProvider) error {
	meter := meters.Meter("github.com/faultline-lab/faultline/apps/storefront")
	_, err := meter.Int64ObservableGauge("storefront.mode", metric.WithUnit("{mode}"),
		metric.WithDescription("1 for the mode in which checkouts are treated, 0 for the others."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			now := k.Mode().Value.Mode
			for _, mode := range Modes() {
				value := int64(0)
				if mode == now {
					value = 1
				}
				o.Observe(value, metric.WithAttributes(attribute.String("mode", string(mode))))
			}
			return nil
		}))
	if err != nil {
		return err
	}
	_, err = meter.Int64ObservableGauge("storefront.group.weight", metric.WithUnit("{percent}"),
		metric.WithDescription("Share of the requests to orders that the group is meant to get, in percent."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			now := k.Weights().Value
			o.Observe(int64(now.Stable), metric.WithAttributes(attribute.String("group", "stable")))
			o.Observe(int64(now.Standby), metric.WithAttributes(attribute.String("group", "standby")))
			return nil
		}))
	return err
}
