package evidence

import (
	"context"
	"time"
)

// Sampler asks Prometheus for raw samples: a range selector, evaluated at once. Raw samples carry their own time, which
// an instant vector hides; without it a stale sample could not be told from a fresh one.
type Sampler interface {
	Samples(ctx context.Context, selector string) ([]Series, error)
}

// Series is one series with its samples, oldest first.
type Series struct {
	Labels  map[string]string
	Samples []Sample
}

// Sample is one scraped value.
type Sample struct {
	At    time.Time
	Value float64
}

func (s Series) last() (Sample, bool) {
	if len(s.Samples) == 0 {
		return Sample{}, false
	}
	return s.Samples[len(s.Samples)-1], true
}

// increase is how much a counter rose between the samples since a time; a fall is a restart, from zero. It says false
// when there are fewer than two samples to compare.
func (s Series) increase(since time.Time) (float64, bool) {
	var (
		sum      float64
		previous *Sample
		pairs    int
	)
	for i := range s.Samples {
		sample := &s.Samples[i]
		if sample.At.Before(since) {
			continue
		}
		if previous != nil {
			sum += rise(previous.Value, sample.Value)
			pairs++
		}
		previous = sample
	}
	return sum, pairs > 0
}

// lastRise is the age of the last rise of a counter, at most: it happened after the sample before it was taken. It says
// false where the counter did not rise.
func (s Series) lastRise(now time.Time) (time.Duration, bool) {
	for i := len(s.Samples) - 1; i > 0; i-- {
		if rise(s.Samples[i-1].Value, s.Samples[i].Value) > 0 {
			return now.Sub(s.Samples[i-1].At), true
		}
	}
	return 0, false
}

func rise(before, after float64) float64 {
	if after < before {
		return after
	}
	return after - before
}
