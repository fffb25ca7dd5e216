package storefront

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/faultline-lab/faultline/apps/internal/service"
)

// portName is the port of an EndpointSlice that takes requests (docs/contracts.md, "On Kubernetes").
const portName = "http"

// EndpointSlices reads and watches the EndpointSlices of one namespace.
type EndpointSlices interface {
	List(context.Context, metav1.ListOptions) (*discoveryv1.EndpointSliceList, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// EndpointsConfig is what Endpoints need; all but Retry is required.
type EndpointsConfig struct {
	Slices EndpointSlices
	// Service is the name of the Service whose ready pods are the backends.
	Service string
	// Set takes the backends after each change.
	Set func(context.Context, []Backend)
	Log *slog.Logger
	// Retry is the pause after an attempt that failed or ended at once; 500 ms by default. client-go's reflector would
	// back off to a minute, which is a long time for a balancer after the API server has come back.
	Retry time.Duration
}

// Endpoints follow the ready pods of a Kubernetes Service. While the API server cannot be asked, the last list holds.
type Endpoints struct {
	cfg    EndpointsConfig
	silent bool // the last attempt failed, and the log has it
}

// NewEndpoints makes Endpoints; Run follows.
func NewEndpoints(cfg EndpointsConfig) (*Endpoints, error) {
	if cfg.Slices == nil || cfg.Service == "" || cfg.Set == nil || cfg.Log == nil {
		return nil, errors.New("storefront: endpoints need Slices, Service, Set and Log")
	}
	cfg.Retry = cmp.Or(cfg.Retry, 500*time.Millisecond)
	return &Endpoints{cfg: cfg}, nil
}

// Run follows until ctx ends, and returns nil then.
func (e *Endpoints) Run(ctx context.Context) error {
	for {
		began := time.Now()
		err := e.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			e.failed(ctx, err)
		} else if time.Since(began) > e.cfg.Retry {
			continue // a watch has an end; the next one begins at once
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(e.cfg.Retry):
		}
	}
}

// Poll reads the endpoints once.
func (e *Endpoints) Poll(ctx context.Context) {
	list, err := e.list(ctx)
	if err != nil {
		e.failed(ctx, err)
		return
	}
	if len(list.Items) == 0 {
		// A Service without ready pods has an EndpointSlice too.
		e.cfg.Log.WarnContext(ctx, "no endpoints are known under the name of --orders-service; is there such a Service in this namespace?",
			"orders_service", e.cfg.Service)
	}
	e.cfg.Set(ctx, backends(list.Items))
}

func (e *Endpoints) failed(ctx context.Context, err error) {
	if e.silent || ctx.Err() != nil {
		return
	}
	e.silent = true
	e.cfg.Log.WarnContext(ctx, "discovery of orders failed; keeping the replicas known so far", "orders_service", e.cfg.Service, "error", err)
}

// listTimeout bounds one reading of the list, which otherwise would hold up the start.
const listTimeout = 5 * time.Second

func (e *Endpoints) list(ctx context.Context) (*discoveryv1.EndpointSliceList, error) {
	// Measured, but untraced, as the watch is: what it changes is in the log.
	ctx, cancel := context.WithTimeout(service.Untraced(ctx), listTimeout)
	defer cancel()
	list, err := e.cfg.Slices.List(ctx, metav1.ListOptions{LabelSelector: e.selector()})
	if err != nil {
		return nil, fmt.Errorf("list the EndpointSlices of Service %s: %w", e.cfg.Service, err)
	}
	return list, nil
}

func (e *Endpoints) selector() string { return discoveryv1.LabelServiceName + "=" + e.cfg.Service }

// watchSeconds is when the API server ends a watch, so that a server that has gone deaf is not listened to for ever. That the
// connection is dead is found earlier, by HTTP/2's pings.
const watchSeconds int64 = 300

// follow reads the list and then applies each change to it, until the watch ends.
func (e *Endpoints) follow(ctx context.Context) error {
	list, err := e.list(ctx)
	if err != nil {
		return err
	}
	known := map[string]discoveryv1.EndpointSlice{}
	for _, slice := range list.Items {
		known[slice.Name] = slice
	}
	e.cfg.Set(ctx, backends(list.Items))

	watcher, err := e.cfg.Slices.Watch(service.Untraced(ctx), metav1.ListOptions{
		LabelSelector: e.selector(), ResourceVersion: list.ResourceVersion, TimeoutSeconds: new(watchSeconds),
	})
	if err != nil {
		return fmt.Errorf("watch the EndpointSlices of Service %s: %w", e.cfg.Service, err)
	}
	defer watcher.Stop()
	e.silent = false // only now: an account that may list and not watch would be warned of for ever
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-watcher.ResultChan():
			if !open {
				return nil
			}
			if err := apply(known, event); err != nil {
				return ended(err)
			}
			e.cfg.Set(ctx, backends(slices.Collect(maps.Values(known))))
		}
	}
}

// apply brings the slices, by name, up to date.
func apply(known map[string]discoveryv1.EndpointSlice, event watch.Event) error {
	if event.Type == watch.Error {
		return apierrors.FromObject(event.Object)
	}
	slice, ok := event.Object.(*discoveryv1.EndpointSlice)
	if !ok {
		return fmt.Errorf("got a %T", event.Object)
	}
	if event.Type == watch.Deleted {
		delete(known, slice.Name)
	} else {
		known[slice.Name] = *slice
	}
	return nil
}

// ended says what the end of a watch means. One that fell so far behind that the API server has forgotten the changes
// just begins anew.
func ended(err error) error {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return nil
	}
	return fmt.Errorf("watch of the EndpointSlices ended: %w", err)
}

// backends are the ready pods in the EndpointSlices, each once: while pods are moved between slices, and on clusters with
// two address families, a pod is in more than one.
func backends(all []discoveryv1.EndpointSlice) []Backend {
	var found []Backend
	for _, slice := range all {
		port, ok := httpPort(slice.Ports)
		if !ok || slice.AddressType == discoveryv1.AddressTypeFQDN {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			if !takesRequests(endpoint) {
				continue
			}
			backend := Backend{URL: "http://" + net.JoinHostPort(endpoint.Addresses[0], port)}
			if endpoint.TargetRef != nil {
				backend.Instance = endpoint.TargetRef.Name
			}
			found = append(found, backend)
		}
	}
	// Slices come in any sequence, and a change of sequence alone is none to the balancer. A pod's first address wins:
	// IPv4, where it has both.
	slices.SortFunc(found, func(a, b Backend) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.URL, b.URL))
	})
	return slices.CompactFunc(found, func(a, b Backend) bool {
		return a.URL == b.URL || (a.Instance != "" && a.Instance == b.Instance)
	})
}

// takesRequests follows the meaning of the conditions in the API: an unknown readiness counts as ready. All addresses of
// an endpoint are the same pod; only the first is used, as kube-proxy does.
func takesRequests(endpoint discoveryv1.Endpoint) bool {
	conditions := endpoint.Conditions
	return len(endpoint.Addresses) > 0 &&
		(conditions.Ready == nil || *conditions.Ready) &&
		(conditions.Terminating == nil || !*conditions.Terminating)
}

func httpPort(ports []discoveryv1.EndpointPort) (string, bool) {
	for _, port := range ports {
		if port.Name != nil && *port.Name == portName && port.Port != nil {
			return strconv.Itoa(int(*port.Port)), true
		}
	}
	return "", false
}
