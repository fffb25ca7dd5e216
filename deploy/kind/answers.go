package kind

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

const (
	// answersWithin is how long the way from the host into the cluster may take to open once the pods are ready. The node's
	// proxy renews its rules about once a second.
	answersWithin = time.Minute
	// oneAnswer is how long one try may take.
	oneAnswer = 3 * time.Second
)

// question asks one part whether it is ready, from where people and programs of the host ask.
type question func(ctx context.Context) error

// questions are all that is asked before the stack counts as up.
func questions(at endpoints.Stack) map[string]question {
	return map[string]question{
		"storefront":   get(at.Endpoints.Storefront + "/readyz"),
		"autoheal":     get(at.Endpoints.Autoheal + "/readyz"),
		"loadgen":      get(at.Endpoints.Loadgen + "/readyz"),
		"prometheus":   get(at.Endpoints.Prometheus + "/-/ready"),
		"alertmanager": get(at.Endpoints.Alertmanager + "/-/ready"),
		"loki":         get(at.Endpoints.Loki + "/ready"),
		"jaeger":       get(at.Endpoints.Jaeger + "/api/v3/services"),
		"postgres":     ping(at.DatabaseURLs["admin"]),
	}
}

func get(url string) question {
	client := http.Client{Timeout: oneAnswer}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}

// ping asks the database itself: the engine's proxy takes connections whatever is behind it.
func ping(url string) question {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, oneAnswer)
		defer cancel()
		connection, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		return connection.Close(ctx)
	}
}

// allAnswer asks until each has answered once.
func allAnswer(ctx context.Context, within time.Duration, open map[string]question, say func(string)) error {
	open = maps.Clone(open)
	last := map[string]error{}
	for deadline := time.Now().Add(within); len(open) > 0; {
		names := slices.Sorted(maps.Keys(open))
		say("waiting for " + strings.Join(names, ", "))
		for _, name := range names {
			if last[name] = open[name](ctx); last[name] == nil {
				delete(open, name)
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case len(open) > 0 && time.Now().After(deadline):
			return silentParts(open, last, within)
		case len(open) > 0:
			select {
			case <-ctx.Done():
			case <-time.After(again):
			}
		}
	}
	return nil
}

func silentParts(open map[string]question, last map[string]error, within time.Duration) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(open)) {
		errs = append(errs, fmt.Errorf("%s is ready in the cluster and does not answer on the host after %s: %w", name, within, last[name]))
	}
	return errors.Join(errs...)
}
